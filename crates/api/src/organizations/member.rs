//! Members: who has access to the organization.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Json, MaybeUndefined, Object, SimpleObject};
use domain::{
    Scope,
    organizations::{
        access,
        member::{self, MemberId, MemberPatch},
        team_member,
    },
    page::PageRequest,
    permission::{MembersCreate, MembersDelete, MembersRead, MembersUpdate, TeamsRead},
};

use super::{
    held_role::{self, HeldRole, RolesOfMember},
    team_member::{TeamMember, TeamsOfMember},
};
use crate::{
    connection::{CountedConnection, MOST_COUNTED},
    error::Result,
    fields, id,
    identity::user::{User, UserById},
    loader::{Loaded, Relation},
    operation::Operation,
    requires::Requires,
    selection::Selection,
    time::Time,
    user_error::{Settled, UserError, payload},
    written::{self, Answer},
};

/// Somebody's access to the organization.
#[derive(Clone)]
pub struct Member(Arc<member::Member>);

/// A member by their id.
pub struct MemberById;

/// What giving somebody access takes.
#[derive(InputObject)]
pub struct AddMemberInput {
    /// Address of their account, which has proved it. Whoever has none is invited: see
    /// `createInvitation`.
    email: String,
    /// Slug of their role.
    role: String,
}

/// What changing a member's role takes.
#[derive(InputObject)]
pub struct ChangeMemberRoleInput {
    /// Who.
    member_id: ID,
    /// Slug of their new role.
    role: String,
}

/// What of a member is to change; what is left out stays.
#[derive(InputObject)]
pub struct UpdateMemberInput {
    /// Who.
    member_id: ID,
    /// What another system knows them by, up to 255 characters; null for nothing.
    external_id: MaybeUndefined<String>,
    /// The organization's own facts about them: an object of at most 16 KiB, which replaces the present
    /// one.
    metadata: Option<Json<serde_json::Value>>,
}

/// What giving one's own access up takes.
#[derive(InputObject)]
pub struct LeaveOrganizationInput {
    /// One the viewer belongs to.
    organization_id: ID,
}

/// What taking access away takes.
#[derive(InputObject)]
pub struct RemoveMemberInput {
    /// Who.
    member_id: ID,
}

/// What became of a change to a member.
#[derive(SimpleObject)]
pub struct MemberPayload {
    /// The member after it; for a removal, as they were.
    member: Option<Member>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// What became of giving one's access up.
#[derive(SimpleObject)]
pub struct LeaveOrganizationPayload {
    /// The organization that the viewer belonged to.
    organization_id: Option<ID>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Queries about members.
#[derive(Default)]
pub struct MemberQuery;

/// Mutations of members.
#[derive(Default)]
pub struct MemberMutation;

#[Object]
impl MemberQuery {
    /// The organization's members, oldest first.
    #[graphql(directive = Requires::apply(MembersRead))]
    async fn members(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from the front: 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the back: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Result<Answer<CountedConnection<Member>>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let (operation, selected) = (Operation::of(context), Selection::of(context));
        let reader = operation.reader().await?;
        if let Some(shape) = written::page_shape::<Member>(operation, &selected).await {
            let page = member::written(&reader, &request, &shape).await?;
            return Ok(Answer::Written(page));
        }
        let page = member::list(&reader, &request).await?.into();
        let mut total = None;
        if selected.has("totalCount") {
            total = Some(member::count(&reader, MOST_COUNTED).await?);
        }
        let page = CountedConnection::prefetched(page, total, operation, &selected).await;
        Ok(Answer::Walked(page))
    }
}

#[Object]
impl MemberMutation {
    /// Gives the account with this address access to the organization.
    #[graphql(directive = Requires::apply(MembersCreate))]
    async fn add_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, and as what.")] input: AddMemberInput,
    ) -> Option<Result<MemberPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            member::add(writer, &input.email, &input.role).await
        };
        payload(work).await
    }

    /// Gives a member another role, from their very next request.
    #[graphql(directive = Requires::apply(MembersUpdate))]
    async fn change_member_role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, and to what.")] input: ChangeMemberRoleInput,
    ) -> Option<Result<MemberPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            member::change_role(
                writer,
                id::decode(&input.member_id, "memberId")?,
                &input.role,
            )
            .await
        };
        payload(work).await
    }

    /// Changes what the organization keeps about a member.
    #[graphql(directive = Requires::apply(MembersUpdate))]
    async fn update_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateMemberInput,
    ) -> Option<Result<MemberPayload>> {
        let patch = MemberPatch {
            external_id: input.external_id.into(),
            metadata: input.metadata.map(|metadata| metadata.0),
        };
        let work = async {
            let writer = Operation::of(context).writer().await?;
            member::update(writer, id::decode(&input.member_id, "memberId")?, patch).await
        };
        payload(work).await
    }

    /// Gives the viewer's own access to an organization up, from their very next request.
    async fn leave_organization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: LeaveOrganizationInput,
    ) -> Option<Result<LeaveOrganizationPayload>> {
        let work = async {
            let viewer = Operation::of(context).require_viewer()?;
            let id = id::decode(&input.organization_id, "organizationId")?;
            member::leave(&viewer, id).await?;
            Ok(input.organization_id)
        };
        payload(work).await
    }

    /// Takes a member's access away, from their very next request.
    #[graphql(directive = Requires::apply(MembersDelete))]
    async fn remove_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who.")] input: RemoveMemberInput,
    ) -> Option<Result<MemberPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            member::remove(writer, id::decode(&input.member_id, "memberId")?).await
        };
        payload(work).await
    }
}

fields! {
    /// Somebody's access to the organization.
    Member in member::table;
    columns {
        /// Global id.
        id: ID = id;
        /// Slug of their primary role.
        role: &str = role;
        /// What another system knows them by.
        external_id: Option<&str> = external_id;
        /// Since when they have access.
        joined_at: Time = joined_at;
    }
    computed {}
    guarded {}
    one {
        /// Their account; null once they have lost access.
        user: User = UserById by user_id, MembersRead;
    }
    many {
        /// The teams that they are in, oldest first.
        teams: TeamMember = TeamsOfMember, team_member::of_member, TeamsRead;
    }
    needs {
        roles: RolesOfMember by |row: &member::Member| row.id;
        permissions: RolesOfMember by |row: &member::Member| row.id;
    }

    /// The organization's own facts about them, an object.
    async fn metadata(&self) -> Json<&serde_json::Value> {
        Json(&self.0.metadata)
    }

    /// All the roles that they hold, their own before those that come with a team.
    async fn roles(&self, context: &Context<'_>) -> Result<Vec<HeldRole>> {
        let held = self.held(context).await?;
        Ok(held.iter().cloned().map(HeldRole::from).collect())
    }

    /// What all of their roles permit together.
    async fn permissions(&self, context: &Context<'_>) -> Result<Vec<&'static str>> {
        Ok(held_role::permitted(&self.held(context).await?))
    }
}

impl Member {
    async fn held(&self, context: &Context<'_>) -> Result<Arc<Vec<access::HeldRole>>> {
        let held = Operation::of(context)
            .load::<RolesOfMember>(self.0.id)
            .await?;
        Ok(held.unwrap_or_default())
    }
}

impl From<member::Member> for Member {
    fn from(row: member::Member) -> Self {
        Self(Arc::new(row))
    }
}

impl From<Settled<member::Member>> for MemberPayload {
    fn from(settled: Settled<member::Member>) -> Self {
        Self {
            member: settled.value.map(Member::from),
            errors: settled.errors,
        }
    }
}

impl From<Settled<ID>> for LeaveOrganizationPayload {
    fn from(settled: Settled<ID>) -> Self {
        Self {
            organization_id: settled.value,
            errors: settled.errors,
        }
    }
}

impl Relation for MemberById {
    type Key = MemberId;
    type Value = Member;

    async fn load(scope: Scope, keys: Vec<MemberId>) -> Loaded<Self> {
        let rows = member::load(&scope.reader()?, &keys).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, Ok(row.into())))
            .collect())
    }
}
