//! Work that outlives its request: taken by whichever instance is free, once, and taken again if
//! that instance dies.

mod mailer;
mod worker;

pub use mailer::{Mailer, Transport};
pub use worker::Worker;
