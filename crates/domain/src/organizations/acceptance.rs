//! What somebody who is invited does about it. Whoever has the token that was mailed to an address has
//! that address: it is the door, and it is proof.

use entity::{
    identity::user,
    organizations::{
        invitation::{self, Status},
        invitation_token, organization,
        organization::OrganizationId,
        role,
    },
};
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, Set,
    sea_query::{Expr, OnConflict},
};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{
    access,
    invitation::{Invitation, InvitationId, ROW},
    member,
    organization::Organization,
    role as roles,
};
use crate::{
    Actor, Change, ChangeKind, Code, Error, Result, Scope, System, Viewer, Writer,
    identity::{
        account_log::{self, Kind},
        session,
    },
    permission::{InvitationsDelete, MembersCreate, OrganizationRead},
    scope::Origin,
    secret::Token,
};

/// What an invitation says to whom it was mailed.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The address that it was mailed to.
    pub email: String,
    /// The organization's name.
    pub organization: String,
    /// The role's name for people.
    pub role: String,
    /// The invitation itself.
    pub invitation: Invitation,
}

/// What the invitation that a token opens says.
///
/// # Errors
/// [`Error::NotFound`] for a token that opens none.
pub async fn preview(system: &System, token: &str) -> Result<Preview> {
    let (organization, id) = find(system, token).await?.ok_or(Error::NotFound)?;
    let reader = system.scope(organization).reader::<OrganizationRead>()?;
    let organization = reader
        .required(reader.find::<organization::Entity>())
        .await?;
    let which = invitation::Column::Id.eq(id.uuid());
    let invitation = reader
        .required(reader.find::<invitation::Entity>().filter(which))
        .await?;
    let role = reader
        .find::<role::Entity>()
        .filter(role::Column::Slug.eq(&*invitation.role));
    let role = reader.one(role).await?;
    Ok(Preview {
        email: invitation.email.clone(),
        organization: organization.name,
        role: role.map_or_else(|| invitation.role.clone(), |role| role.name),
        invitation,
    })
}

/// Makes the viewer a member, who acts in the organization from now on. Of several who accept one
/// invitation at once, one does.
///
/// # Errors
/// A refusal for a token that opens nothing, for another account's address, for a member, and where who
/// invited them may not do so any more.
pub async fn accept(viewer: &Viewer, token: &str) -> Result<Organization> {
    let system = System::new(&viewer.db, "accept an invitation");
    let (organization, id) = find(&system, token).await?.ok_or_else(invalid)?;
    let scope = system.scope_for(viewer, organization);
    let email = own_address(viewer).await?;
    let writer = scope.writer::<MembersCreate>().await?;
    let organization = access::lock(&writer).await?;
    let invitation = open(&writer, id).await?;
    if invitation.email != email {
        return Err(Error::refused(
            Code::WrongState,
            "token",
            "This invitation was mailed to another address. Sign in with the account of that address.",
        ));
    }
    require_inviter(&writer, &invitation).await?;
    let member = member::admit_user(&writer, viewer.user(), &invitation.role).await?;
    let invitation = super::invitation::settle(&writer, invitation, Status::Accepted).await?;
    writer
        .commit_all(vec![
            Change::new(ChangeKind::InvitationAccepted, invitation.id),
            Change::new(ChangeKind::MemberAdded, member.id),
        ])
        .await?;
    prove_address(viewer, &email).await?;
    session::activate(viewer, organization.id).await?;
    Ok(organization)
}

/// Says no to an invitation; nobody has to sign in for that.
///
/// # Errors
/// A refusal for a token that opens nothing.
pub async fn decline(system: &System, token: &str, origin: Origin) -> Result<()> {
    let (organization, id) = find(system, token).await?.ok_or_else(invalid)?;
    let scope = system.scope_as(organization, Actor::System, origin);
    let writer = scope.writer::<InvitationsDelete>().await?;
    access::lock(&writer).await?;
    let invitation = open(&writer, id).await?;
    super::invitation::settle(&writer, invitation, Status::Declined).await?;
    writer
        .commit(Change::new(ChangeKind::InvitationDeclined, id))
        .await
}

/// Makes the token of an invitation's mail; none if the invitation was settled meanwhile.
pub(crate) async fn mint(system: &System, data: &Json) -> Result<Option<Token>> {
    let [organization, id] =
        ROW.map(|name| data[name].as_str().and_then(|id| Uuid::parse_str(id).ok()));
    let (Some(organization), Some(id)) = (organization, id) else {
        return Err(Error::Internal(
            "an invitation's mail that names none".to_owned(),
        ));
    };
    let scope = system.scope(organization.into());
    if !is_open(&scope, id.into()).await? {
        return Ok(None);
    }
    let token = Token::random()?;
    let row = invitation_token::ActiveModel {
        invitation_id: Set(id.into()),
        organization_id: Set(organization.into()),
        token_hash: Set(token.hash()),
        created_at: Set(system.clock().now()),
    };
    let again = OnConflict::column(invitation_token::Column::InvitationId)
        .update_columns([
            invitation_token::Column::TokenHash,
            invitation_token::Column::CreatedAt,
        ])
        .to_owned();
    let transaction = system.begin(true).await?;
    invitation_token::Entity::insert(row)
        .on_conflict(again)
        .exec(&*transaction)
        .await?;
    transaction.commit().await?;
    Ok(Some(token))
}

/// Where a token leads.
async fn find(system: &System, token: &str) -> Result<Option<(OrganizationId, InvitationId)>> {
    let Some(token) = Token::parse(token) else {
        return Ok(None);
    };
    let transaction = system.begin(false).await?;
    let row = invitation_token::Entity::find()
        .filter(invitation_token::Column::TokenHash.eq(token.hash()))
        .one(&*transaction)
        .await?;
    Ok(row.map(|row| (row.organization_id, row.invitation_id)))
}

async fn is_open(scope: &Scope, id: InvitationId) -> Result<bool> {
    let reader = scope.reader::<OrganizationRead>()?;
    let open = reader
        .find::<invitation::Entity>()
        .filter(invitation::Column::Id.eq(id.uuid()))
        .filter(invitation::Column::Status.eq(Status::Pending))
        .filter(invitation::Column::ExpiresAt.gt(scope.clock().now()));
    Ok(reader.one(open).await?.is_some())
}

/// The invitation, if it can still be answered: read under the organization's lock, because somebody may
/// just have done so.
async fn open<P>(writer: &Writer<P>, id: InvitationId) -> Result<Invitation> {
    let open = writer
        .find::<invitation::Entity>()
        .filter(invitation::Column::Id.eq(id.uuid()))
        .filter(invitation::Column::Status.eq(Status::Pending))
        .filter(invitation::Column::ExpiresAt.gt(writer.scope().clock().now()));
    writer.one(open).await?.ok_or_else(invalid)
}

/// Refuses what the inviter could not grant at this moment.
async fn require_inviter<P>(writer: &Writer<P>, invitation: &Invitation) -> Result<()> {
    let held = access::of_user(writer, invitation.invited_by).await?;
    let role = roles::find(writer, &invitation.role).await?;
    match role {
        Some(role)
            if held.has(crate::Permission::InvitationsCreate)
                && held.includes(roles::permissions(&role)) =>
        {
            Ok(())
        }
        _ => Err(Error::refused(
            Code::WrongState,
            "token",
            "Whoever invited you may not grant this role any more. Ask for another invitation.",
        )),
    }
}

async fn own_address(viewer: &Viewer) -> Result<String> {
    let own = viewer.begin(false).await?;
    let user = own.all(own.find::<user::Entity>()).await?.pop();
    Ok(user.ok_or(Error::Unauthenticated)?.email)
}

/// The token was mailed to the address, and the viewer has it.
async fn prove_address(viewer: &Viewer, email: &str) -> Result<()> {
    let own = viewer.begin(true).await?;
    let update = own
        .change::<user::Entity>()
        .col_expr(
            user::Column::EmailVerifiedAt,
            Expr::value(viewer.clock().now()),
        )
        .filter(user::Column::Email.eq(email))
        .filter(user::Column::EmailVerifiedAt.is_null());
    if own.update(update).await? > 0 {
        account_log::done(&own, viewer, Kind::EmailVerified).await?;
    }
    own.commit().await
}

fn invalid() -> Error {
    Error::refused(
        Code::InvalidToken,
        "token",
        "This invitation was answered, taken back or is too old. Ask for another.",
    )
}
