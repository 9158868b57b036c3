//! Points.

pub mod entry;
