//! People as an organization knows them.

pub mod external_id;
pub mod patron;
