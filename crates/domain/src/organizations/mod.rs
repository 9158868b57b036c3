//! Organizations, who has access to them, and what they may do.

pub mod acceptance;
pub mod access;
pub mod account;
pub mod api_key;
pub mod caller;
pub mod invitation;
pub mod invitation_file;
pub mod member;
pub mod member_role;
mod metadata;
pub mod organization;
pub mod ownership;
pub mod role;
pub mod second_factor;
pub mod slug;
pub mod team;
pub mod team_member;
pub mod team_role;
pub mod time_zone;
