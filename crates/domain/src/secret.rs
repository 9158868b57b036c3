//! Secrets: tokens, of which a hash is kept, and what has to be read again, which is encrypted.

pub mod sealing;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// A secret told once to the one who is to have it: 256 bits from the operating system.
///
/// `Debug` and `Display` are not derived, so that it cannot reach a log by accident.
pub struct Token([u8; 32]);

impl Token {
    /// A fresh token.
    pub fn random() -> Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::Internal(format!("no randomness from the system: {error}")))?;
        Ok(Self(bytes))
    }

    /// The token in `text`, if it can be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// What the holder is told.
    #[must_use]
    pub fn reveal(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// What is stored: SHA-256, which is enough for 256 random bits.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        sha256(&self.0)
    }
}

/// SHA-256 of `bytes` (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}
