//! Members: who has access to the organization.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{
    Scope,
    organizations::member::{self, MemberId},
    page::PageRequest,
    permission::{MembersCreate, MembersDelete, MembersRead, MembersUpdate},
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
    /// Address of their account, which exists already.
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
        /// Slug of their role.
        role: &str = role;
        /// Since when they have access.
        joined_at: Time = joined_at;
    }
    computed {}
    guarded {}
    one {
        /// Their account; null once they have lost access.
        user: User = UserById by user_id, MembersRead;
    }
    many {}
    needs {}
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
