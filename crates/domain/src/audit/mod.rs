//! The audit log: who did what, and was denied what. Entries are written by `scope`, with every
//! commit and every denial; here they are read, proved, and removed when their time has come.

pub mod entry;
pub mod proof;
pub mod retention;
