//! Who a person is: the global login and its sessions.

pub mod session;
pub mod user;
