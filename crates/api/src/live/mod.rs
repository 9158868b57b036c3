//! What happened: by pull, and live.

pub mod change;
pub mod shared;
pub mod subscriber;
