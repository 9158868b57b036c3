//! E-mail addresses: normalized first, then checked, then stored as normalized.

mod change;
mod verify;

use unicode_normalization::UnicodeNormalization;

pub use change::{confirm_change, request_change};
pub use verify::{request_verification, verify};

use crate::{Code, Problem, text};

/// The address as it is stored and compared: NFKC, trimmed, lower case.
#[must_use]
pub fn normalize(address: &str) -> String {
    address.nfkc().collect::<String>().trim().to_lowercase()
}

/// Normalizes an address, then checks it. Only a message to it proves that it works.
pub fn check(address: &str) -> Result<String, Problem> {
    // A longer text is no address, and normalizing could make it longer still.
    let normalized = if address.len() <= 1024 {
        normalize(address)
    } else {
        String::new()
    };
    let well_formed = normalized.len() <= 254
        && normalized.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && local.len() <= 64
                && domain.contains('.')
                && domain
                    .split('.')
                    .all(|label| !label.is_empty() && label.len() <= 63)
                && !domain.contains('@')
        })
        && !normalized.chars().any(|character| {
            character.is_whitespace()
                || character.is_control()
                || text::is_invisible(character)
                || "<>()[]\\,;:\"".contains(character)
        });
    if well_formed {
        Ok(normalized)
    } else {
        Err(Problem::new(
            Code::Invalid,
            "email",
            "This is not an e-mail address like name@example.org.",
        ))
    }
}
