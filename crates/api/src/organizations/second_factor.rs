//! What an organization wants a second factor for.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::{
    organizations::second_factor::{self, NewRequirement},
    permission::{OrganizationUpdate, Requirement},
};

use super::{
    held_role::names,
    organization::{Organization, OrganizationPayload},
};
use crate::{error::Result, operation::Operation, requires::Requires, user_error::payload};

/// What people can do in the organization only in a session in which they gave a second factor.
#[derive(SimpleObject)]
pub struct SecondFactorRequirement {
    /// Everything, whoever it is.
    everybody: bool,
    /// Everything, for who holds one of these roles: their slugs.
    roles: Vec<String>,
    /// What needs these permissions, whoever it is.
    permissions: Vec<&'static str>,
}

/// What the organization is to want a second factor for; it replaces what it wanted before.
#[derive(InputObject)]
pub struct RequireSecondFactorInput {
    /// Everything, of everybody.
    #[graphql(default)]
    everybody: bool,
    /// Everything, of who holds one of these roles: their slugs.
    #[graphql(default)]
    roles: Vec<String>,
    /// What needs these permissions, like `members:update`, of everybody.
    #[graphql(default)]
    permissions: Vec<String>,
}

/// Mutations of the requirement.
#[derive(Default)]
pub struct SecondFactorRequirementMutation;

#[Object]
impl SecondFactorRequirementMutation {
    /// Says what the request's organization wants a second factor for, from everybody's next request on;
    /// nothing lifts it. In a session without one, what needs it is answered with
    /// `SECOND_FACTOR_REQUIRED`. Needs a fresh session (see `confirmPassword`) in which a second factor
    /// was given.
    #[graphql(directive = Requires::apply(OrganizationUpdate))]
    async fn require_second_factor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "For what.")] input: RequireSecondFactorInput,
    ) -> Option<Result<OrganizationPayload>> {
        payload(async {
            let operation = Operation::of(context);
            let writer = operation.writer().await?;
            let fresh = operation.require_viewer()?.fresh()?;
            let required = NewRequirement {
                everybody: input.everybody,
                roles: input.roles,
                permissions: input.permissions,
            };
            second_factor::require(writer, fresh, required)
                .await
                .map(Organization::from)
        })
        .await
    }
}

impl From<Requirement> for SecondFactorRequirement {
    fn from(required: Requirement) -> Self {
        Self {
            everybody: required.everybody,
            permissions: names(required.permissions),
            roles: required.roles,
        }
    }
}
