//! Organizations, and who may do what in them.

mod access;
mod member;
mod organization;
