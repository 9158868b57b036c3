//! Invitations, for those who are invited.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::organizations::{acceptance, invitation, organization};

use super::{
    invitation::InvitationStatus,
    organization::{Organization, OrganizationPayload},
};
use crate::{
    error::{Result, nullable},
    operation::Operation,
    user_error::{Settled, UserError, payload},
};

/// What an invitation says to whom it was mailed.
#[derive(SimpleObject)]
pub struct InvitationPreview {
    /// The address that it was mailed to: the account's that is to accept it.
    email: String,
    /// The organization's name.
    organization_name: String,
    /// The role's name for people.
    role_name: String,
    /// What became of it.
    status: InvitationStatus,
    /// Until when it can be accepted.
    expires_at: DateTime<Utc>,
}

/// What accepting an invitation takes.
#[derive(InputObject)]
pub struct AcceptInvitationInput {
    /// The token that was mailed.
    #[graphql(secret)]
    token: String,
}

/// What saying no to an invitation takes.
#[derive(InputObject)]
pub struct DeclineInvitationInput {
    /// The token that was mailed.
    #[graphql(secret)]
    token: String,
}

/// What became of saying no.
#[derive(SimpleObject)]
pub struct DeclineInvitationPayload {
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Queries of those who are invited.
#[derive(Default)]
pub struct AcceptanceQuery;

/// Mutations of those who are invited.
#[derive(Default)]
pub struct AcceptanceMutation;

#[Object]
impl AcceptanceQuery {
    /// What the invitation says that a mailed token opens; null for a token that opens none. Nobody has
    /// to sign in for that.
    async fn invitation_preview(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The token that was mailed.", secret)] token: String,
    ) -> Option<Result<InvitationPreview>> {
        let operation = Operation::of(context);
        let now = operation.clock().now();
        let preview = acceptance::preview(&operation.system(), &token).await;
        nullable(preview.map(|preview| InvitationPreview {
            email: preview.email,
            organization_name: preview.organization,
            role_name: preview.role,
            status: invitation::status(&preview.invitation, now).into(),
            expires_at: preview.invitation.expires_at,
        }))
    }
}

#[Object]
impl AcceptanceMutation {
    /// Makes the viewer, whose account has the address that was invited, a member, who acts in the
    /// organization from now on. Who has no account yet signs up first, which the same operation can do.
    async fn accept_invitation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: AcceptInvitationInput,
    ) -> Option<Result<OrganizationPayload>> {
        let operation = Operation::of(context);
        let work = async {
            let viewer = operation.require_viewer()?;
            let organization: organization::Organization =
                acceptance::accept(&viewer, &input.token).await?;
            operation.act_in(organization.id)?;
            Ok(Organization::from(organization))
        };
        payload(work).await
    }

    /// Says no to an invitation. Nobody has to sign in for that.
    async fn decline_invitation(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeclineInvitationInput,
    ) -> Option<Result<DeclineInvitationPayload>> {
        let operation = Operation::of(context);
        let origin = operation.origin().clone();
        payload(acceptance::decline(
            &operation.system(),
            &input.token,
            origin,
        ))
        .await
    }
}

impl From<Settled<()>> for DeclineInvitationPayload {
    fn from(settled: Settled<()>) -> Self {
        Self {
            errors: settled.errors,
        }
    }
}
