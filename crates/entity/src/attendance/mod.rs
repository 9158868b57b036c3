//! Patrons, the scans that say who came, their projection, and imports of both.

pub mod external_id;
pub mod import;
pub mod import_row;
pub mod patron;
pub mod projection;
pub mod scan;
