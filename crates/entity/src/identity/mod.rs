//! Who a person is: the global login, its sessions, and the tokens that are mailed.

pub mod account_token;
pub mod session;
pub mod user;
