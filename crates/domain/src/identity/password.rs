//! Passwords: the rule (schema source 001) and Argon2id, with bounded concurrency.

mod change;
mod confirm;
mod reset;

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

pub use change::change;
pub use confirm::{confirm, prove};
pub use reset::{request_reset, reset};

use crate::{Code, Error, Problem, Result};

/// Hashes at work at once: each takes a core and the profile's memory.
const CONCURRENT: usize = 2;
/// Requests that may wait for a hash; more are told to come back.
const WAITING: usize = 64;
/// Bytes of a text that may be a password: no more are normalized or hashed.
pub(super) const LONGEST: usize = 1024;
/// What is stored for an account without a password: no hash, so that none verifies.
pub(super) const UNUSABLE: &str = "!";

/// How hard a hash is to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// 19 MiB, 2 passes, 1 lane: OWASP's floor.
    #[default]
    Standard,
    /// 64 MiB, 3 passes, 4 lanes (schema source 002).
    Hardened,
}

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    working: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// Verified when there is no such user, or none with a password, so that all take the same time.
    dummy: Arc<str>,
}

impl Passwords {
    /// A hasher with its limits; made once per process.
    pub fn new(profile: Profile) -> Result<Self> {
        let params = match profile {
            Profile::Standard => Params::new(19 * 1024, 2, 1, None),
            Profile::Hardened => Params::new(64 * 1024, 3, 4, None),
        }
        .map_err(|error| Error::Internal(format!("Argon2 parameters: {error}")))?;
        Ok(Self {
            dummy: dummy(&params).into(),
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            working: Arc::new(Semaphore::new(CONCURRENT)),
            waiting: Arc::new(Semaphore::new(CONCURRENT + WAITING)),
        })
    }

    /// Hashes a checked password into a PHC string.
    pub async fn hash(&self, password: String) -> Result<String> {
        let argon2 = self.argon2.clone();
        self.work(move || hash(&argon2, &password)).await?
    }

    /// Verifies a password against a stored hash; without one, or with one that no password has, it
    /// takes the same time and says no.
    /// With a match it also says whether the hash should be renewed, because it was made with
    /// other parameters than today's.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<Verdict> {
        let (argon2, dummy) = (self.argon2.clone(), self.dummy.clone());
        self.work(move || {
            let password: String = password.nfc().collect();
            let stored = stored.as_deref().and_then(usable);
            let Some(hash) = stored.clone().or_else(|| usable(&dummy)) else {
                return Verdict::Wrong;
            };
            let verified = argon2.verify_password(password.as_bytes(), &hash);
            if verified.is_err() || stored.is_none() {
                Verdict::Wrong
            } else if Params::try_from(&hash).is_ok_and(|params| same(&params, argon2.params())) {
                Verdict::Right
            } else {
                Verdict::RightButOutdated
            }
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let busy = |_| Error::Unavailable("Too many people are signing in at once.");
        let _waiting = self.waiting.clone().try_acquire_owned().map_err(busy)?;
        let working = self
            .working
            .clone()
            .acquire_owned()
            .await
            .map_err(|error| Error::Internal(error.to_string()))?;
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop(working);
            result
        })
        .await
        .map_err(|error| Error::Internal(format!("hashing: {error}")))
    }
}

/// What a verification found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Another password, or no user.
    Wrong,
    /// The password.
    Right,
    /// The password, but its hash should be renewed.
    RightButOutdated,
}

/// Checks a new password: 8 to 128 characters with an upper-case letter, a lower-case letter and a
/// digit.
pub fn check(password: &str) -> Result<(), Problem> {
    let length = if password.len() <= LONGEST {
        password.nfc().count()
    } else {
        usize::MAX
    };
    let strong = (8..=128).contains(&length)
        && password.chars().any(char::is_uppercase)
        && password.chars().any(char::is_lowercase)
        && password.chars().any(|character| character.is_ascii_digit());
    if strong {
        Ok(())
    } else {
        Err(Problem::new(
            Code::WeakPassword,
            "password",
            "A password has 8 to 128 characters, among them an upper-case letter, a lower-case letter and a digit.",
        ))
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String> {
    let password: String = password.nfc().collect();
    argon2
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Error::Internal(format!("hashing: {error}")))
}

/// Whether there is a password that a stored text verifies.
pub(super) fn is_usable(stored: &str) -> bool {
    usable(stored).is_some()
}

/// A stored text as the hash that it is; none for one that no password has.
fn usable(stored: &str) -> Option<PasswordHash> {
    let hash = PasswordHash::new(stored).ok()?;
    let is_complete = hash.salt.is_some() && hash.hash.is_some();
    (is_complete && hash.algorithm.as_str() == "argon2id").then_some(hash)
}

/// A hash of nobody's password, as hard to verify as any. Its salt and digest are zeros and not
/// computed, which would take every start as long as a sign-in, and 19 MiB.
fn dummy(params: &Params) -> String {
    let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
    let (salt, digest) = ("A".repeat(22), "A".repeat(43));
    format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${digest}")
}

fn same(one: &Params, other: &Params) -> bool {
    (one.m_cost(), one.t_cost(), one.p_cost()) == (other.m_cost(), other.t_cost(), other.p_cost())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_password_takes_as_long_as_anyones() {
        for profile in [Profile::Standard, Profile::Hardened] {
            let passwords = Passwords::new(profile).expect("a profile");
            let somebodys = hash(&passwords.argon2, "Sunrise 7").expect("a hash");
            let work = |text: &str| {
                let hash = PasswordHash::new(text).expect("a hash");
                let params = Params::try_from(&hash).expect("parameters");
                let salt = hash.salt.map(|salt| salt.as_ref().len());
                let digest = hash.hash.map(|digest| digest.as_bytes().len());
                (params, salt, digest)
            };
            assert_eq!(work(&passwords.dummy), work(&somebodys));
        }
    }
}
