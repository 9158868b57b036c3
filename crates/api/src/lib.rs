//! The wire languages: GraphQL and HTTP.
//!
//! The folders are the same nouns as in `domain`, one file per noun, with its GraphQL type, its
//! queries and its mutations. A resolver takes the handle ([`operation`]), calls the domain, and
//! wraps. The root files are the mechanisms: ids, errors, connections, loaders, looking ahead.

pub mod command;
pub mod configuration;
pub mod error;
pub mod guard;
pub mod http;
pub mod mail;
pub mod schema;
pub mod server;
pub mod service;

mod accept;
mod attendance;
mod audit;
mod connection;
mod events;
mod fields;
mod id;
mod identity;
mod imports;
mod live;
mod loader;
mod long;
mod loyalty;
mod node;
mod operation;
mod organizations;
mod pages;
mod patrons;
mod requires;
mod selection;
mod time;
mod user_error;
mod written;

pub use schema::sdl;
pub use service::Service;
