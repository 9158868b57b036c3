//! The roles that come with a team.

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::{Context, ID, InputObject, Object};
use domain::{
    Scope,
    organizations::{team::TeamId, team_role},
    permission::TeamsUpdate,
};

use super::team::TeamPayload;
use crate::{
    error::Result,
    id,
    loader::{Loaded, Relation},
    operation::Operation,
    requires::Requires,
    user_error::payload,
};

/// Slugs of the roles that come with a team.
pub struct RolesOfTeam;

/// A team and a role.
#[derive(InputObject)]
pub struct TeamRoleInput {
    /// Which team.
    team_id: ID,
    /// Slug of the role.
    role: String,
}

/// Mutations of teams' roles.
#[derive(Default)]
pub struct TeamRoleMutation;

#[Object]
impl TeamRoleMutation {
    /// Makes a role come with a team, from its members' very next request.
    #[graphql(directive = Requires::apply(TeamsUpdate))]
    async fn grant_team_role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which team, and which role.")] input: TeamRoleInput,
    ) -> Option<Result<TeamPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            team_role::grant(writer, id::decode(&input.team_id, "teamId")?, &input.role).await
        };
        payload(work).await
    }

    /// Makes a role come with a team no more, from its members' very next request.
    #[graphql(directive = Requires::apply(TeamsUpdate))]
    async fn withdraw_team_role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which team, and which role.")] input: TeamRoleInput,
    ) -> Option<Result<TeamPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            team_role::withdraw(writer, id::decode(&input.team_id, "teamId")?, &input.role).await
        };
        payload(work).await
    }
}

impl Relation for RolesOfTeam {
    type Key = TeamId;
    type Value = Arc<Vec<String>>;

    async fn load(scope: Scope, keys: Vec<TeamId>) -> Loaded<Self> {
        let mut of_team: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for row in team_role::load(&scope.reader()?, &keys).await? {
            of_team.entry(row.team_id).or_default().push(row.role);
        }
        Ok(of_team
            .into_iter()
            .map(|(team, roles)| (team, Ok(Arc::new(roles))))
            .collect())
    }
}
