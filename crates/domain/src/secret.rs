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
        fill(&mut bytes)?;
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

    /// Another token, for this purpose, which only who has this one can make.
    #[must_use]
    pub fn derived(&self, purpose: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(purpose.as_bytes())
            .chain_update(b"\0")
            .chain_update(self.0);
        Self(hash.finalize().into())
    }

    /// What is stored: SHA-256, which is enough for 256 random bits.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        sha256(&self.0)
    }
}

/// The text of an API key: `rck_`, 8 characters by which it is found, 43 that are secret, and 6 that
/// say whether it was copied as it is. All are letters and digits: it is selected by a double click, and
/// secret scanners know it by `rck_[0-9A-Za-z]{57}`. 43 of them are 256 bits.
///
/// `Debug` and `Display` are not derived, as above.
pub struct Key(String);

impl Key {
    /// What every key begins with.
    pub const PREFIX: &str = "rck_";
    const LOOKUP: usize = 8;
    const SECRET: usize = 43;
    const CHECKSUM: usize = 6;

    /// A fresh key.
    pub fn random() -> Result<Self> {
        let mut text = String::from(Self::PREFIX);
        while text.len() < Self::PREFIX.len() + Self::LOOKUP + Self::SECRET {
            let mut bytes = [0; 64];
            fill(&mut bytes)?;
            let missing = Self::PREFIX.len() + Self::LOOKUP + Self::SECRET - text.len();
            // The last 8 of 256 would make some digits likelier than others.
            let digits = bytes.iter().filter(|byte| **byte < 248);
            text.extend(digits.take(missing).map(|byte| digit(u32::from(*byte))));
        }
        text.push_str(&checksum(&text));
        Ok(Self(text))
    }

    /// The key in `text`, if it can be one: whoever mistyped theirs is told so without a question to
    /// the database.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let length = Self::PREFIX.len() + Self::LOOKUP + Self::SECRET + Self::CHECKSUM;
        let is_whole = text.len() == length && text.starts_with(Self::PREFIX);
        let (said, sum) = text.split_at_checked(length - Self::CHECKSUM)?;
        let digits = said.bytes().skip(Self::PREFIX.len());
        let is_one = is_whole
            && digits.into_iter().all(|byte| byte.is_ascii_alphanumeric())
            && checksum(said) == sum;
        is_one.then(|| Self(text.to_owned()))
    }

    /// What the holder is told.
    #[must_use]
    pub fn reveal(&self) -> String {
        self.0.clone()
    }

    /// What it is found by, which is no secret.
    #[must_use]
    pub fn lookup(&self) -> &str {
        let start = Self::PREFIX.len();
        self.0.get(start..start + Self::LOOKUP).unwrap_or_default()
    }

    /// What is stored: SHA-256 of the whole text.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        sha256(self.0.as_bytes())
    }
}

/// CRC-32 in base 62, with zeros before it.
fn checksum(text: &str) -> String {
    let mut rest = crc32(text.as_bytes());
    let mut digits = ['0'; Key::CHECKSUM];
    for place in digits.iter_mut().rev() {
        *place = digit(rest);
        rest /= 62;
    }
    digits.iter().collect()
}

/// The last digit of a number in base 62.
fn digit(number: u32) -> char {
    let digits = ('0'..='9').chain('A'..='Z').chain('a'..='z');
    let mut digits = digits.skip((number % 62) as usize);
    digits.next().unwrap_or('0')
}

/// CRC-32 as Ethernet and zip have it (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let shifted = |crc: u32| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1));
    let with = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| shifted(crc));
    !bytes.iter().fold(!0, with)
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes)
        .map_err(|error| Error::Internal(format!("no randomness from the system: {error}")))
}

/// SHA-256 of `bytes` (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_checksum_is_the_known_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        // 3421780262 in base 62, reckoned elsewhere.
        assert_eq!(checksum("123456789"), "3jZRME");
    }

    #[test]
    fn keys_have_their_shape_and_differ() {
        let keys: Vec<Key> = (0..100).map(|_| Key::random().unwrap()).collect();
        for key in &keys {
            let text = key.reveal();
            assert_eq!(text.len(), 61);
            let digits = text.strip_prefix("rck_").unwrap();
            assert!(digits.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert_eq!(key.lookup(), &digits[..8]);
            assert_eq!(Key::parse(&text).unwrap().hash(), key.hash());
        }
        let mut hashes: Vec<_> = keys.iter().map(Key::hash).collect();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), 100);
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_noticed(place in 4_usize..61, other in "[0-9A-Za-z]") {
            let text = Key::random().unwrap().reveal();
            let mut typo = text.clone();
            typo.replace_range(place..=place, &other);
            prop_assert_eq!(Key::parse(&typo).is_some(), typo == text);
        }

        #[test]
        fn two_that_changed_places_are_noticed(place in 4_usize..60) {
            let text = Key::random().unwrap().reveal();
            let mut letters: Vec<char> = text.chars().collect();
            letters.swap(place, place + 1);
            let typo: String = letters.into_iter().collect();
            prop_assert_eq!(Key::parse(&typo).is_some(), typo == text);
        }

        #[test]
        fn what_is_no_key_is_none(text in ".{0,80}") {
            prop_assert!(Key::parse(&text).is_none());
            let prefixed = format!("rck_{text}");
            prop_assert!(Key::parse(&prefixed).is_none());
        }
    }
}
