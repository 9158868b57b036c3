//! What is stored: one SeaORM model per table, typed ids, and which tables a tenant owns.
//!
//! Nothing here runs a statement. Reading and writing happens through the handles of
//! `domain::scope`, which start every statement with the tenant of [`TenantOwned`].

pub mod attendance;
pub mod audit;
pub mod events;
pub mod id;
pub mod identity;
pub mod jobs;
pub mod live;
pub mod loyalty;
pub mod organizations;
pub mod patrons;
pub mod tenant;

pub use id::Id;
pub use tenant::TenantOwned;
