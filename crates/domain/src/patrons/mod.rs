//! People as an organization knows them.

pub mod patron;
