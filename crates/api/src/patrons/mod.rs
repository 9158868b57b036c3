//! People as the organization knows them.

pub mod mutation;
pub mod patron;
