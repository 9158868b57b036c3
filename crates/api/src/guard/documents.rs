//! Documents that were parsed lately: clients send the same few again and again.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use async_graphql::{
    ServerError,
    parser::{Error, parse_query, types::ExecutableDocument},
};

use super::{error, root, scan};

/// Bytes of a document that is worth keeping.
const LARGEST: usize = 8 * 1024;
/// Bytes of all documents that are kept. A tree takes some thirty times its text.
const MOST: usize = 256 * 1024;

/// The tree of a document whose text is within the limits.
///
/// # Errors
/// The code of the limit that it breaks, or `GRAPHQL_PARSE_FAILED`.
pub fn parsed(text: &str) -> Result<Arc<ExecutableDocument>, ServerError> {
    if let Some(known) = lock().of.get(text) {
        return Ok(known.clone());
    }
    scan::scan(text)?;
    let mut document = parse_query(text).map_err(|error| failure(&error))?;
    root::flatten(&mut document);
    let document = Arc::new(document);
    if text.len() <= LARGEST {
        lock().keep(text, &document);
    }
    Ok(document)
}

#[derive(Default)]
struct Documents {
    of: HashMap<Box<str>, Arc<ExecutableDocument>>,
    bytes: usize,
}

impl Documents {
    fn keep(&mut self, text: &str, document: &Arc<ExecutableDocument>) {
        if self.bytes + text.len() > MOST {
            *self = Self::default();
        }
        if self.of.insert(text.into(), document.clone()).is_none() {
            self.bytes += text.len();
        }
    }
}

/// A parsed document depends on nothing but its text, so that one set serves the whole process. No
/// code panics while it holds the lock.
fn lock() -> MutexGuard<'static, Documents> {
    static DOCUMENTS: LazyLock<Mutex<Documents>> = LazyLock::new(Mutex::default);
    DOCUMENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The parser's text quotes the document in several lines; only what it expected is kept.
fn failure(failure: &Error) -> ServerError {
    let message = match failure {
        Error::Syntax { message, .. } => match message.rsplit_once("\n  = ") {
            Some((_, expected)) => format!("Syntax error: {}.", expected.replace('_', " ")),
            None => "Syntax error.".to_owned(),
        },
        Error::RecursionLimitExceeded => "The document is nested too deeply.".to_owned(),
        other => format!("Invalid document: {other}."),
    };
    error("GRAPHQL_PARSE_FAILED", message, failure.positions().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_parsed_once() {
        let text = "{ viewer { permissions } }";
        let first = parsed(text).expect("a document");
        assert!(Arc::ptr_eq(&first, &parsed(text).expect("a document")));
        assert!(parsed("{ viewer").is_err() && parsed("{ viewer").is_err());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut documents = Documents::default();
        let document = Arc::new(parse_query("{ a }").expect("a document"));
        for number in 0..1_000 {
            documents.keep(&format!("{number:01000}"), &document);
            assert!(documents.bytes <= MOST);
            assert_eq!(documents.bytes, documents.of.len() * 1_000);
        }
    }
}
