//! Registrations, the door, devices' batches, and what they come to.

mod batch;
mod capacity;
mod device_key;
mod door;
mod idempotency;
mod permission;
mod property;
mod registration;
mod removal;
mod window;
