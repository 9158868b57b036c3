//! Events: their times, their status, and their lists.

mod event;
mod list;
mod status;
