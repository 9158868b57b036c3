//! What an organization meets for.

pub mod event;
