//! The key of an embedded database for which nobody configured one: in a file beside it.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::Keys;
use crate::{Error, Result, secret::Token};

/// Where the key of this database is kept.
pub(super) fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".key");
    name.into()
}

/// The keys in the file, if it is there.
pub(super) fn read(file: &Path) -> Result<Option<Keys>> {
    match fs::read_to_string(file) {
        Ok(text) => match Keys::parse(text.trim()) {
            Ok(keys) => Ok(Some(keys)),
            Err(why) => Err(unusable(file, why)),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(file, error)),
    }
}

/// Makes the file, for its owner alone, and gives its key. Of many processes that do so at once one
/// makes it, whole and on the disk before anything is encrypted with it; the others read that one.
pub(super) fn make(file: &Path) -> Result<Keys> {
    if let Some(present) = read(file)? {
        return Ok(present);
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key)
        .map_err(|error| Error::Internal(format!("no randomness from the system: {error}")))?;
    let text = format!("file:{}\n", STANDARD.encode(key));
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(format!(".{}", Token::random()?.reveal()));
    let unfinished = PathBuf::from(unfinished);
    let written = write(&unfinished, &text).and_then(|()| fs::hard_link(&unfinished, file));
    let _ = fs::remove_file(&unfinished);
    match written {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(unusable(file, error));
        }
        _ => {}
    }
    if let Some(directory) = file.parent().filter(|parent| *parent != Path::new("")) {
        // Where a directory can be opened, its entries are on the disk after this.
        let _ = File::open(directory).and_then(|directory| directory.sync_all());
    }
    let made = read(file)?;
    made.ok_or_else(|| unusable(file, "it was removed a moment ago"))
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn unusable(file: &Path, why: impl std::fmt::Display) -> Error {
    let file = file.display();
    Error::Internal(format!("the key file {file} cannot be used: {why}"))
}
