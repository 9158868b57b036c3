//! What members may do, and why.

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::{ID, SimpleObject};
use domain::{
    Permission, Permissions, Scope,
    organizations::{access, member::MemberId},
};

use crate::{
    id,
    loader::{Loaded, Relation},
};

/// A role that somebody holds, and through what.
#[derive(Clone, SimpleObject)]
pub struct HeldRole {
    /// Slug of the role.
    role: String,
    /// Its name for people.
    name: String,
    /// What it permits.
    permissions: Vec<&'static str>,
    /// The team through which they hold it; null for a role of their own.
    team_id: Option<ID>,
    /// That team's name.
    team_name: Option<String>,
}

/// The roles that a member holds.
pub struct RolesOfMember;

impl From<access::HeldRole> for HeldRole {
    fn from(held: access::HeldRole) -> Self {
        Self {
            permissions: names(held.permissions()),
            role: held.role,
            name: held.name,
            team_id: held.team_id.map(id::encode),
            team_name: held.team_name,
        }
    }
}

impl Relation for RolesOfMember {
    type Key = MemberId;
    type Value = Arc<Vec<access::HeldRole>>;

    async fn load(scope: Scope, keys: Vec<MemberId>) -> Loaded<Self> {
        let mut of_member: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for held in access::held(&scope.reader()?, &keys).await? {
            of_member.entry(held.member_id).or_default().push(held);
        }
        Ok(of_member
            .into_iter()
            .map(|(member, held)| (member, Ok(Arc::new(held))))
            .collect())
    }
}

/// What all of these permit together.
pub fn permitted(held: &[access::HeldRole]) -> Vec<&'static str> {
    let all = held.iter().fold(Permissions::default(), |all, held| {
        all.and(held.permissions())
    });
    names(all)
}

/// The names of permissions.
pub fn names(permissions: Permissions) -> Vec<&'static str> {
    permissions.iter().map(Permission::as_str).collect()
}
