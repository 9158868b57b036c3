//! Walls: tests about everything at once, found by looking and not by listing. Their allow-lists
//! only shrink.

mod canaries;
pub mod catalog;
mod changes;
mod golden;
mod layering;
mod permissions;
mod plans;
mod queries;
mod rls;
mod samples;
mod schema;
mod sdl;
pub mod stage;
mod tables;
mod tenants;
