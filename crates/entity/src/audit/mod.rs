//! Who did what, append-only.

pub mod entry;
