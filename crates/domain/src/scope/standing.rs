//! What a person is in the organization they act in, as one statement reads it.

use chrono::{DateTime, Utc};
use entity::organizations::organization::{self, OrganizationId};

use crate::{Permissions, permission::Requirement};

/// What a person was in the organization they act in when they came: for
/// `organizations::member::admit` to judge.
#[derive(Clone, Debug)]
pub struct Standing {
    pub(crate) organization: OrganizationId,
    /// Slug of their primary role.
    pub(crate) role: String,
    /// What all their roles permit.
    pub(crate) permissions: Permissions,
    /// What of that they may do only in a session in which they gave a second factor.
    pub(crate) withheld: Permissions,
    /// The organization's, which moves with every change that may give or take access.
    pub(crate) access_version: i64,
    pub(crate) status: organization::Status,
    /// When their session was last used, as far as it was written down.
    pub(crate) last_used_at: DateTime<Utc>,
}

/// [`Standing`] as the columns of [`columns`] give it: none of the first two for somebody who is no
/// member.
#[derive(sea_orm::FromQueryResult)]
pub(super) struct Found {
    role: Option<String>,
    roles: Option<String>,
    access_version: Option<i64>,
    status: Option<organization::Status>,
    second_factor: Option<String>,
}

impl Found {
    /// The standing in `organization` of whoever was last here at `last_used_at`, if they belong there.
    pub(super) fn at(
        self,
        organization: Option<OrganizationId>,
        last_used_at: DateTime<Utc>,
    ) -> Option<Standing> {
        let roles = self.roles?;
        let permissions = Permissions::of_roles(&roles);
        let required = Requirement::parse(&self.second_factor?);
        Some(Standing {
            organization: organization?,
            role: self.role?,
            permissions,
            withheld: permissions.within(required.withholds(&roles)),
            access_version: self.access_version?,
            status: self.status?,
            last_used_at,
        })
    }
}

/// The columns of [`Found`] for a statement in which the expressions `organization` and `user` say who
/// it is about, below the select that binds the tenant.
pub(super) fn columns(organization: &str, user: &str) -> String {
    let roles = roles(organization, user);
    format!(
        "(SELECT role FROM members WHERE organization_id = {organization} AND user_id = {user}) AS role,
        {roles} AS roles,
        (SELECT access_version FROM organizations WHERE id = {organization}) AS access_version,
        (SELECT status FROM organizations WHERE id = {organization}) AS status,
        (SELECT second_factor FROM organizations WHERE id = {organization}) AS second_factor"
    )
}

/// The roles of a user, as [`Permissions::of_roles`] reads them: those of the member, of the teams that
/// they are in, and of the teams that those are in. What belongs to each is a subquery of its own, so
/// that no plan begins with all of the organization's teams.
pub(crate) fn roles(organization: &str, user: &str) -> String {
    let of = format!("organization_id = {organization}");
    format!(
        "(WITH RECURSIVE self AS (
            SELECT id, role FROM members WHERE {of} AND user_id = {user}
        ), within AS (
            SELECT team_id FROM self CROSS JOIN team_members WHERE {of} AND member_id = self.id
            UNION SELECT (SELECT parent_id FROM teams WHERE {of} AND id = team_id) FROM within WHERE team_id IS NOT NULL
        )
        SELECT string_agg(held, ',') FROM (
            SELECT (SELECT string_agg(slug || ' ' || permissions, ',') FROM roles WHERE {of} AND slug IN (
                SELECT self.role UNION ALL SELECT role FROM member_roles WHERE {of} AND member_id = self.id
            )) AS held FROM self
            UNION ALL SELECT (SELECT string_agg(slug || ' ' || permissions, ',') FROM roles WHERE {of} AND slug IN (
                SELECT role FROM team_roles WHERE {of} AND team_id = within.team_id
            )) FROM within
        ) AS held)"
    )
}
