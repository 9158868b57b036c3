//! Organizations, who belongs to them, and what they may do.

mod access;
pub mod invitation;
mod invitation_file;
mod leaving;
mod member;
mod organization;
pub mod role;
mod second_factor;
pub mod team;
