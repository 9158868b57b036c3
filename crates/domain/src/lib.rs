//! What is true through any door: tenancy, permissions, rules, transactions and jobs.
//!
//! Start at [`scope`]: it says how SQL is run at all. The other root files are the mechanisms
//! everybody reads; the folders are the nouns, in a ladder where lower never imports higher:
//! `identity < organizations < {events, patrons} < loyalty < attendance`. `live`, `audit` and `jobs`
//! consume what the others commit.

pub mod attendance;
pub mod audit;
pub mod change;
pub mod clock;
pub mod demo;
pub mod error;
pub mod events;
pub mod identity;
pub mod jobs;
pub mod limit;
pub mod live;
pub mod loyalty;
pub mod mail;
pub mod organizations;
pub mod page;
pub mod patrons;
pub mod permission;
pub mod scope;
pub mod secret;
pub mod text;

pub use change::{Change, ChangeKind};
pub use clock::Clock;
pub use entity;
pub use entity::Id;
pub use error::{Code, Error, Problem, Result};
pub use limit::Limits;
pub use permission::{BuiltInRole, Grant, Permission, Permissions};
pub use scope::{Actor, Database, Db, Reader, Scope, System, Viewer, Writer};
