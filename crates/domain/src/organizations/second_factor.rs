//! What an organization wants a second factor for.

use entity::organizations::{organization, role};
use serde_json::json;

use super::{access, organization::Organization};
use crate::{
    Change, ChangeKind, Code, Error, Permission, Problem, Result, Writer,
    permission::{OrganizationUpdate, Requirement},
    scope::Fresh,
};

/// Roles, and permissions, that one requirement names at most.
const MOST: usize = 100;

/// What is wanted, as somebody says it: it replaces what was wanted before.
#[derive(Clone, Debug, Default)]
pub struct NewRequirement {
    /// Everything, of everybody.
    pub everybody: bool,
    /// Everything, of who holds one of these roles, by its slug.
    pub roles: Vec<String>,
    /// These permissions, of everybody.
    pub permissions: Vec<String>,
}

/// What the organization wants a second factor for.
#[must_use]
pub fn of(organization: &Organization) -> Requirement {
    Requirement::parse(&organization.second_factor)
}

/// Wants a second factor for this, from everybody's next request on; streams that are open end. Whoever
/// says so has given one in their session, so that nobody shuts themselves out, and nobody lifts it who is
/// shut out.
///
/// # Errors
/// A refusal when they have not, or for a role or a permission that is not there.
pub async fn require(
    writer: Writer<OrganizationUpdate>,
    fresh: Fresh,
    input: NewRequirement,
) -> Result<Organization> {
    fresh.viewer().require_second_factor()?;
    let mut problems = Vec::new();
    for (field, given) in [("roles", &input.roles), ("permissions", &input.permissions)] {
        if given.len() > MOST {
            problems.push(Problem::new(
                Code::TooLong,
                field,
                "This is too much. Name each once, and at most 100.",
            ));
        }
    }
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    let mut roles = input.roles;
    roles.sort_unstable();
    roles.dedup();
    let permissions = input.permissions.iter().filter_map(|name| {
        let permission = Permission::parse(name);
        if permission.is_none() && problems.is_empty() {
            problems.push(Problem::new(
                Code::Invalid,
                "permissions",
                "There is no such permission. Use the names that schema.graphql has in @requires.",
            ));
        }
        permission
    });
    let permissions = permissions.collect();
    access::lock(&writer).await?;
    let present = writer.all(writer.find::<role::Entity>()).await?;
    if !roles
        .iter()
        .all(|slug| present.iter().any(|role| role.slug == *slug))
    {
        problems.push(Problem::new(
            Code::NotFound,
            "roles",
            "The organization has no such role.",
        ));
    }
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    let required = Requirement {
        everybody: input.everybody,
        roles,
        permissions,
    };
    let update = writer
        .change::<organization::Entity>()
        .set(organization::Column::SecondFactor, required.spell())
        .set(
            organization::Column::UpdatedAt,
            writer.scope().clock().now(),
        );
    writer.update(update).await?;
    let organization = writer
        .required(writer.find::<organization::Entity>())
        .await?;
    let change = Change::new(ChangeKind::SecondFactorRequirementChanged, organization.id)
        .with(json!({ "required": organization.second_factor }));
    writer.commit(change).await?;
    Ok(organization)
}
