//! Work that outlives its request: taken by whichever instance is free, once, and taken again if
//! that instance dies.

mod worker;

pub use worker::Worker;
