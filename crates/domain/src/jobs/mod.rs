//! Work that outlives its request: taken by whichever instance is free, once, and taken again if
//! that instance dies.

mod cleanup;
mod mailer;
mod schedule;
mod worker;

pub use mailer::{Mailer, Transport};
pub use schedule::Scheduler;
pub use worker::Worker;
