//! Points: the ledger, and the tier derived from it.

pub mod ledger;
pub mod tier;
