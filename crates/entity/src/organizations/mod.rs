//! The tenant, its address, its roles, its members and their teams.

pub mod member;
pub mod member_role;
pub mod organization;
pub mod role;
pub mod slug;
pub mod team;
pub mod team_member;
pub mod team_role;
