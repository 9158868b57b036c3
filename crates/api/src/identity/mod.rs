//! Accounts and sessions.

pub mod account;
pub mod account_log;
pub mod mail;
pub mod password;
pub mod second_factor;
pub mod session;
pub mod user;
pub mod viewer;
