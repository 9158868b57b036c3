//! Tiers.

use async_graphql::Enum;
use domain::loyalty::tier;

/// A patron's tier, by the points they ever earned.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "tier::Tier")]
pub enum Tier {
    /// Below 100.
    Bronze,
    /// From 100.
    Silver,
    /// From 500.
    Gold,
    /// From 1000.
    Platinum,
}
