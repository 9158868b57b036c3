//! Who is in which team.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{
    Scope,
    organizations::{
        member::MemberId,
        team::TeamId,
        team_member::{self, Of},
    },
    page::{Page, PageRequest},
    permission::{MembersRead, TeamsRead, TeamsUpdate},
};

use super::{
    member::{Member, MemberById},
    team::{Team, TeamById},
};
use crate::{
    error::Result,
    fields, id,
    loader::{Nested, Pages},
    operation::Operation,
    requires::Requires,
    time::Time,
    user_error::{Settled, UserError, payload},
};

/// A member's place in a team.
#[derive(Clone)]
pub struct TeamMember(Arc<team_member::TeamMember>);

/// Who is in a team.
pub struct MembersOfTeam;

/// Which teams a member is in.
pub struct TeamsOfMember;

/// A team and a member.
#[derive(InputObject)]
pub struct TeamMemberInput {
    /// Which team.
    team_id: ID,
    /// Who.
    member_id: ID,
}

/// What became of a change to who is in a team.
#[derive(SimpleObject)]
pub struct TeamMemberPayload {
    /// The place in the team; for a removal, as it was.
    team_member: Option<TeamMember>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Mutations of who is in a team.
#[derive(Default)]
pub struct TeamMemberMutation;

#[Object]
impl TeamMemberMutation {
    /// Puts a member into a team, whose roles they hold from their very next request.
    #[graphql(directive = Requires::apply(TeamsUpdate))]
    async fn add_team_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom, and where.")] input: TeamMemberInput,
    ) -> Option<Result<TeamMemberPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            let (team, member) = input.read()?;
            team_member::add(writer, team, member).await
        };
        payload(work).await
    }

    /// Takes a member out of a team, with the roles that came with it.
    #[graphql(directive = Requires::apply(TeamsUpdate))]
    async fn remove_team_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom, and where.")] input: TeamMemberInput,
    ) -> Option<Result<TeamMemberPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            let (team, member) = input.read()?;
            team_member::remove(writer, team, member).await
        };
        payload(work).await
    }
}

fields! {
    /// A member's place in a team.
    TeamMember in team_member::table;
    columns {
        /// Since when they are in it.
        joined_at: Time = created_at;
    }
    computed {}
    guarded {}
    one {
        /// The team.
        team: Team = TeamById by team_id, TeamsRead;
        /// Who.
        member: Member = MemberById by member_id, MembersRead;
    }
    many {}
    needs {}
}

impl TeamMemberInput {
    fn read(&self) -> domain::Result<(TeamId, MemberId)> {
        Ok((
            id::decode(&self.team_id, "teamId")?,
            id::decode(&self.member_id, "memberId")?,
        ))
    }
}

impl From<team_member::TeamMember> for TeamMember {
    fn from(row: team_member::TeamMember) -> Self {
        Self(Arc::new(row))
    }
}

impl From<Settled<team_member::TeamMember>> for TeamMemberPayload {
    fn from(settled: Settled<team_member::TeamMember>) -> Self {
        Self {
            team_member: settled.value.map(TeamMember::from),
            errors: settled.errors,
        }
    }
}

impl Nested for MembersOfTeam {
    type Parent = TeamId;
    type Row = team_member::TeamMember;
    type Node = TeamMember;

    async fn first(scope: &Scope, parents: &[TeamId], size: u64) -> domain::Result<Pages<Self>> {
        team_member::first_of_teams(&scope.reader()?, parents, size).await
    }

    async fn list(
        scope: &Scope,
        parent: TeamId,
        request: &PageRequest,
    ) -> domain::Result<Page<team_member::TeamMember>> {
        team_member::list(&scope.reader()?, Of::Team(parent), request).await
    }
}

impl Nested for TeamsOfMember {
    type Parent = MemberId;
    type Row = team_member::TeamMember;
    type Node = TeamMember;

    async fn first(scope: &Scope, parents: &[MemberId], size: u64) -> domain::Result<Pages<Self>> {
        team_member::first_of_members(&scope.reader()?, parents, size).await
    }

    async fn list(
        scope: &Scope,
        parent: MemberId,
        request: &PageRequest,
    ) -> domain::Result<Page<team_member::TeamMember>> {
        team_member::list(&scope.reader()?, Of::Member(parent), request).await
    }
}
