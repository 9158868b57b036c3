//! The numbered log of every change of an organization.

pub mod change;
pub mod counter;
