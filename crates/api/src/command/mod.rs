//! What the binary does, one file a command.

pub mod demo;
pub mod import;
pub mod migrate;
pub mod serve;
