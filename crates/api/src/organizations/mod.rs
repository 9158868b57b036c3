//! Organizations, their roles, members and teams, who is invited, and their keys.

pub mod acceptance;
pub mod api_key;
pub mod held_role;
pub mod invitation;
pub mod member;
pub mod member_role;
pub mod organization;
pub mod role;
pub mod second_factor;
pub mod team;
pub mod team_member;
pub mod team_role;
