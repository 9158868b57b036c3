//! Roles.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::{
    organizations::role::{self, NewRole, RolePatch},
    permission::{MembersRead, RolesCreate, RolesDelete, RolesUpdate},
};

use super::held_role::names;
use crate::{
    error::Result,
    operation::Operation,
    requires::Requires,
    user_error::{Settled, UserError, payload},
};

/// A role of the organization, and what it permits.
#[derive(SimpleObject)]
pub struct Role {
    /// Its name wherever a role is granted.
    slug: String,
    /// Its name for people.
    name: String,
    /// What it is for; may be empty.
    description: String,
    /// Whether it came with the organization and cannot be changed or deleted.
    built_in: bool,
    /// What it permits.
    permissions: Vec<&'static str>,
}

/// What making a role takes.
#[derive(InputObject)]
pub struct CreateRoleInput {
    /// 1 to 100 characters.
    name: String,
    /// Its name wherever it is granted: 3 to 50 lower-case letters, digits and single hyphens. Made from
    /// the name when none is given.
    slug: Option<String>,
    /// Up to 500 characters.
    #[graphql(default)]
    description: String,
    /// What it permits, like `events:update`, besides `organization:read`, which every role does.
    permissions: Vec<String>,
}

/// What of a role is to change; what is left out stays.
#[derive(InputObject)]
pub struct UpdateRoleInput {
    /// Slug of a role of the organization's own.
    slug: String,
    /// 1 to 100 characters.
    name: Option<String>,
    /// Up to 500 characters.
    description: Option<String>,
    /// All that it permits, in place of what it permits now.
    permissions: Option<Vec<String>>,
}

/// What removing a role takes.
#[derive(InputObject)]
pub struct DeleteRoleInput {
    /// Slug of a role of the organization's own that nobody holds.
    slug: String,
}

/// What became of a change to a role.
#[derive(SimpleObject)]
pub struct RolePayload {
    /// The role after it; for a removal, as it was.
    role: Option<Role>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Queries about roles.
#[derive(Default)]
pub struct RoleQuery;

/// Mutations of roles.
#[derive(Default)]
pub struct RoleMutation;

#[Object]
impl RoleQuery {
    /// The organization's roles: those that come with every organization from most to least, then its
    /// own by their names. There are at most 100.
    #[graphql(directive = Requires::apply(MembersRead))]
    async fn roles(&self, context: &Context<'_>) -> Result<Vec<Role>> {
        let reader = Operation::of(context).reader().await?;
        let roles = role::list(&reader).await?;
        Ok(roles.into_iter().map(Role::from).collect())
    }
}

#[Object]
impl RoleMutation {
    /// Makes a role of the organization's own. It can permit what the viewer may do themselves.
    #[graphql(directive = Requires::apply(RolesCreate))]
    async fn create_role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is, and permits.")] input: CreateRoleInput,
    ) -> Option<Result<RolePayload>> {
        let input = NewRole {
            name: input.name,
            slug: input.slug,
            description: input.description,
            permissions: input.permissions,
        };
        let work = async {
            let writer = Operation::of(context).writer().await?;
            role::create(writer, input).await
        };
        payload(work).await
    }

    /// Changes a role of the organization's own. Whoever holds it may do what it permits from their very
    /// next request.
    #[graphql(directive = Requires::apply(RolesUpdate))]
    async fn update_role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateRoleInput,
    ) -> Option<Result<RolePayload>> {
        let patch = RolePatch {
            name: input.name,
            description: input.description,
            permissions: input.permissions,
        };
        let work = async {
            let writer = Operation::of(context).writer().await?;
            role::update(writer, &input.slug, patch).await
        };
        payload(work).await
    }

    /// Removes a role of the organization's own that nobody holds.
    #[graphql(directive = Requires::apply(RolesDelete))]
    async fn delete_role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteRoleInput,
    ) -> Option<Result<RolePayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            role::delete(writer, &input.slug).await
        };
        payload(work).await
    }
}

impl From<role::Role> for Role {
    fn from(row: role::Role) -> Self {
        Self {
            permissions: names(role::permissions(&row)),
            slug: row.slug,
            name: row.name,
            description: row.description,
            built_in: row.built_in,
        }
    }
}

impl From<Settled<role::Role>> for RolePayload {
    fn from(settled: Settled<role::Role>) -> Self {
        Self {
            role: settled.value.map(Role::from),
            errors: settled.errors,
        }
    }
}
