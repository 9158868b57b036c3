//! The scans that say who came, the attendances projected from them, and imports.

pub mod import;
pub mod import_file;
pub mod import_row;
pub mod projection;
pub mod scan;
