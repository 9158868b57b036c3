//! Roles.

use async_graphql::{Context, Object, SimpleObject};
use domain::{Permission, organizations::member, permission::MembersRead};

use crate::{error::Result, operation::Operation, requires::Requires};

/// A role of the organization, and what it permits.
#[derive(SimpleObject)]
pub struct Role {
    /// Its name in `addMember` and `changeMemberRole`.
    slug: String,
    /// Its name for people.
    name: String,
    /// Whether it came with the organization and cannot be deleted.
    built_in: bool,
    /// What it permits.
    permissions: Vec<&'static str>,
}

/// Queries about roles.
#[derive(Default)]
pub struct RoleQuery;

#[Object]
impl RoleQuery {
    /// The organization's roles, from most to least.
    #[graphql(directive = Requires::apply(MembersRead))]
    async fn roles(&self, context: &Context<'_>) -> Result<Vec<Role>> {
        let reader = Operation::of(context).reader().await?;
        Ok(member::roles(&reader)
            .await?
            .into_iter()
            .map(Role::from)
            .collect())
    }
}

impl From<member::Role> for Role {
    fn from(row: member::Role) -> Self {
        Self {
            permissions: member::permissions(&row.slug)
                .iter()
                .map(Permission::as_str)
                .collect(),
            slug: row.slug,
            name: row.name,
            built_in: row.built_in,
        }
    }
}
