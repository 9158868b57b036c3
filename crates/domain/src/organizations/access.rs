//! What members may do, and why: through which role, and which team.

use entity::{
    identity::user::UserId,
    organizations::{member, organization},
};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QuerySelect, sea_query::LockType};

pub use entity::organizations::{member::MemberId, team::TeamId};

use crate::{
    Code, Error, Permissions, Reader, Result, Writer, permission::OrganizationRead, scope,
};

/// A role that a member holds.
#[derive(Clone, Debug, FromQueryResult)]
pub struct HeldRole {
    /// Who.
    pub member_id: MemberId,
    /// Slug of the role.
    pub role: String,
    /// Its name for people.
    pub name: String,
    /// What one of the organization's own permits.
    permissions: String,
    /// Through which team; none for a role of their own.
    pub team_id: Option<TeamId>,
    /// That team's name.
    pub team_name: Option<String>,
}

impl HeldRole {
    /// What the role permits.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        Permissions::of_role(&self.role, &self.permissions)
    }
}

/// The roles that these members hold, their own before those that come with a team. What all of them
/// permit together is what a member may do.
pub async fn held(
    reader: &Reader<OrganizationRead>,
    members: &[MemberId],
) -> Result<Vec<HeldRole>> {
    reader
        .rows_of(
            "WITH RECURSIVE within AS (
                SELECT member_id, team_id FROM team_members WHERE organization_id = $1 AND member_id {in $2}
                UNION SELECT member_id, (SELECT parent_id FROM teams WHERE organization_id = $1 AND id = team_id) FROM within
                    WHERE team_id IS NOT NULL
            ), held AS (
                SELECT id AS member_id, role, CAST(NULL AS uuid) AS team_id FROM members WHERE organization_id = $1 AND id {in $2}
                UNION SELECT member_id, role, NULL FROM member_roles WHERE organization_id = $1 AND member_id {in $2}
                UNION SELECT member_id, role, team_roles.team_id
                    FROM within CROSS JOIN team_roles WHERE organization_id = $1 AND team_roles.team_id = within.team_id
            )
            SELECT held.member_id, held.role, roles.name, roles.permissions, held.team_id, teams.name AS team_name FROM held
            JOIN roles ON roles.organization_id = $1 AND roles.slug = held.role
            LEFT JOIN teams ON teams.organization_id = $1 AND teams.id = held.team_id
            ORDER BY teams.name IS NOT NULL, teams.name, held.role",
            members.iter().map(|id| id.uuid()).collect(),
            vec![],
        )
        .await
}

/// The roles that the viewer themselves holds here; none for whoever is no person.
pub async fn of_viewer(reader: &Reader<OrganizationRead>) -> Result<Vec<HeldRole>> {
    let Some(user) = reader.scope().author().user() else {
        return Ok(Vec::new());
    };
    let own = reader
        .find::<member::Entity>()
        .filter(member::Column::UserId.eq(user.uuid()));
    let ids: Vec<MemberId> = reader.all(own).await?.iter().map(|row| row.id).collect();
    held(reader, &ids).await
}

/// Locks the organization against every other change of who may do what: each begins with this, so that
/// none goes by what another is about to change. Not so strongly that rows which only name the
/// organization wait, such as those of a commit that is numbered already: the two would wait for each other.
pub(super) async fn lock<P>(writer: &Writer<P>) -> Result<organization::Model> {
    writer
        .required(
            writer
                .find::<organization::Entity>()
                .lock(LockType::NoKeyUpdate),
        )
        .await
}

/// What a member may do at this moment.
pub(super) async fn of_user<P>(writer: &Writer<P>, user: UserId) -> Result<Permissions> {
    let sql = format!("SELECT {} AS roles", scope::roles_of("$1", "$2"));
    permitted(writer, &sql, user.uuid()).await
}

/// What everybody in a team may do for being there.
pub(super) async fn of_team<P>(writer: &Writer<P>, team: TeamId) -> Result<Permissions> {
    let sql = "SELECT string_agg(slug || ' ' || permissions, ',') AS roles FROM roles WHERE organization_id = $1 AND slug IN (
        WITH RECURSIVE within AS (
            SELECT id AS team_id FROM teams WHERE organization_id = $1 AND id = $2
            UNION SELECT (SELECT parent_id FROM teams WHERE organization_id = $1 AND id = team_id) FROM within WHERE team_id IS NOT NULL
        )
        SELECT role FROM within CROSS JOIN team_roles WHERE organization_id = $1 AND team_roles.team_id = within.team_id
    )";
    permitted(writer, sql, team.uuid()).await
}

/// Refuses to give or take what the caller may not do themselves.
///
/// # Errors
/// [`Code::AboveOwnRole`], at the input field `field`.
pub(super) fn require<P>(
    writer: &Writer<P>,
    permissions: Permissions,
    field: &'static str,
) -> Result<()> {
    let own = writer.scope().permissions();
    let Some(lacking) = permissions.iter().find(|permission| !own.has(*permission)) else {
        return Ok(());
    };
    Err(Error::refused(
        Code::AboveOwnRole,
        field,
        format!(
            "You cannot grant or take away what you may not do yourself, which here is {lacking}."
        ),
    ))
}

#[derive(FromQueryResult)]
struct Held {
    roles: Option<String>,
}

async fn permitted<P>(writer: &Writer<P>, sql: &str, subject: uuid::Uuid) -> Result<Permissions> {
    let held: Vec<Held> = writer.rows(sql, vec![subject.into()]).await?;
    let roles = held.into_iter().find_map(|held| held.roles);
    Ok(Permissions::of_roles(&roles.unwrap_or_default()))
}
