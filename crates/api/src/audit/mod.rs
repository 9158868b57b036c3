//! The audit log.

pub mod entry;
