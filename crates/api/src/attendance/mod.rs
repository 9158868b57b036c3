//! Who registered, who came, when, and how long they stayed.

#[expect(
    clippy::module_inception,
    reason = "the noun of this folder is also one of its files"
)]
pub mod attendance;
pub mod batch;
pub mod registration;
pub mod scan;
