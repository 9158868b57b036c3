//! Who registered, who came, when, and how long they stayed.
//!
//! Scans are the truth and are only ever added; an attendance is their [`projection`], rebuilt from
//! them in a test.

mod batch;
pub mod imports;
pub mod projection;
pub mod queue;
pub mod record;
pub mod registration;
pub mod removal;
pub mod scan;
