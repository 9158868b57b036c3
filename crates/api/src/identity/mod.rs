//! Accounts and sessions.

pub mod session;
pub mod user;
pub mod viewer;
