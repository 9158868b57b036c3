//! Teams: some of an organization's members, and the roles that come with being there. A team may be
//! part of another, whose roles its members hold too.

use entity::organizations::team;
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, Set};
use serde_json::json;

pub use entity::organizations::team::{Model as Team, TeamId};

use super::access;
use crate::{
    Change, ChangeKind, Code, Error, Permissions, Reader, Result, Writer,
    page::{Key, Page, PageRequest},
    permission::{TeamsCreate, TeamsDelete, TeamsRead, TeamsUpdate},
    scope::{Shape, Sort, Table},
    text,
};

/// Teams of an organization at most.
const MOST: u64 = 1000;
/// Teams within one another at most: each level is looked up when somebody asks for something.
const DEEPEST: i64 = 8;

/// What making a team takes.
#[derive(Clone, Debug)]
pub struct NewTeam {
    /// 1 to 100 characters, unlike any other team's whatever the case and accents.
    pub name: String,
    /// Up to 500 characters.
    pub description: String,
    /// The team it is to be part of.
    pub parent: Option<TeamId>,
}

/// What of a team is to change; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct TeamPatch {
    /// 1 to 100 characters.
    pub name: Option<String>,
    /// Up to 500 characters.
    pub description: Option<String>,
    /// The team it is to be part of, or of none.
    pub parent: Option<Option<TeamId>>,
}

/// The organization's teams by their names.
pub async fn list(reader: &Reader<TeamsRead>, request: &PageRequest) -> Result<Page<Team>> {
    reader
        .page(reader.find::<team::Entity>(), sort(), request, |team| {
            (Key::Text(team.name_key.clone()), team.id.uuid())
        })
        .await
}

/// The same as JSON in this shape.
pub async fn written(
    reader: &Reader<TeamsRead>,
    request: &PageRequest,
    shape: &Shape,
) -> Result<String> {
    reader
        .written_page(reader.find::<team::Entity>(), &sort(), request, shape)
        .await
}

/// The table of teams.
#[must_use]
pub fn table() -> Table {
    Table::of::<team::Entity, TeamsRead>()
}

/// How many teams there are, counted up to `cap`.
pub async fn count(reader: &Reader<TeamsRead>, cap: u64) -> Result<u64> {
    reader.count(reader.find::<team::Entity>(), cap).await
}

/// Those of `teams` that are the organization's.
pub async fn load(reader: &Reader<TeamsRead>, teams: &[TeamId]) -> Result<Vec<Team>> {
    let ids = teams.iter().map(|id| id.uuid()).collect();
    let among = reader.any(team::Column::Id, ids).await?;
    reader
        .all(reader.find::<team::Entity>().filter(among))
        .await
}

/// Makes a team.
///
/// # Errors
/// A refusal naming every field that is wrong or taken.
pub async fn create(writer: Writer<TeamsCreate>, input: NewTeam) -> Result<Team> {
    let mut problems = Vec::new();
    let name = text::required(&mut problems, "name", &input.name, 100);
    let description = text::lines(&mut problems, "description", &input.description, 500);
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    access::lock(&writer).await?;
    if writer.count(writer.find::<team::Entity>(), MOST).await? >= MOST {
        return Err(Error::refused(
            Code::TooLong,
            "",
            format!("An organization has at most {MOST} teams. Remove one first."),
        ));
    }
    if let Some(parent) = input.parent {
        require_room(&writer, parent, None).await?;
    }
    let now = writer.scope().clock().now();
    let team = writer.insert(team::ActiveModel {
        id: Set(TeamId::random()),
        parent_id: Set(input.parent),
        name_key: Set(text::fold(&name)),
        name: Set(name),
        description: Set(description),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    });
    let team = team.await.map_err(of_name)?;
    writer
        .commit(Change::new(ChangeKind::TeamCreated, team.id))
        .await?;
    Ok(team)
}

/// Changes a team. In another place its members hold other roles, from their very next request.
///
/// # Errors
/// As [`create`]; a refusal for a team that is not there, for a place within itself, and for roles
/// that the caller cannot grant or take away.
pub async fn update(writer: Writer<TeamsUpdate>, id: TeamId, patch: TeamPatch) -> Result<Team> {
    let mut problems = Vec::new();
    let mut update = writer
        .change::<team::Entity>()
        .set(team::Column::UpdatedAt, writer.scope().clock().now())
        .filter(team::Column::Id.eq(id.uuid()));
    if let Some(name) = &patch.name {
        let name = text::required(&mut problems, "name", name, 100);
        update = update
            .set(team::Column::NameKey, text::fold(&name))
            .set(team::Column::Name, name);
    }
    if let Some(description) = &patch.description {
        let description = text::lines(&mut problems, "description", description, 500);
        update = update.set(team::Column::Description, description);
    }
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    access::lock(&writer).await?;
    let team = find(&writer, id, "teamId").await?;
    if let Some(parent) = patch.parent
        && parent != team.parent_id
    {
        let held = access::of_team(&writer, id).await?;
        access::require(&writer, held, "teamId")?;
        if let Some(parent) = parent {
            require_room(&writer, parent, Some(id)).await?;
            let granted = access::of_team(&writer, parent).await?;
            access::require(&writer, granted, "parentId")?;
        }
        update = update.set(team::Column::ParentId, parent.map(entity::Id::uuid));
    }
    writer.update(update).await.map_err(of_name)?;
    let team = find(&writer, id, "teamId").await?;
    writer
        .commit(Change::new(ChangeKind::TeamUpdated, id))
        .await?;
    Ok(team)
}

/// Removes a team in which there is no other. Its members stay, without the roles that came with it.
///
/// # Errors
/// A refusal for a team that is not there or has others in it, and for roles that the caller cannot
/// take away.
pub async fn delete(writer: Writer<TeamsDelete>, id: TeamId) -> Result<Team> {
    access::lock(&writer).await?;
    let team = find(&writer, id, "teamId").await?;
    require_over(&writer, id).await?;
    let within = writer
        .find::<team::Entity>()
        .filter(team::Column::ParentId.eq(id.uuid()));
    if writer.one(within).await?.is_some() {
        return Err(Error::refused(
            Code::WrongState,
            "teamId",
            "There are teams in this one. Move or remove them first.",
        ));
    }
    let removal = writer
        .removal::<team::Entity>()
        .filter(team::Column::Id.eq(id.uuid()));
    writer.delete(removal).await?;
    let change = Change::new(ChangeKind::TeamDeleted, id).with(json!({ "name": team.name }));
    writer.commit(change).await?;
    Ok(team)
}

/// The team.
///
/// # Errors
/// A refusal at the input field `field` for one that is not there.
pub(super) async fn find<P>(writer: &Writer<P>, id: TeamId, field: &'static str) -> Result<Team> {
    let select = writer
        .find::<team::Entity>()
        .filter(team::Column::Id.eq(id.uuid()));
    writer.one(select).await?.ok_or_else(|| {
        let message = "The organization has no such team.";
        Error::refused(Code::NotFound, field, message)
    })
}

/// Refuses to put people into a team, or take them out of it, who gain or lose more by it than the
/// caller may do.
///
/// # Errors
/// [`Code::AboveOwnRole`].
pub(super) async fn require_over<P>(writer: &Writer<P>, id: TeamId) -> Result<Permissions> {
    let permissions = access::of_team(writer, id).await?;
    access::require(writer, permissions, "teamId")?;
    Ok(permissions)
}

fn sort() -> Sort<team::Entity> {
    Sort {
        column: team::Column::NameKey,
        id: team::Column::Id,
        descending: false,
        list: "teams".to_owned(),
        of: None,
    }
}

/// Refuses a place in `parent` that is not there, is within `team` itself, or is too deep.
async fn require_room<P>(writer: &Writer<P>, parent: TeamId, team: Option<TeamId>) -> Result<()> {
    find(writer, parent, "parentId").await?;
    let above = chain(writer, parent, "teams.id = chain.parent_id").await?;
    let mut height = 1;
    if let Some(team) = team {
        if above.iter().any(|level| level.id == team) {
            return Err(Error::refused(
                Code::WrongState,
                "parentId",
                "A team cannot be part of itself, or of a team within it.",
            ));
        }
        height = deepest(&chain(writer, team, "teams.parent_id = chain.id").await?);
    }
    if deepest(&above) + height > DEEPEST {
        return Err(Error::refused(
            Code::WrongState,
            "parentId",
            format!("Teams are within one another up to {DEEPEST} deep."),
        ));
    }
    Ok(())
}

/// A team of a chain, and how many steps of it that is, from 1.
#[derive(FromQueryResult)]
struct Level {
    id: TeamId,
    level: i64,
}

/// The team and those that this step leads to, one after the other.
async fn chain<P>(writer: &Writer<P>, team: TeamId, step: &str) -> Result<Vec<Level>> {
    let sql = format!(
        "WITH RECURSIVE chain AS (
            SELECT id, parent_id, CAST(1 AS bigint) AS level FROM teams WHERE organization_id = $1 AND id = $2
            UNION ALL SELECT teams.id, teams.parent_id, level + 1 FROM teams JOIN chain ON {step} WHERE organization_id = $1
        ) SELECT id, level FROM chain"
    );
    writer.rows(&sql, vec![team.uuid().into()]).await
}

fn deepest(chain: &[Level]) -> i64 {
    chain.iter().map(|level| level.level).max().unwrap_or(0)
}

/// Says which field it is when the table's key finds a name taken.
fn of_name(error: Error) -> Error {
    error.or_taken("name", "There is a team of this name. Choose another.")
}
