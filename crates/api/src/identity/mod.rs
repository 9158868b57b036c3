//! Accounts and sessions.

pub mod account;
pub mod account_log;
pub mod callback;
pub mod linked_account;
pub mod mail;
pub mod password;
pub mod provider;
pub mod second_factor;
pub mod session;
pub mod user;
pub mod viewer;
