//! Secrets that have to be read again, encrypted at rest: AES-256-GCM, each for its own place.
//!
//! What is kept is a version, the id of the key, a nonce by chance, and the ciphertext with its tag. The
//! place (table, column and row) is authenticated with it, so that a ciphertext opens nowhere but where
//! it was written. Keys are rotated by putting a new one first: it encrypts from then on, and the others
//! still decrypt.

mod file;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use aes_gcm::{
    Aes256Gcm, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use entity::Id;
use sea_orm::{EntityTrait, IdenStatic};
use uuid::Uuid;

use crate::{Code, Error, Result};

/// How an envelope is built; the first byte of each.
const VERSION: u8 = 1;
/// Bytes of a nonce.
const NONCE: usize = 12;
/// Letters of a key's id at most.
const LONGEST_ID: usize = 32;

/// The keys that secrets are encrypted with. `Debug` tells their ids alone.
#[derive(Clone)]
pub struct Keys(Arc<[Key]>);

struct Key {
    id: String,
    cipher: Aes256Gcm,
}

/// Encrypts what has to be read again, with keys that were given, or that are in a file beside the
/// embedded database; without either it refuses.
pub struct Sealing {
    keys: OnceLock<Keys>,
    file: Option<PathBuf>,
}

/// Where a secret is kept: there it opens, and nowhere else.
#[derive(Clone, Copy)]
pub struct Place {
    table: &'static str,
    column: &'static str,
    row: Uuid,
}

/// A secret that was opened. It has no `Debug`, so that it cannot reach a log by accident.
pub struct Opened {
    /// The secret.
    pub secret: Vec<u8>,
    /// Whether it is to be sealed anew where its row is written anyway, because another key encrypts by
    /// now.
    pub outdated: bool,
}

impl Keys {
    /// The keys of a text like `2027:<base64 of 32 bytes>,2026:<base64 of 32 bytes>`. The first encrypts.
    ///
    /// # Errors
    /// What is wrong with it, which does not repeat any of it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut keys: Vec<Key> = Vec::new();
        for part in text.split(',') {
            let (id, key) = part
                .trim()
                .split_once(':')
                .ok_or("holds a key without an id: write id:base64, with commas between keys")?;
            let is_id = (1..=LONGEST_ID).contains(&id.len())
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
            if !is_id {
                return Err(
                    "holds an id that is not 1 to 32 letters, digits, hyphens or underscores",
                );
            }
            if keys.iter().any(|present| present.id == id) {
                return Err("holds an id twice");
            }
            let key = STANDARD.decode(key).ok();
            let cipher = key.and_then(|key| Aes256Gcm::new_from_slice(&key).ok());
            keys.push(Key {
                id: id.to_owned(),
                cipher: cipher.ok_or("holds a key that is not 32 bytes in base64")?,
            });
        }
        Ok(Self(keys.into()))
    }

    /// These, and those of `others` to decrypt with.
    fn and(&self, others: &Self) -> Self {
        let both = self.0.iter().chain(&*others.0);
        let copies = both.map(|key| Key {
            id: key.id.clone(),
            cipher: key.cipher.clone(),
        });
        Self(copies.collect())
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids = self.0.iter().map(|key| &key.id);
        formatter.debug_list().entries(ids).finish()
    }
}

impl Place {
    /// The column of this row.
    #[must_use]
    pub fn of<E: EntityTrait>(column: E::Column, row: Id<E>) -> Self {
        Self {
            table: E::default().as_str(),
            column: column.as_str(),
            row: row.uuid(),
        }
    }

    /// Authenticated with what is kept there. No name of ours has a NUL in it.
    fn bytes(self) -> Vec<u8> {
        let names = format!("{}\0{}\0", self.table, self.column);
        [names.as_bytes(), self.row.as_bytes()].concat()
    }
}

impl Sealing {
    /// With the keys that were given, if any were.
    #[must_use]
    pub fn by(keys: Option<Keys>) -> Self {
        Self {
            keys: keys.map(OnceLock::from).unwrap_or_default(),
            file: None,
        }
    }

    /// The same for the embedded `database`: with the keys of the file beside it, too, which is made on
    /// first use where no key was given.
    ///
    /// # Errors
    /// The file is there, and cannot be read.
    pub fn beside(database: &Path, keys: Option<Keys>) -> Result<Self> {
        let file = file::beside(database);
        let keys = match (keys, file::read(&file)?) {
            (Some(given), Some(present)) => Some(given.and(&present)),
            (given, present) => given.or(present),
        };
        Ok(Self {
            file: Some(file),
            ..Self::by(keys)
        })
    }

    /// Encrypts a secret for its place.
    ///
    /// # Errors
    /// A refusal where there is no key.
    pub fn seal(&self, place: Place, secret: &[u8]) -> Result<Vec<u8>> {
        let [key, ..] = &*self.keys()?.0 else {
            return Err(unconfigured());
        };
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce)
            .map_err(|error| Error::Internal(format!("no randomness from the system: {error}")))?;
        let payload = Payload {
            msg: secret,
            aad: &place.bytes(),
        };
        let ciphertext = key
            .cipher
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| Error::Internal("a secret that is too long to encrypt".to_owned()))?;
        // No id is longer than a byte can say.
        let length = u8::try_from(key.id.len()).unwrap_or_default();
        let header = [VERSION, length];
        Ok([&header, key.id.as_bytes(), &nonce, &ciphertext].concat())
    }

    /// Decrypts what was sealed for this place.
    ///
    /// # Errors
    /// A refusal where there is no key at all. [`Error::Internal`] where it was sealed for another place,
    /// was changed, or its key is not among those there are.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Opened> {
        let keys = self.keys()?;
        let broken = |why: &str| {
            let Place { table, column, row } = place;
            Error::Internal(format!("{table}.{column} of {row} cannot be opened: {why}"))
        };
        let (id, nonce, ciphertext) = parts(sealed).ok_or_else(|| broken("it is no envelope"))?;
        let mut known = keys.0.iter().enumerate();
        let aad = place.bytes();
        let mut why = "its key is not among those of ROLLCALL_SECRET_KEYS";
        // A file beside the database may have a key of the same name.
        while let Some((index, key)) = known.find(|(_, key)| key.id.as_bytes() == id) {
            let payload = Payload {
                msg: ciphertext,
                aad: &aad,
            };
            if let Ok(secret) = key.cipher.decrypt(&Nonce::from(nonce), payload) {
                let outdated = index > 0;
                return Ok(Opened { secret, outdated });
            }
            why = "it was sealed with another key, for another place, or was changed";
        }
        Err(broken(why))
    }

    fn keys(&self) -> Result<&Keys> {
        if let Some(keys) = self.keys.get() {
            return Ok(keys);
        }
        let file = self.file.as_ref().ok_or_else(unconfigured)?;
        let made = file::make(file)?;
        Ok(self.keys.get_or_init(|| made))
    }
}

fn parts(sealed: &[u8]) -> Option<(&[u8], [u8; NONCE], &[u8])> {
    let (header, rest) = sealed.split_at_checked(2)?;
    let [VERSION, length] = header else {
        return None;
    };
    let (id, rest) = rest.split_at_checked(usize::from(*length))?;
    let (nonce, ciphertext) = rest.split_at_checked(NONCE)?;
    Some((id, nonce.try_into().ok()?, ciphertext))
}

fn unconfigured() -> Error {
    Error::refused(
        Code::NotConfigured,
        "",
        "This keeps a secret, and there is no key to encrypt it with: whoever runs Rollcall sets ROLLCALL_SECRET_KEYS first.",
    )
}

#[cfg(test)]
mod tests;
