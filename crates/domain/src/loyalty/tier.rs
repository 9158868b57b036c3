//! Tiers (schema source 003): derived, never stored and never accepted as input.

/// A patron's tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// The same rule as [`Tier::of`], for the row of a patron that a statement reads.
pub const STATED: &str = "CASE WHEN {row}.qualifying_points < 100 THEN 'bronze'
    WHEN {row}.qualifying_points < 500 THEN 'silver'
    WHEN {row}.qualifying_points < 1000 THEN 'gold' ELSE 'platinum' END";

impl Tier {
    /// The tier of so many qualifying points: bronze [0, 100), silver [100, 500),
    /// gold [500, 1000), platinum [1000, ∞). Below zero counts as bronze.
    #[must_use]
    pub fn of(points: i64) -> Self {
        match points {
            ..100 => Self::Bronze,
            100..500 => Self::Silver,
            500..1000 => Self::Gold,
            1000.. => Self::Platinum,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tier::{self, Bronze, Gold, Platinum, Silver};

    #[test]
    fn thresholds_are_closed_below_and_open_above() {
        let tiers = [-1, 0, 99, 100, 499, 500, 999, 1000].map(Tier::of);
        assert_eq!(
            tiers,
            [Bronze, Bronze, Bronze, Silver, Silver, Gold, Gold, Platinum]
        );
    }
}
