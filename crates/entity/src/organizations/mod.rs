//! The tenant, its address, its roles, its members, their teams, who is invited, and its keys.

pub mod api_key;
pub mod api_key_secret;
pub mod invitation;
pub mod invitation_token;
pub mod member;
pub mod member_role;
pub mod organization;
pub mod role;
pub mod slug;
pub mod team;
pub mod team_member;
pub mod team_role;
