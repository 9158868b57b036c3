//! Files of people, and of what they attended, on their way in.

pub mod import;
pub mod mutation;
pub mod preset;
pub mod row;
