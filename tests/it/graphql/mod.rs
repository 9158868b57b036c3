//! GraphQL itself: what the library answers, and what hostile documents are answered.

mod conformance;
mod hostile;
mod serial;
mod written;
