//! The tenant: organizations, their addresses, roles and members.

pub mod member;
pub mod organization;
pub mod ownership;
pub mod slug;
pub mod time_zone;
