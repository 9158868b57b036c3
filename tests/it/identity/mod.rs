//! Accounts, passwords and sessions.

mod account_log;
mod closing;
mod cookie;
mod found;
mod fresh;
mod known;
mod limits;
mod password;
mod profile;
mod provider;
mod purge;
mod second_factor;
mod session;
mod sign_in;
mod sign_up;
mod timing;
