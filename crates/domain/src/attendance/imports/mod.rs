//! Bringing people, and what they attended, in from a file exported elsewhere: a dry run, then a
//! commit, both as jobs that go on where they were stopped.
//!
//! [`import`] starts one and reads it; [`plan`] is the dry run; [`commit`] writes. The other files
//! read the file itself, without touching the database:
//!
//! ```text
//! bytes -> text (text.rs) -> records (record.rs) -> columns (header.rs) and fields (preset.rs) -> rows (row.rs)
//! ```
//!
//! [`read`] answers what the file is and which column means what, so that a person can see and change it;
//! the [`Reader`] it returns then yields one item per data row. One row's problem never stops the others.

pub mod commit;
pub mod import;
pub mod plan;
pub mod retention;

mod attended;
mod file;
mod header;
mod matching;
mod preset;
mod record;
mod row;
mod text;
mod time;
mod value;

pub use attended::{Attended, SkipReason};
pub use file::{FileError, MAX_ROWS, Options, Reader, read};
pub use preset::{Detection, Field, Mapping, Preset};
pub use row::{Person, Row, RowError, RowErrorCode};
pub use text::Encoding;
