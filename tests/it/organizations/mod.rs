//! Organizations, who belongs to them, and what they may do.

mod access;
mod api_key;
mod api_key_life;
pub mod invitation;
mod invitation_file;
mod leaving;
mod member;
mod organization;
pub mod role;
mod second_factor;
pub mod team;
