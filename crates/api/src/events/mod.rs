//! What the organization meets for.

pub mod event;
pub mod mutation;
