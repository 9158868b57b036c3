//! What an organization meets for.

pub mod event;
pub mod status;
