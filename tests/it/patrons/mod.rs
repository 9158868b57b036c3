//! People as an organization knows them.

mod list;
mod patron;
