//! Roles: those that come with every organization, and those that it makes for itself.

use entity::organizations::role;
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, Set};
use serde_json::json;

pub use entity::organizations::role::Model as Role;

use super::{access, slug};
use crate::{
    BuiltInRole, Change, ChangeKind, Code, Error, Permission, Permissions, Problem, Reader, Result,
    Writer,
    permission::{MembersRead, RolesCreate, RolesDelete, RolesUpdate},
    text,
};

/// Roles of an organization at most.
const MOST: u64 = 100;
/// Characters of a role's slug at most.
const LONGEST: usize = 50;

/// What making a role takes.
#[derive(Clone, Debug)]
pub struct NewRole {
    /// 1 to 100 characters.
    pub name: String,
    /// Its name in the API; made from the name when none is given.
    pub slug: Option<String>,
    /// Up to 500 characters.
    pub description: String,
    /// What it is to permit.
    pub permissions: Vec<String>,
}

/// What of a role is to change; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct RolePatch {
    /// 1 to 100 characters.
    pub name: Option<String>,
    /// Up to 500 characters.
    pub description: Option<String>,
    /// All that it is to permit.
    pub permissions: Option<Vec<String>>,
}

/// The organization's roles: the built-in ones from most to least, then its own by their names.
pub async fn list(reader: &Reader<MembersRead>) -> Result<Vec<Role>> {
    let mut roles = reader.all(reader.find::<role::Entity>()).await?;
    roles.sort_by_cached_key(|role| {
        let built_in = BuiltInRole::ALL
            .iter()
            .position(|built_in| built_in.slug() == role.slug);
        (built_in.unwrap_or(usize::MAX), text::fold(&role.name))
    });
    Ok(roles)
}

/// What a role permits.
#[must_use]
pub fn permissions(role: &Role) -> Permissions {
    Permissions::of_role(&role.slug, &role.permissions)
}

/// Makes a role of the organization's own.
///
/// # Errors
/// A refusal naming every field that is wrong or taken, and for what the caller may not do themselves.
pub async fn create(writer: Writer<RolesCreate>, input: NewRole) -> Result<Role> {
    let mut problems = Vec::new();
    let name = text::required(&mut problems, "name", &input.name, 100);
    let description = text::lines(&mut problems, "description", &input.description, 500);
    let permissions = parse(&mut problems, &input.permissions);
    let slug = input.slug.unwrap_or_else(|| slug::spell(&name, LONGEST));
    if !name.is_empty() {
        problems.extend(check(&slug).err());
    }
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    access::lock(&writer).await?;
    access::require(&writer, permissions, "permissions")?;
    let present = writer.find::<role::Entity>();
    if writer.count(present, MOST).await? >= MOST {
        return Err(Error::refused(
            Code::TooLong,
            "",
            format!("An organization has at most {MOST} roles. Remove one first."),
        ));
    }
    if find(&writer, &slug).await?.is_some() {
        let message = "There is a role of this slug. Choose another.";
        return Err(Error::refused(Code::Taken, "slug", message));
    }
    let role = writer
        .insert(role::ActiveModel {
            slug: Set(slug),
            name: Set(name),
            built_in: Set(false),
            description: Set(description),
            permissions: Set(permissions.names()),
            created_at: Set(writer.scope().clock().now()),
            ..Default::default()
        })
        .await?;
    let change = Change::new(
        ChangeKind::RoleCreated,
        writer.scope().organization().uuid(),
    );
    writer.commit(change.with(told(&role))).await?;
    Ok(role)
}

/// Changes a role of the organization's own. What it permits holds from everybody's very next request.
///
/// # Errors
/// As [`create`]; a refusal for a role that is built in, or not there.
pub async fn update(writer: Writer<RolesUpdate>, slug: &str, patch: RolePatch) -> Result<Role> {
    let mut problems = Vec::new();
    let mut update = writer
        .change::<role::Entity>()
        .filter(role::Column::Slug.eq(slug));
    if let Some(name) = &patch.name {
        let name = text::required(&mut problems, "name", name, 100);
        update = update.set(role::Column::Name, name);
    }
    if let Some(description) = &patch.description {
        let description = text::lines(&mut problems, "description", description, 500);
        update = update.set(role::Column::Description, description);
    }
    let mut granted = Permissions::default();
    if let Some(permissions) = &patch.permissions {
        granted = parse(&mut problems, permissions);
        update = update.set(role::Column::Permissions, granted.names());
    }
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    access::lock(&writer).await?;
    let role = own(&writer, slug).await?;
    access::require(&writer, permissions(&role), "slug")?;
    access::require(&writer, granted, "permissions")?;
    if patch.name.is_none() && patch.description.is_none() && patch.permissions.is_none() {
        return Ok(role);
    }
    writer.update(update).await?;
    let role = own(&writer, slug).await?;
    let change = Change::new(
        ChangeKind::RoleUpdated,
        writer.scope().organization().uuid(),
    );
    writer.commit(change.with(told(&role))).await?;
    Ok(role)
}

/// Removes a role of the organization's own that nobody holds.
///
/// # Errors
/// A refusal for a role that is built in, held, above the caller's own, or not there.
pub async fn delete(writer: Writer<RolesDelete>, slug: &str) -> Result<Role> {
    access::lock(&writer).await?;
    let role = own(&writer, slug).await?;
    access::require(&writer, permissions(&role), "slug")?;
    let holders: Vec<Holders> = writer
        .rows(
            "SELECT (SELECT count(*) FROM members WHERE organization_id = $1 AND role = $2)
                 + (SELECT count(*) FROM member_roles WHERE organization_id = $1 AND role = $2) AS members,
                 (SELECT count(*) FROM team_roles WHERE organization_id = $1 AND role = $2) AS teams",
            vec![slug.into()],
        )
        .await?;
    if let Some(Holders { members, teams }) = holders.first()
        && members + teams > 0
    {
        return Err(Error::refused(
            Code::WrongState,
            "slug",
            format!("{members} members and {teams} teams hold this role. Take it from them first."),
        ));
    }
    let removal = writer
        .removal::<role::Entity>()
        .filter(role::Column::Slug.eq(slug));
    writer.delete(removal).await?;
    let change = Change::new(
        ChangeKind::RoleDeleted,
        writer.scope().organization().uuid(),
    );
    writer.commit(change.with(told(&role))).await?;
    Ok(role)
}

/// The role of this slug, if the caller may grant it and take it away.
///
/// # Errors
/// A refusal at the input field `field` for a role that is not there, is the owner's, or permits what
/// the caller may not do.
pub(super) async fn grantable<P>(
    writer: &Writer<P>,
    slug: &str,
    field: &'static str,
) -> Result<Role> {
    let Some(role) = find(writer, slug).await? else {
        let message = "The organization has no such role.";
        return Err(Error::refused(Code::NotFound, field, message));
    };
    if role.slug == BuiltInRole::Owner.slug() {
        return Err(Error::refused(
            Code::LastOwner,
            field,
            "An organization has one owner: give another role, or use transferOwnership.",
        ));
    }
    access::require(writer, permissions(&role), field)?;
    Ok(role)
}

/// The role of this slug.
pub(super) async fn find<P>(writer: &Writer<P>, slug: &str) -> Result<Option<Role>> {
    // PostgreSQL would not even be asked for a NUL.
    if !slug.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(None);
    }
    let select = writer
        .find::<role::Entity>()
        .filter(role::Column::Slug.eq(slug));
    writer.one(select).await
}

/// The role of this slug, if it is one of the organization's own.
async fn own<P>(writer: &Writer<P>, slug: &str) -> Result<Role> {
    match find(writer, slug).await? {
        None => Err(Error::refused(
            Code::NotFound,
            "slug",
            "The organization has no such role.",
        )),
        Some(role) if role.built_in => Err(Error::refused(
            Code::WrongState,
            "slug",
            "A role that comes with every organization stays as it is. Make one of your own.",
        )),
        Some(role) => Ok(role),
    }
}

#[derive(FromQueryResult)]
struct Holders {
    members: i64,
    teams: i64,
}

fn check(slug: &str) -> Result<(), Problem> {
    slug::check(slug)?;
    if slug.len() > LONGEST {
        let message = format!("A role's slug has at most {LONGEST} characters.");
        return Err(Problem::new(Code::TooLong, "slug", message));
    }
    Ok(())
}

/// The permissions of these names, and that of seeing the organization, which every role permits, and
/// every key has.
pub(super) fn parse(problems: &mut Vec<Problem>, names: &[String]) -> Permissions {
    let mut permissions = vec![Permission::OrganizationRead];
    if names.len() > Permission::ALL.len() {
        let message = "This names more permissions than there are.";
        problems.push(Problem::new(Code::TooLong, "permissions", message));
        return Permissions::default();
    }
    for name in names {
        let problem = match Permission::parse(name) {
            None => {
                "There is no such permission. Use the names that schema.graphql has in @requires."
            }
            Some(permission) if permission.is_the_owners() => {
                "This is the owner's alone, and cannot be permitted otherwise."
            }
            Some(permission) => {
                permissions.push(permission);
                continue;
            }
        };
        problems.push(Problem::new(Code::Invalid, "permissions", problem));
        break;
    }
    permissions.into_iter().collect()
}

/// Roles have no id: the log names them by their slug.
fn told(role: &Role) -> serde_json::Value {
    json!({ "role": role.slug, "permissions": role.permissions })
}
