//! The tenant, its address, its roles and its members.

pub mod member;
pub mod organization;
pub mod role;
pub mod slug;
