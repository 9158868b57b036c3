//! Further roles of a member.

use async_graphql::{Context, ID, InputObject, Object};
use domain::{organizations::member_role, permission::MembersUpdate};

use super::member::MemberPayload;
use crate::{error::Result, id, operation::Operation, requires::Requires, user_error::payload};

/// A member and a role beside their primary one.
#[derive(InputObject)]
pub struct MemberRoleInput {
    /// Who.
    member_id: ID,
    /// Slug of the role.
    role: String,
}

/// Mutations of members' further roles.
#[derive(Default)]
pub struct MemberRoleMutation;

#[Object]
impl MemberRoleMutation {
    /// Grants a member a role beside their primary one, from their very next request.
    #[graphql(directive = Requires::apply(MembersUpdate))]
    async fn grant_member_role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom, and which.")] input: MemberRoleInput,
    ) -> Option<Result<MemberPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            member_role::grant(
                writer,
                id::decode(&input.member_id, "memberId")?,
                &input.role,
            )
            .await
        };
        payload(work).await
    }

    /// Takes a role that a member holds beside their primary one, from their very next request.
    #[graphql(directive = Requires::apply(MembersUpdate))]
    async fn withdraw_member_role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom, and which.")] input: MemberRoleInput,
    ) -> Option<Result<MemberPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            member_role::withdraw(
                writer,
                id::decode(&input.member_id, "memberId")?,
                &input.role,
            )
            .await
        };
        payload(work).await
    }
}
