//! Facts that an organization keeps for itself: an object of its own making.

use serde_json::Value as Json;

use crate::{Code, Problem, text};

/// Bytes of it at most.
const LARGEST: usize = 16 * 1024;

/// Checks metadata. What is wrong with it goes to `problems`.
pub(super) fn check(problems: &mut Vec<Problem>, metadata: &Json) {
    if !metadata.is_object() || metadata.to_string().len() > LARGEST || text::has_nul(metadata) {
        problems.push(Problem::new(
            Code::Invalid,
            "metadata",
            "Metadata is an object of at most 16 KiB, without NUL characters.",
        ));
    }
}
