//! The rule for usernames (schema source 001): 3 to 50 of `[A-Za-z0-9_]`.

use crate::{Code, Problem};

/// Checks a username and gives its key: what uniqueness and sign-in compare.
pub fn check(username: &str) -> Result<String, Problem> {
    let permitted = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if (3..=50).contains(&username.len()) && username.bytes().all(permitted) {
        Ok(key(username))
    } else {
        Err(Problem::new(
            Code::Invalid,
            "username",
            "A username has 3 to 50 letters (A to Z), digits or underscores.",
        ))
    }
}

/// The key of a username, whether or not it is permitted.
#[must_use]
pub fn key(username: &str) -> String {
    username.to_ascii_lowercase()
}
