//! Access: who may do what in an organization.

use chrono::{DateTime, Utc};
use entity::{
    events::event,
    identity::user::UserId,
    organizations::{
        member,
        organization::{self, OrganizationId},
        role,
    },
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect, Set, Value};

pub use entity::organizations::{
    member::{MemberId, Model as Member},
    role::Model as Role,
};

use super::organization::{Organization, Status};
use crate::{
    BuiltInRole, Change, ChangeKind, Code, Error, Permissions, Reader, Result, Scope, Viewer,
    Writer,
    identity::email,
    page::{Key, Page, PageRequest},
    permission::{MembersCreate, MembersDelete, MembersRead, MembersUpdate},
    scope::{Shape, Sort, Standing, Table},
};

/// Organizations a person sees in their list at most.
const MOST: u64 = 200;

/// The door into an organization: the one the viewer's request acts in, with what they may do there
/// at this moment.
///
/// # Errors
/// [`Error::NoOrganization`] when neither the request nor its session names one;
/// [`Error::NotFound`] when it is not there or the viewer does not belong to it: the same answer.
pub async fn enter(viewer: &Viewer) -> Result<Scope> {
    let organization = viewer.organization().ok_or(Error::NoOrganization)?;
    let own = viewer.begin(false).await?;
    let membership = own
        .find::<member::Entity>()
        .filter(member::Column::OrganizationId.eq(organization.uuid()));
    let member = own.all(membership).await?.pop().ok_or(Error::NotFound)?;
    let organization = own
        .organizations(vec![organization.uuid()])
        .await?
        .pop()
        .ok_or(Error::NotFound)?;
    Ok(open(
        viewer,
        organization.id,
        &member.role,
        organization.status,
    ))
}

/// The same door for somebody whose standing was read with their credential.
///
/// # Errors
/// As [`enter`].
pub fn admit(viewer: &Viewer, standing: Option<&Standing>) -> Result<Scope> {
    match standing {
        Some(standing) => {
            let Standing {
                organization,
                role,
                status,
                ..
            } = standing;
            Ok(open(viewer, *organization, role, *status))
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

/// What a role permits.
#[must_use]
pub fn permissions(role: &str) -> Permissions {
    BuiltInRole::parse(role)
        .map(BuiltInRole::permissions)
        .unwrap_or_default()
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

/// The organization's roles, from most to least.
pub async fn roles(reader: &Reader<MembersRead>) -> Result<Vec<Role>> {
    let mut roles = reader.all(reader.find::<role::Entity>()).await?;
    roles.sort_by_key(|role| {
        BuiltInRole::ALL
            .iter()
            .position(|built_in| built_in.slug() == role.slug)
            .unwrap_or(usize::MAX)
    });
    Ok(roles)
}

/// Gives the account with this address access, under a role.
///
/// # Errors
/// A refusal when there is no such account, it has access already, or the role permits what the
/// caller may not do themselves.
pub async fn add(writer: Writer<MembersCreate>, address: &str, role: &str) -> Result<Member> {
    grantable(&writer, role, "role")?;
    let address = email::check(address).map_err(|problem| Error::Refused(vec![problem]))?;
    let user = writer
        .rows::<Found>(
            // The tenant stands in the text though `users` has none: the same statement says
            // whether the person is a member already.
            "SELECT users.id, members.id AS member_id FROM users
             LEFT JOIN members ON members.user_id = users.id AND members.organization_id = $1
             WHERE users.email = $2 AND users.deleted_at IS NULL",
            vec![Value::from(address)],
        )
        .await?
        .pop()
        .ok_or_else(|| {
            Error::refused(
                Code::NotFound,
                "email",
                "No account has this address: ask them to sign up first.",
            )
        })?;
    if user.member_id.is_some() {
        return Err(Error::refused(
            Code::Taken,
            "email",
            "This person is a member already.",
        ));
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
    grantable(&writer, role, "role")?;
    let member = subject(&writer, id).await?;
    let update = writer
        .change::<member::Entity>()
        .set(member::Column::Role, role.to_owned())
        .set(member::Column::UpdatedAt, writer.scope().clock().now())
        .filter(member::Column::Id.eq(id.uuid()));
    writer.update(update).await?;
    let change = Change::new(ChangeKind::MemberRoleChanged, id).with(
        serde_json::json!({ "userId": member.user_id.uuid(), "from": member.role, "to": role }),
    );
    writer.commit(change).await?;
    Ok(Member {
        role: role.to_owned(),
        ..member
    })
}

/// Takes a member's access away, from their very next request; open streams end.
///
/// # Errors
/// A refusal for the owner and for a member above oneself.
pub async fn remove(writer: Writer<MembersDelete>, id: MemberId) -> Result<Member> {
    let member = subject(&writer, id).await?;
    let hosted = writer
        .change::<event::Entity>()
        .set(event::Column::HostId, None::<uuid::Uuid>)
        .filter(event::Column::HostId.eq(id.uuid()));
    writer.update(hosted).await?;
    let removal = writer
        .removal::<member::Entity>()
        .filter(member::Column::Id.eq(id.uuid()));
    writer.delete(removal).await?;
    let change = Change::new(ChangeKind::MemberRemoved, id)
        .with(serde_json::json!({ "userId": member.user_id.uuid() }));
    writer.commit(change).await?;
    Ok(member)
}

/// A new membership, for whichever organization it is inserted.
pub(super) fn row(user: UserId, role: &str, now: DateTime<Utc>) -> member::ActiveModel {
    member::ActiveModel {
        id: Set(MemberId::random()),
        user_id: Set(user),
        role: Set(role.to_owned()),
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

fn open(viewer: &Viewer, organization: OrganizationId, role: &str, status: Status) -> Scope {
    let writable = matches!(status, Status::Trial | Status::Active);
    viewer.scope(organization, permissions(role), writable)
}

#[derive(sea_orm::FromQueryResult)]
struct Found {
    id: UserId,
    member_id: Option<MemberId>,
}

/// Refuses a role that is not there, is the owner's, or permits what the caller may not do.
fn grantable<P>(writer: &Writer<P>, role: &str, field: &'static str) -> Result<()> {
    let Some(built_in) = BuiltInRole::parse(role) else {
        return Err(Error::refused(
            Code::NotFound,
            field,
            "The organization has no such role.",
        ));
    };
    if built_in == BuiltInRole::Owner {
        return Err(Error::refused(
            Code::LastOwner,
            field,
            "An organization has one owner: give another role, or use transferOwnership.",
        ));
    }
    if !writer
        .scope()
        .permissions()
        .includes(built_in.permissions())
    {
        return Err(Error::refused(
            Code::AboveOwnRole,
            field,
            "You cannot grant what you may not do yourself.",
        ));
    }
    Ok(())
}

/// The member to change, locked, if the caller may change them.
async fn subject<P>(writer: &Writer<P>, id: MemberId) -> Result<Member> {
    // The organization's row is locked first on every path that could leave it without an owner.
    writer
        .one(writer.find::<organization::Entity>().lock_exclusive())
        .await?;
    let member = writer
        .one(
            writer
                .find::<member::Entity>()
                .filter(member::Column::Id.eq(id.uuid())),
        )
        .await?
        .ok_or_else(|| {
            Error::refused(
                Code::NotFound,
                "memberId",
                "The organization has no such member.",
            )
        })?;
    if member.role == BuiltInRole::Owner.slug() {
        return Err(Error::refused(
            Code::LastOwner,
            "memberId",
            "The owner's role and access cannot be changed: make another member the owner first, with transferOwnership.",
        ));
    }
    if !writer
        .scope()
        .permissions()
        .includes(permissions(&member.role))
    {
        return Err(Error::refused(
            Code::AboveOwnRole,
            "memberId",
            "This member may do more than you.",
        ));
    }
    Ok(member)
}
