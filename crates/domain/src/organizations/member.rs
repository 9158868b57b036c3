//! Access: who may do what in an organization.

use chrono::{DateTime, Utc};
use entity::{
    events::event,
    identity::user::UserId,
    organizations::{member, organization::OrganizationId},
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, Set, Value};
use serde_json::{Value as Json, json};

pub use entity::organizations::member::{MemberId, Model as Member};

use super::{
    access, metadata,
    organization::{Organization, Status},
    role,
};
use crate::{
    BuiltInRole, Change, ChangeKind, Code, Error, Permissions, Reader, Result, Scope, System,
    Viewer, Writer,
    identity::email,
    page::{Key, Page, PageRequest},
    permission::{MembersCreate, MembersDelete, MembersRead, MembersUpdate},
    scope::{Shape, Sort, Standing, Table},
    text,
};

/// Organizations a person sees in their list at most.
const MOST: u64 = 200;

/// What of a member is to change; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct MemberPatch {
    /// What another system knows them by, up to 255 characters, or nothing.
    pub external_id: Option<Option<String>>,
    /// An object of at most 16 KiB, which replaces the present one.
    pub metadata: Option<Json>,
}

/// The door into an organization: the one the viewer's request acts in, with what they may do there
/// at this moment.
///
/// # Errors
/// [`Error::NoOrganization`] when neither the request nor its session names one;
/// [`Error::NotFound`] when it is not there or the viewer does not belong to it: the same answer.
pub async fn enter(viewer: &Viewer) -> Result<Scope> {
    admit(viewer, viewer.standing().await?.as_ref())
}

/// The same door for somebody whose standing was read with their credential.
///
/// # Errors
/// As [`enter`].
pub fn admit(viewer: &Viewer, standing: Option<&Standing>) -> Result<Scope> {
    match standing {
        Some(standing) => {
            let writable = matches!(standing.status, Status::Trial | Status::Active);
            let withheld = if viewer.require_second_factor().is_ok() {
                Permissions::default()
            } else {
                standing.withheld
            };
            let permissions = standing.permissions.without(withheld);
            Ok(viewer.scope(standing.organization, permissions, withheld, writable))
        }
        None if viewer.organization().is_none() => Err(Error::NoOrganization),
        None => Err(Error::NotFound),
    }
}

/// The viewer's memberships with their organizations, oldest first.
pub async fn of_viewer(viewer: &Viewer) -> Result<Vec<(Member, Organization)>> {
    let own = viewer.begin(false).await?;
    let select = own
        .find::<member::Entity>()
        .order_by_asc(member::Column::CreatedAt)
        .limit(MOST);
    let members = own.all(select).await?;
    let organizations = own
        .organizations(
            members
                .iter()
                .map(|member| member.organization_id.uuid())
                .collect(),
        )
        .await?;
    Ok(members
        .into_iter()
        .filter_map(|member| {
            let organization = organizations
                .iter()
                .find(|organization| organization.id == member.organization_id)?;
            Some((member, organization.clone()))
        })
        .collect())
}

/// The organization's members, oldest first.
pub async fn list(reader: &Reader<MembersRead>, request: &PageRequest) -> Result<Page<Member>> {
    reader
        .page(reader.find::<member::Entity>(), sort(), request, |row| {
            (Key::Time(row.created_at), row.id.uuid())
        })
        .await
}

/// The same as JSON in this shape.
pub async fn written(
    reader: &Reader<MembersRead>,
    request: &PageRequest,
    shape: &Shape,
) -> Result<String> {
    reader
        .written_page(reader.find::<member::Entity>(), &sort(), request, shape)
        .await
}

/// The table of members.
#[must_use]
pub fn table() -> Table {
    Table::of::<member::Entity, MembersRead>()
}

/// How many members there are, counted up to `cap`.
pub async fn count(reader: &Reader<MembersRead>, cap: u64) -> Result<u64> {
    reader.count(reader.find::<member::Entity>(), cap).await
}

/// Those of `members` that are the organization's.
pub async fn load(reader: &Reader<MembersRead>, members: &[MemberId]) -> Result<Vec<Member>> {
    let among = reader
        .any(
            member::Column::Id,
            members.iter().map(|id| id.uuid()).collect(),
        )
        .await?;
    reader
        .all(reader.find::<member::Entity>().filter(among))
        .await
}

/// Gives the account with this address access, under a role. An address that is not proved to be the
/// account's names nobody: it may be a stranger who gave it.
///
/// # Errors
/// A refusal when there is no such account, it has access already, or the role permits what the
/// caller may not do themselves.
pub async fn add(writer: Writer<MembersCreate>, address: &str, role: &str) -> Result<Member> {
    access::lock(&writer).await?;
    role::grantable(&writer, role, "role").await?;
    let address = email::check(address).map_err(|problem| Error::Refused(vec![problem]))?;
    let user = writer
        .rows::<Found>(
            // The tenant stands in the text though `users` has none: the same statement says
            // whether the person is a member already.
            "SELECT users.id, members.id AS member_id FROM users
             LEFT JOIN members ON members.user_id = users.id AND members.organization_id = $1
             WHERE users.email = $2 AND users.email_verified_at IS NOT NULL AND users.deleted_at IS NULL",
            vec![Value::from(address)],
        )
        .await?
        .pop();
    let stranger = || {
        Error::refused(
            Code::NotFound,
            "email",
            "No account is known to have this address: invite it with createInvitation.",
        )
    };
    let user = user.ok_or_else(stranger)?;
    if user.member_id.is_some() {
        return Err(Error::refused(
            Code::Taken,
            "email",
            "This person is a member already.",
        ));
    }
    if !writer.keep_account(user.id).await? {
        return Err(stranger());
    }
    let now = writer.scope().clock().now();
    let member = writer.insert(row(user.id, role, now)).await?;
    writer
        .commit(Change::new(ChangeKind::MemberAdded, member.id))
        .await?;
    Ok(member)
}

/// Gives a member another role. It holds from their very next request.
///
/// # Errors
/// A refusal for the owner, for a role above one's own, for a member above oneself.
pub async fn change_role(
    writer: Writer<MembersUpdate>,
    id: MemberId,
    role: &str,
) -> Result<Member> {
    access::lock(&writer).await?;
    role::grantable(&writer, role, "role").await?;
    let member = subject(&writer, id).await?;
    let update = writer
        .change::<member::Entity>()
        .set(member::Column::Role, role.to_owned())
        .set(member::Column::UpdatedAt, writer.scope().clock().now())
        .filter(member::Column::Id.eq(id.uuid()));
    writer.update(update).await?;
    let change = Change::new(ChangeKind::MemberRoleChanged, id)
        .with(json!({ "userId": member.user_id.uuid(), "from": member.role, "to": role }));
    writer.commit(change).await?;
    Ok(Member {
        role: role.to_owned(),
        ..member
    })
}

/// Changes what the organization keeps about a member.
///
/// # Errors
/// A refusal naming every field that is wrong or taken.
pub async fn update(
    writer: Writer<MembersUpdate>,
    id: MemberId,
    patch: MemberPatch,
) -> Result<Member> {
    let mut problems = Vec::new();
    let mut update = writer
        .change::<member::Entity>()
        .set(member::Column::UpdatedAt, writer.scope().clock().now())
        .filter(member::Column::Id.eq(id.uuid()));
    if let Some(external_id) = patch.external_id {
        let external_id = external_id
            .map(|external_id| text::required(&mut problems, "externalId", &external_id, 255));
        update = update.set(member::Column::ExternalId, external_id);
    }
    if let Some(metadata) = patch.metadata {
        metadata::check(&mut problems, &metadata);
        update = update.set(member::Column::Metadata, metadata);
    }
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    access::lock(&writer).await?;
    find(&writer, id).await?;
    let taken = "Another member has this external id.";
    let updated = writer.update(update).await;
    updated.map_err(|error| error.or_taken("externalId", taken))?;
    let member = find(&writer, id).await?;
    let change =
        Change::new(ChangeKind::MemberUpdated, id).with(json!({ "userId": member.user_id.uuid() }));
    writer.commit(change).await?;
    Ok(member)
}

/// Takes a member's access away, from their very next request; open streams end.
///
/// # Errors
/// A refusal for the owner and for a member above oneself.
pub async fn remove(writer: Writer<MembersDelete>, id: MemberId) -> Result<Member> {
    access::lock(&writer).await?;
    let member = subject(&writer, id).await?;
    end(writer, member, ChangeKind::MemberRemoved).await
}

/// Gives the viewer's own access to an organization up.
///
/// # Errors
/// A refusal for the owner, and for somebody who does not belong to it.
pub async fn leave(viewer: &Viewer, organization: OrganizationId) -> Result<Member> {
    // Whoever belongs may go, whatever their roles permit: it is done by Rollcall, on their behalf.
    let system = System::new(&viewer.db, "leave an organization");
    let scope = system.scope_for(viewer, organization);
    let writer = scope.writer::<MembersDelete>().await?;
    let stranger = || {
        Error::refused(
            Code::NotFound,
            "organizationId",
            "You belong to no such organization.",
        )
    };
    access::lock(&writer).await.map_err(|error| match error {
        Error::NotFound => stranger(),
        other => other,
    })?;
    let own = writer
        .find::<member::Entity>()
        .filter(member::Column::UserId.eq(viewer.user().uuid()));
    let member = writer.one(own).await?.ok_or_else(stranger)?;
    if member.role == BuiltInRole::Owner.slug() {
        return Err(Error::refused(
            Code::LastOwner,
            "organizationId",
            "You own it: make another member the owner first, with transferOwnership.",
        ));
    }
    end(writer, member, ChangeKind::MemberLeft).await
}

/// Gives a user access within a running unit of work that holds the organization's lock.
///
/// # Errors
/// A refusal for somebody who has it already.
pub(super) async fn admit_user<P>(writer: &Writer<P>, user: UserId, role: &str) -> Result<Member> {
    let present = writer
        .find::<member::Entity>()
        .filter(member::Column::UserId.eq(user.uuid()));
    if writer.one(present).await?.is_some() {
        let message = "You are a member already.";
        return Err(Error::refused(Code::Taken, "", message));
    }
    if !writer.keep_account(user).await? {
        return Err(Error::Unauthenticated);
    }
    writer
        .insert(row(user, role, writer.scope().clock().now()))
        .await
}

/// A new membership, for whichever organization it is inserted.
pub(super) fn row(user: UserId, role: &str, now: DateTime<Utc>) -> member::ActiveModel {
    member::ActiveModel {
        id: Set(MemberId::random()),
        user_id: Set(user),
        role: Set(role.to_owned()),
        external_id: Set(None),
        metadata: Set(json!({})),
        joined_at: Set(now),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    }
}

fn sort() -> Sort<member::Entity> {
    Sort {
        column: member::Column::CreatedAt,
        id: member::Column::Id,
        descending: false,
        list: "members".to_owned(),
        of: None,
    }
}

#[derive(sea_orm::FromQueryResult)]
struct Found {
    id: UserId,
    member_id: Option<MemberId>,
}

/// The member to change, if the caller may change them: they hold the organization's lock.
///
/// # Errors
/// A refusal for one who is not there, for the owner, and for one who may do more than the caller.
pub(super) async fn subject<P>(writer: &Writer<P>, id: MemberId) -> Result<Member> {
    let member = find(writer, id).await?;
    if member.role == BuiltInRole::Owner.slug() {
        return Err(Error::refused(
            Code::LastOwner,
            "memberId",
            "The owner's role and access cannot be changed: make another member the owner first, with transferOwnership.",
        ));
    }
    let permissions = access::of_user(writer, member.user_id).await?;
    access::require(writer, permissions, "memberId")?;
    Ok(member)
}

/// The member.
///
/// # Errors
/// A refusal for one who is not there.
pub(super) async fn find<P>(writer: &Writer<P>, id: MemberId) -> Result<Member> {
    let select = writer
        .find::<member::Entity>()
        .filter(member::Column::Id.eq(id.uuid()));
    writer.one(select).await?.ok_or_else(|| {
        Error::refused(
            Code::NotFound,
            "memberId",
            "The organization has no such member.",
        )
    })
}

/// Ends a membership. Their further roles and their places in teams go with it; what they hosted stays.
pub(super) async fn end<P>(writer: Writer<P>, member: Member, kind: ChangeKind) -> Result<Member> {
    let hosted = writer
        .change::<event::Entity>()
        .set(event::Column::HostId, None::<uuid::Uuid>)
        .filter(event::Column::HostId.eq(member.id.uuid()));
    writer.update(hosted).await?;
    let removal = writer
        .removal::<member::Entity>()
        .filter(member::Column::Id.eq(member.id.uuid()));
    writer.delete(removal).await?;
    let change = Change::new(kind, member.id).with(json!({ "userId": member.user_id.uuid() }));
    writer.commit(change).await?;
    Ok(member)
}
