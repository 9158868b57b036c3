//! Points.

pub mod entry;
pub mod tier;
