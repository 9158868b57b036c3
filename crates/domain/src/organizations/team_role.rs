//! The roles that come with being in a team.

use entity::organizations::team_role;
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, Set};
use serde_json::json;

pub use entity::organizations::team_role::Model as TeamRole;

use super::{
    access, role,
    team::{self, Team, TeamId},
};
use crate::{
    Change, ChangeKind, Code, Error, Reader, Result, Writer,
    permission::{TeamsRead, TeamsUpdate},
};

/// Roles that come with one team at most.
const MOST: u64 = 20;

/// The roles that come with these teams by themselves, not through those that they are part of.
pub async fn load(reader: &Reader<TeamsRead>, teams: &[TeamId]) -> Result<Vec<TeamRole>> {
    let ids = teams.iter().map(|id| id.uuid()).collect();
    let among = reader.any(team_role::Column::TeamId, ids).await?;
    let select = reader.find::<team_role::Entity>().filter(among);
    reader
        .all(select.order_by_asc(team_role::Column::Role))
        .await
}

/// Makes a role come with a team, from its members' very next request. One that does already stays.
///
/// # Errors
/// A refusal for a team that is not there, and for a role that the caller cannot grant.
pub async fn grant(writer: Writer<TeamsUpdate>, id: TeamId, slug: &str) -> Result<Team> {
    access::lock(&writer).await?;
    let team = team::find(&writer, id, "teamId").await?;
    let role = role::grantable(&writer, slug, "role").await?;
    let present = writer
        .find::<team_role::Entity>()
        .filter(team_role::Column::TeamId.eq(id.uuid()));
    let present = writer.all(present).await?;
    if present.iter().any(|present| present.role == role.slug) {
        return Ok(team);
    }
    if present.len() as u64 >= MOST {
        return Err(Error::refused(
            Code::TooLong,
            "role",
            format!("At most {MOST} roles come with a team. Make one that permits as much."),
        ));
    }
    writer
        .insert(team_role::ActiveModel {
            team_id: Set(id),
            role: Set(role.slug),
            created_at: Set(writer.scope().clock().now()),
            ..Default::default()
        })
        .await?;
    let change = Change::new(ChangeKind::TeamRoleGranted, id).with(json!({ "role": slug }));
    writer.commit(change).await?;
    Ok(team)
}

/// Makes a role come with a team no more. One that does not is no error.
///
/// # Errors
/// As [`grant`].
pub async fn withdraw(writer: Writer<TeamsUpdate>, id: TeamId, slug: &str) -> Result<Team> {
    access::lock(&writer).await?;
    let team = team::find(&writer, id, "teamId").await?;
    role::grantable(&writer, slug, "role").await?;
    let removal = writer
        .removal::<team_role::Entity>()
        .filter(team_role::Column::TeamId.eq(id.uuid()))
        .filter(team_role::Column::Role.eq(slug));
    if writer.delete(removal).await? == 0 {
        return Ok(team);
    }
    let change = Change::new(ChangeKind::TeamRoleWithdrawn, id).with(json!({ "role": slug }));
    writer.commit(change).await?;
    Ok(team)
}
