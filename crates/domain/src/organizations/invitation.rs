//! Invitations: who is asked to belong, by their address.

use chrono::{DateTime, TimeDelta, Utc};
use entity::organizations::{invitation, invitation_token};
use sea_orm::{ColumnTrait, Condition, FromQueryResult, QueryFilter, Set, Value};
use serde_json::json;
use uuid::Uuid;

pub use entity::organizations::invitation::{InvitationId, Model as Invitation, Status};

use super::{access, organization::Organization, role};
use crate::{
    Change, ChangeKind, Code, Error, Limits, Reader, Result, Writer,
    identity::email,
    limit,
    mail::{Kind, Mail},
    page::{Key, Page, PageRequest},
    permission::{InvitationsCreate, InvitationsDelete, InvitationsRead},
    scope::{Sort, Table},
};

/// An invitation can be accepted for this long.
pub const LIFETIME: TimeDelta = TimeDelta::days(7);
/// It is kept for so long after that.
const KEPT: TimeDelta = TimeDelta::days(90);
/// The words of a mail that say which invitation its token opens.
pub(super) const ROW: [&str; 2] = ["organizationId", "invitationId"];

/// Whom to invite, and as what.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// Their address, whether or not there is an account of it.
    pub email: String,
    /// Slug of the role that they are to have.
    pub role: String,
}

/// What became of an invitation by this time.
#[must_use]
pub fn status(invitation: &Invitation, now: DateTime<Utc>) -> Status {
    match invitation.status {
        Status::Pending if invitation.expires_at <= now => Status::Expired,
        status => status,
    }
}

/// The organization's invitations, newest first; those of one state alone, if it is given.
pub async fn list(
    reader: &Reader<InvitationsRead>,
    of: Option<Status>,
    request: &PageRequest,
) -> Result<Page<Invitation>> {
    let mut select = reader.find::<invitation::Entity>();
    if let Some(of) = of {
        select = select.filter(condition(of, reader.scope().clock().now()));
    }
    let sort = Sort {
        column: invitation::Column::CreatedAt,
        id: invitation::Column::Id,
        descending: true,
        list: format!("invitations {of:?}"),
        of: None,
    };
    reader
        .page(select, sort, request, |row| {
            (Key::Time(row.created_at), row.id.uuid())
        })
        .await
}

/// Those of `invitations` that are the organization's.
pub async fn load(
    reader: &Reader<InvitationsRead>,
    invitations: &[InvitationId],
) -> Result<Vec<Invitation>> {
    let ids = invitations.iter().map(|id| id.uuid()).collect();
    let among = reader.any(invitation::Column::Id, ids).await?;
    reader
        .all(reader.find::<invitation::Entity>().filter(among))
        .await
}

/// The table of invitations.
#[must_use]
pub fn table() -> Table {
    Table::of::<invitation::Entity, InvitationsRead>()
}

/// Invites somebody by their address, to which a token is mailed.
///
/// # Errors
/// A refusal for an address that is none, a member's, or invited already, and for a role that the
/// caller cannot grant; [`Error::Limited`] for too many mails to the address.
pub async fn create(
    writer: Writer<InvitationsCreate>,
    limits: &Limits,
    input: NewInvitation,
) -> Result<Invitation> {
    let address = email::check(&input.email).map_err(|problem| Error::Refused(vec![problem]))?;
    count(&writer, limits, &address).await?;
    let organization = access::lock(&writer).await?;
    let invitation = invite(&writer, &organization, &address, &input.role).await?;
    writer.commit(told(&invitation)).await?;
    Ok(invitation)
}

/// Mails an invitation once more, with another token and for another week; the token before opens
/// nothing any more.
///
/// # Errors
/// A refusal for an invitation that is not there or was settled, and for a role that the caller cannot
/// grant; [`Error::Limited`] for too many mails to the address.
pub async fn resend(
    writer: Writer<InvitationsCreate>,
    limits: &Limits,
    id: InvitationId,
) -> Result<Invitation> {
    let address = open(&writer, id).await?.email;
    count(&writer, limits, &address).await?;
    let organization = access::lock(&writer).await?;
    let invitation = open(&writer, id).await?;
    role::grantable(&writer, &invitation.role, "invitationId").await?;
    let now = writer.scope().clock().now();
    let mut update = writer
        .change::<invitation::Entity>()
        .set(invitation::Column::ExpiresAt, now + LIFETIME)
        .set(invitation::Column::UpdatedAt, now)
        .filter(invitation::Column::Id.eq(id.uuid()));
    if let Some(user) = writer.scope().author().user() {
        update = update.set(invitation::Column::InvitedBy, user.uuid());
    }
    writer.update(update).await?;
    writer.delete(tokens_of(&writer, id)).await?;
    writer.mail(letter(&organization, &invitation)).await?;
    writer
        .commit(Change::new(ChangeKind::InvitationResent, id))
        .await?;
    Ok(Invitation {
        expires_at: now + LIFETIME,
        updated_at: now,
        ..invitation
    })
}

/// Takes an invitation back: its token opens nothing any more.
///
/// # Errors
/// A refusal for an invitation that is not there or was settled.
pub async fn revoke(writer: Writer<InvitationsDelete>, id: InvitationId) -> Result<Invitation> {
    access::lock(&writer).await?;
    let invitation = open(&writer, id).await?;
    let invitation = settle(&writer, invitation, Status::Revoked).await?;
    writer
        .commit(Change::new(ChangeKind::InvitationRevoked, id))
        .await?;
    Ok(invitation)
}

/// Removes up to `size` invitations that nobody could accept for a long time, whatever became of them, and
/// gives how many.
pub(crate) async fn purge(writer: Writer<InvitationsDelete>, size: u64) -> Result<u64> {
    let before = writer.scope().clock().now() - KEPT;
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let removed = writer
        .execute(
            "DELETE FROM invitations WHERE organization_id = $1 AND id IN (
                 SELECT id FROM invitations WHERE organization_id = $1 AND created_at <= $2 AND expires_at <= $2 LIMIT $3)",
            vec![before.into(), size.into()],
        )
        .await?;
    if removed > 0 {
        let organization = writer.scope().organization();
        let change = Change::new(ChangeKind::RecordsPurged, organization)
            .with(json!({ "invitations": removed, "before": before }));
        writer.commit(change).await?;
    }
    Ok(removed)
}

/// Counts a mail to a checked address, of this organization alone: none learns how often others asked.
/// Before the lock is taken, because the counter may be elsewhere.
pub(super) async fn count<P>(writer: &Writer<P>, limits: &Limits, address: &str) -> Result<()> {
    let key = format!("{} {address}", writer.scope().organization());
    limits.take(&limit::INVITATION_OF_ADDRESS, &key).await
}

/// Invites a checked address within a running unit of work that holds the organization's lock.
pub(super) async fn invite(
    writer: &Writer<InvitationsCreate>,
    organization: &Organization,
    address: &str,
    role: &str,
) -> Result<Invitation> {
    role::grantable(writer, role, "role").await?;
    let known: Vec<Known> = writer
        .rows(
            "SELECT (SELECT count(*) FROM members JOIN users ON users.id = members.user_id
                 WHERE organization_id = $1 AND users.email = $2) AS members",
            vec![Value::from(address)],
        )
        .await?;
    if known.iter().any(|known| known.members > 0) {
        let message = "This person is a member already.";
        return Err(Error::refused(Code::Taken, "email", message));
    }
    let now = writer.scope().clock().now();
    let before = writer
        .find::<invitation::Entity>()
        .filter(invitation::Column::Email.eq(address))
        .filter(invitation::Column::Status.eq(Status::Pending));
    if let Some(before) = writer.one(before).await? {
        if status(&before, now) == Status::Pending {
            let message = "This person is invited already: use resendInvitation.";
            return Err(Error::refused(Code::Taken, "email", message));
        }
        settle(writer, before, Status::Expired).await?;
    }
    let inviter = writer.scope().author().user().ok_or_else(|| {
        Error::Internal("an invitation by nobody, who could not be asked for their rights".into())
    })?;
    let invitation = writer
        .insert(invitation::ActiveModel {
            id: Set(InvitationId::random()),
            email: Set(address.to_owned()),
            role: Set(role.to_owned()),
            status: Set(Status::Pending),
            invited_by: Set(inviter),
            created_at: Set(now),
            updated_at: Set(now),
            expires_at: Set(now + LIFETIME),
            settled_at: Set(None),
            ..Default::default()
        })
        .await?;
    writer.mail(letter(organization, &invitation)).await?;
    Ok(invitation)
}

/// What the log is told of an invitation: not the address, which is a person's.
pub(super) fn told(invitation: &Invitation) -> Change {
    Change::new(ChangeKind::InvitationCreated, invitation.id)
        .with(json!({ "role": invitation.role }))
}

/// Ends an invitation, whose token opens nothing any more.
pub(super) async fn settle<P>(
    writer: &Writer<P>,
    invitation: Invitation,
    status: Status,
) -> Result<Invitation> {
    let now = writer.scope().clock().now();
    let update = writer
        .change::<invitation::Entity>()
        .set(invitation::Column::Status, status)
        .set(invitation::Column::SettledAt, now)
        .set(invitation::Column::UpdatedAt, now)
        .filter(invitation::Column::Id.eq(invitation.id.uuid()));
    writer.update(update).await?;
    writer.delete(tokens_of(writer, invitation.id)).await?;
    Ok(Invitation {
        status,
        settled_at: Some(now),
        updated_at: now,
        ..invitation
    })
}

#[derive(FromQueryResult)]
struct Known {
    members: i64,
}

/// The invitation, if nothing became of it yet; one that expired can be sent once more.
async fn open<P>(writer: &Writer<P>, id: InvitationId) -> Result<Invitation> {
    let select = writer
        .find::<invitation::Entity>()
        .filter(invitation::Column::Id.eq(id.uuid()));
    let Some(invitation) = writer.one(select).await? else {
        let message = "The organization has no such invitation.";
        return Err(Error::refused(Code::NotFound, "invitationId", message));
    };
    if invitation.status != Status::Pending {
        let message = "This invitation was settled. Invite the person anew.";
        return Err(Error::refused(Code::WrongState, "invitationId", message));
    }
    Ok(invitation)
}

fn condition(of: Status, now: DateTime<Utc>) -> Condition {
    let stored = |status: Status| invitation::Column::Status.eq(status);
    let over = invitation::Column::ExpiresAt.lte(now);
    match of {
        Status::Pending => Condition::all()
            .add(stored(of))
            .add(invitation::Column::ExpiresAt.gt(now)),
        Status::Expired => Condition::any()
            .add(stored(of))
            .add(Condition::all().add(stored(Status::Pending)).add(over)),
        _ => Condition::all().add(stored(of)),
    }
}

fn tokens_of<P>(
    writer: &Writer<P>,
    id: InvitationId,
) -> crate::scope::ScopedDelete<invitation_token::Entity> {
    writer
        .removal::<invitation_token::Entity>()
        .filter(invitation_token::Column::InvitationId.eq(id.uuid()))
}

fn letter(organization: &Organization, invitation: &Invitation) -> Mail {
    let [of, which]: [Uuid; 2] = [organization.id.uuid(), invitation.id.uuid()];
    Mail::new(Kind::Invitation, &*invitation.email)
        .with(ROW[0], of.to_string())
        .with(ROW[1], which.to_string())
        .with("organization", &*organization.name)
}
