//! What an organization meets for.

pub mod event;
pub mod lifecycle;
mod rules;
pub mod status;
