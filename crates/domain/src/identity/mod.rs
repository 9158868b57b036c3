//! Who a person is: accounts, passwords, second factors and sessions.

pub mod account_log;
pub(crate) mod account_token;
pub mod email;
pub mod known;
pub mod linked_account;
pub mod password;
pub mod profile;
pub mod second_factor;
pub mod session;
pub mod sign_in;
pub mod sign_up;
pub mod user;
pub mod username;

pub use password::Passwords;
