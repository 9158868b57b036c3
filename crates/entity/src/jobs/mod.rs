//! Work that outlives its request.

pub mod job;
pub mod mail;
pub mod schedule;
