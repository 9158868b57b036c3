//! Who is in which team.

use entity::organizations::{member::MemberId, team_member};
use sea_orm::{ColumnTrait, QueryFilter, Set};
use serde_json::json;
use uuid::Uuid;

pub use entity::organizations::team_member::{Model as TeamMember, TeamMemberId};

use super::{
    access, member,
    team::{self, TeamId},
};
use crate::{
    Change, ChangeKind, Code, Error, Reader, Result, Writer,
    page::{Key, Page, PageRequest},
    permission::{TeamsRead, TeamsUpdate},
    scope::{Listing, Sort, Table},
};

/// Teams that one member is in at most: each is looked up when they ask for something.
const MOST: u64 = 50;

/// Whose list of places in teams it is.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    /// Who is in a team.
    Team(TeamId),
    /// Which teams a member is in.
    Member(MemberId),
}

/// The places in teams of a member, or in a team, oldest first.
pub async fn list(
    reader: &Reader<TeamsRead>,
    of: Of,
    request: &PageRequest,
) -> Result<Page<TeamMember>> {
    let (column, id) = match of {
        Of::Team(id) => (team_member::Column::TeamId, id.uuid()),
        Of::Member(id) => (team_member::Column::MemberId, id.uuid()),
    };
    let select = reader.find::<team_member::Entity>().filter(column.eq(id));
    reader.page(select, sort(column, id), request, key).await
}

/// The first page of who is in each team.
pub async fn first_of_teams(
    reader: &Reader<TeamsRead>,
    teams: &[TeamId],
    size: u64,
) -> Result<Vec<(TeamId, Page<TeamMember>)>> {
    let ids: Vec<Uuid> = teams.iter().map(|id| id.uuid()).collect();
    let column = team_member::Column::TeamId;
    let pages = reader.first_pages::<team_member::Entity>(
        &ids,
        column,
        |id| sort(column, id),
        size,
        |row| row.team_id.uuid(),
        key,
    );
    let pages = pages.await?.into_iter();
    Ok(pages.map(|(id, page)| (id.into(), page)).collect())
}

/// The first page of the teams of each member.
pub async fn first_of_members(
    reader: &Reader<TeamsRead>,
    members: &[MemberId],
    size: u64,
) -> Result<Vec<(MemberId, Page<TeamMember>)>> {
    let ids: Vec<Uuid> = members.iter().map(|id| id.uuid()).collect();
    let column = team_member::Column::MemberId;
    let pages = reader.first_pages::<team_member::Entity>(
        &ids,
        column,
        |id| sort(column, id),
        size,
        |row| row.member_id.uuid(),
        key,
    );
    let pages = pages.await?.into_iter();
    Ok(pages.map(|(id, page)| (id.into(), page)).collect())
}

/// The table of places in teams.
#[must_use]
pub fn table() -> Table {
    Table::of::<team_member::Entity, TeamsRead>()
}

/// The places in a team.
#[must_use]
pub fn of_team() -> Listing {
    listing(team_member::Column::TeamId)
}

/// The places of a member.
#[must_use]
pub fn of_member() -> Listing {
    listing(team_member::Column::MemberId)
}

/// Puts a member into a team, whose roles they hold from their very next request.
///
/// # Errors
/// A refusal for a team or a member who is not there, for one who is in it already, and for roles that
/// the caller cannot grant.
pub async fn add(
    writer: Writer<TeamsUpdate>,
    team: TeamId,
    member: MemberId,
) -> Result<TeamMember> {
    access::lock(&writer).await?;
    team::find(&writer, team, "teamId").await?;
    let user = member::find(&writer, member).await?.user_id;
    team::require_over(&writer, team).await?;
    if find(&writer, team, member).await?.is_some() {
        let message = "This member is in the team already.";
        return Err(Error::refused(Code::Taken, "memberId", message));
    }
    let of_member = writer
        .find::<team_member::Entity>()
        .filter(team_member::Column::MemberId.eq(member.uuid()));
    if writer.count(of_member, MOST).await? >= MOST {
        let message = format!("A member is in at most {MOST} teams.");
        return Err(Error::refused(Code::TooLong, "memberId", message));
    }
    let place = writer
        .insert(team_member::ActiveModel {
            id: Set(TeamMemberId::random()),
            team_id: Set(team),
            member_id: Set(member),
            created_at: Set(writer.scope().clock().now()),
            ..Default::default()
        })
        .await?;
    let change = Change::new(ChangeKind::TeamMemberAdded, team)
        .with(json!({ "memberId": member.uuid(), "userId": user.uuid() }));
    writer.commit(change).await?;
    Ok(place)
}

/// Takes a member out of a team, with the roles that came with it.
///
/// # Errors
/// A refusal for one who is not in the team, and for roles that the caller cannot take away.
pub async fn remove(
    writer: Writer<TeamsUpdate>,
    team: TeamId,
    member: MemberId,
) -> Result<TeamMember> {
    access::lock(&writer).await?;
    team::find(&writer, team, "teamId").await?;
    let user = member::find(&writer, member).await?.user_id;
    team::require_over(&writer, team).await?;
    let Some(place) = find(&writer, team, member).await? else {
        let message = "This member is not in the team.";
        return Err(Error::refused(Code::NotFound, "memberId", message));
    };
    let removal = writer
        .removal::<team_member::Entity>()
        .filter(team_member::Column::Id.eq(place.id.uuid()));
    writer.delete(removal).await?;
    let change = Change::new(ChangeKind::TeamMemberRemoved, team)
        .with(json!({ "memberId": member.uuid(), "userId": user.uuid() }));
    writer.commit(change).await?;
    Ok(place)
}

async fn find<P>(writer: &Writer<P>, team: TeamId, member: MemberId) -> Result<Option<TeamMember>> {
    let select = writer
        .find::<team_member::Entity>()
        .filter(team_member::Column::TeamId.eq(team.uuid()))
        .filter(team_member::Column::MemberId.eq(member.uuid()));
    writer.one(select).await
}

fn listing(parent: team_member::Column) -> Listing {
    Listing::of::<team_member::Entity, TeamsRead>(parent, &sort(parent, Uuid::nil()))
}

fn sort(column: team_member::Column, id: Uuid) -> Sort<team_member::Entity> {
    Sort {
        column: team_member::Column::CreatedAt,
        id: team_member::Column::Id,
        descending: false,
        list: format!("places {column:?}"),
        of: Some(id),
    }
}

fn key(row: &TeamMember) -> (Key, Uuid) {
    (Key::Time(row.created_at), row.id.uuid())
}
