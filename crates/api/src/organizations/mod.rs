//! Organizations, their roles and their members.

pub mod member;
pub mod organization;
pub mod role;
