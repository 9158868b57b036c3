//! The numbered log of changes: by pull, and live.
//!
//! The log in the database is the truth. Everything else here only says *when* to read it: commits
//! of this process, wake-ups through Redis, and a clock for when both fail.

pub mod feed;
mod follower;
pub mod hub;
pub mod subscription;
pub mod wake;

pub use hub::Hub;
