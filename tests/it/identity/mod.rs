//! Accounts, passwords and sessions.

mod cookie;
mod password;
mod session;
mod sign_in;
mod sign_up;
