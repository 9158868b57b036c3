//! Teams.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::{
    Scope,
    organizations::{
        team::{self, NewTeam, TeamId, TeamPatch},
        team_member,
    },
    page::PageRequest,
    permission::{TeamsCreate, TeamsDelete, TeamsRead, TeamsUpdate},
};

use super::{
    team_member::{MembersOfTeam, TeamMember},
    team_role::RolesOfTeam,
};
use crate::{
    connection::{CountedConnection, MOST_COUNTED},
    error::{Result, nullable},
    fields, id,
    loader::{Loaded, Relation},
    operation::Operation,
    requires::Requires,
    selection::{Rows, Selection},
    time::Time,
    user_error::{Settled, UserError, payload},
    written::{self, Answer},
};

/// Some of an organization's members, and the roles that come with being there.
#[derive(Clone)]
pub struct Team(Arc<team::Team>);

/// A team by its id.
pub struct TeamById;

/// What making a team takes.
#[derive(InputObject)]
pub struct CreateTeamInput {
    /// 1 to 100 characters, unlike any other team's.
    name: String,
    /// Up to 500 characters.
    #[graphql(default)]
    description: String,
    /// The team it is part of, whose roles its members hold too.
    parent_id: Option<ID>,
}

/// What of a team is to change; what is left out stays.
#[derive(InputObject)]
pub struct UpdateTeamInput {
    /// Which team.
    team_id: ID,
    /// 1 to 100 characters, unlike any other team's.
    name: Option<String>,
    /// Up to 500 characters.
    description: Option<String>,
    /// The team it is part of; null for none.
    parent_id: MaybeUndefined<ID>,
}

/// What removing a team takes.
#[derive(InputObject)]
pub struct DeleteTeamInput {
    /// Which team: one with no other in it.
    team_id: ID,
}

/// What became of a change to a team.
#[derive(SimpleObject)]
pub struct TeamPayload {
    /// The team after it; for a removal, as it was.
    team: Option<Team>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Queries about teams.
#[derive(Default)]
pub struct TeamQuery;

/// Mutations of teams.
#[derive(Default)]
pub struct TeamMutation;

#[Object]
impl TeamQuery {
    /// A team by its id.
    #[graphql(directive = Requires::apply(TeamsRead))]
    async fn team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its global id.")] id: ID,
    ) -> Option<Result<Answer<Team>>> {
        let (operation, selected) = (Operation::of(context), Selection::of(context));
        let id: TeamId = match nullable(id::decode(&id, "id"))? {
            Ok(id) => id,
            Err(fault) => return Some(Err(fault)),
        };
        if let Some(answer) = written::row(operation, &selected, id, None).await {
            return answer;
        }
        let team = operation.load::<TeamById>(id).await.transpose()?;
        if let Ok(team) = &team {
            Team::prefetch(vec![team.clone()], operation, selected).await;
        }
        Some(team.map(Answer::Walked))
    }

    /// The organization's teams by their names.
    #[graphql(directive = Requires::apply(TeamsRead))]
    async fn teams(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from the front: 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the back: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Result<Answer<CountedConnection<Team>>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let (operation, selected) = (Operation::of(context), Selection::of(context));
        let reader = operation.reader().await?;
        if let Some(shape) = written::page_shape::<Team>(operation, &selected).await {
            let page = team::written(&reader, &request, &shape).await?;
            return Ok(Answer::Written(page));
        }
        let page = team::list(&reader, &request).await?.into();
        let mut total = None;
        if selected.has("totalCount") {
            total = Some(team::count(&reader, MOST_COUNTED).await?);
        }
        let page = CountedConnection::prefetched(page, total, operation, &selected).await;
        Ok(Answer::Walked(page))
    }
}

#[Object]
impl TeamMutation {
    /// Makes a team.
    #[graphql(directive = Requires::apply(TeamsCreate))]
    async fn create_team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is.")] input: CreateTeamInput,
    ) -> Option<Result<TeamPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            let parent = input.parent_id.map(|id| id::decode(&id, "parentId"));
            let input = NewTeam {
                name: input.name,
                description: input.description,
                parent: parent.transpose()?,
            };
            team::create(writer, input).await
        };
        payload(work).await
    }

    /// Changes a team. In another place its members hold other roles, from their very next request.
    #[graphql(directive = Requires::apply(TeamsUpdate))]
    async fn update_team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateTeamInput,
    ) -> Option<Result<TeamPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            let parent = match input.parent_id {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(None),
                MaybeUndefined::Value(id) => Some(Some(id::decode(&id, "parentId")?)),
            };
            let patch = TeamPatch {
                name: input.name,
                description: input.description,
                parent,
            };
            team::update(writer, id::decode(&input.team_id, "teamId")?, patch).await
        };
        payload(work).await
    }

    /// Removes a team with no other in it. Its members stay in the organization, without the roles that
    /// came with it.
    #[graphql(directive = Requires::apply(TeamsDelete))]
    async fn delete_team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteTeamInput,
    ) -> Option<Result<TeamPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            team::delete(writer, id::decode(&input.team_id, "teamId")?).await
        };
        payload(work).await
    }
}

fields! {
    /// Some of an organization's members, and the roles that come with being there.
    Team in team::table;
    columns {
        /// Global id.
        id: ID = id;
        /// Its name.
        name: &str = name;
        /// What it is for; may be empty.
        description: &str = description;
        /// When it was made.
        created_at: Time = created_at;
        /// When it last changed.
        updated_at: Time = updated_at;
    }
    computed {}
    guarded {}
    one {
        /// The team it is part of, whose roles its members hold too.
        parent: Team = TeamById by parent_id, TeamsRead;
    }
    many {
        /// Who is in it, oldest first. Those of a team within it are not.
        members: TeamMember = MembersOfTeam, team_member::of_team, TeamsRead;
    }
    needs {
        roles: RolesOfTeam by |row: &team::Team| row.id;
    }

    /// Slugs of the roles that come with it, besides those of the team it is part of.
    async fn roles(&self, context: &Context<'_>) -> Result<Vec<String>> {
        let roles = Operation::of(context).load::<RolesOfTeam>(self.0.id).await?;
        Ok(roles.map(|roles| roles.to_vec()).unwrap_or_default())
    }
}

impl From<team::Team> for Team {
    fn from(row: team::Team) -> Self {
        Self(Arc::new(row))
    }
}

impl From<Settled<team::Team>> for TeamPayload {
    fn from(settled: Settled<team::Team>) -> Self {
        Self {
            team: settled.value.map(Team::from),
            errors: settled.errors,
        }
    }
}

impl Relation for TeamById {
    type Key = TeamId;
    type Value = Team;

    async fn load(scope: Scope, keys: Vec<TeamId>) -> Loaded<Self> {
        let rows = team::load(&scope.reader()?, &keys).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, Ok(row.into())))
            .collect())
    }
}
