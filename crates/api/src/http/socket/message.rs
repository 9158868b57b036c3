//! The messages of `graphql-transport-ws`, and how a socket ends.

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes};
use serde::Deserialize;
use serde_json::{Map, Value};

/// What a client may send.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientMessage {
    /// Opens the conversation; the payload may hold a credential.
    ConnectionInit {
        /// `Authorization` and `Rollcall-Organization`, in any case.
        payload: Option<Map<String, Value>>,
    },
    /// Asks for a `pong`.
    Ping,
    /// Answers our `ping`, or comes by itself.
    Pong,
    /// Starts an operation.
    Subscribe {
        /// Names the operation until it ends.
        id: String,
        /// The request's parameters.
        payload: Map<String, Value>,
    },
    /// Ends an operation.
    Complete {
        /// The operation.
        id: String,
    },
}

impl ClientMessage {
    /// Reads a message; `None` when it is none of the protocol's.
    pub(super) fn read(text: &str) -> Option<Self> {
        // Serde would read an array as an object without names.
        if !text.trim_start().starts_with('{') {
            return None;
        }
        serde_json::from_str(text).ok()
    }
}

/// `connection_ack`.
pub(super) const ACK: &str = r#"{"type":"connection_ack"}"#;
/// `pong`.
pub(super) const PONG: &str = r#"{"type":"pong"}"#;

/// `next` with a response, which is JSON already.
pub(super) fn next(id: &str, response: &[u8]) -> Message {
    with_payload("next", id, response)
}

/// `error` with a list of errors, which is JSON already.
pub(super) fn error(id: &str, errors: &[u8]) -> Message {
    with_payload("error", id, errors)
}

/// `complete`.
pub(super) fn complete(id: &str) -> Message {
    let id = Value::from(id);
    Message::text(format!(r#"{{"id":{id},"type":"complete"}}"#))
}

/// Why a socket ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// We close it, with a code and a reason.
    Close(u16, String),
    /// The client closed it, or is no longer there.
    Gone,
}

impl End {
    pub(super) fn close(code: u16, reason: impl Into<String>) -> Self {
        Self::Close(code, reason.into())
    }

    /// The close frame to send, if there is anybody to read it.
    pub(super) fn frame(self) -> Option<Message> {
        let Self::Close(code, mut reason) = self else {
            return None;
        };
        reason.truncate(reason.floor_char_boundary(MAX_REASON));
        let reason = Utf8Bytes::from(reason);
        Some(Message::Close(Some(CloseFrame { code, reason })))
    }
}

/// A control frame holds 125 bytes, two of which are the code. A longer reason breaks the frame.
const MAX_REASON: usize = 123;

fn with_payload(kind: &str, id: &str, payload: &[u8]) -> Message {
    let id = Value::from(id);
    let payload = String::from_utf8_lossy(payload);
    Message::text(format!(
        r#"{{"id":{id},"type":"{kind}","payload":{payload}}}"#
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_strictly() {
        for accepted in [
            r#"{"type":"connection_init"}"#,
            r#"{"type":"connection_init","payload":null}"#,
            r#"{"payload":{"query":"{ a }"},"id":"1","type":"subscribe","other":1}"#,
            r#"{"type":"complete","id":"1"}"#,
            r#"{"type":"ping","payload":{"a":1}}"#,
            r#"{"type":"pong"}"#,
        ] {
            assert!(ClientMessage::read(accepted).is_some(), "{accepted}");
        }
        for refused in [
            "",
            "{",
            "null",
            "[]",
            r#"["ping"]"#,
            r#"["connection_init",{}]"#,
            r#"{"type":"next"}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":1,"payload":{}}"#,
            r#"{"type":"subscribe","id":"1","payload":[]}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"connection_init","payload":"x"}"#,
        ] {
            assert!(ClientMessage::read(refused).is_none(), "{refused}");
        }
    }

    #[test]
    fn reasons_fit_their_frame() {
        let Some(Message::Close(Some(frame))) = End::close(4409, "é".repeat(100)).frame() else {
            panic!("a close frame");
        };
        assert_eq!(frame.reason.len(), 122);
        assert_eq!(End::Gone.frame(), None);
    }

    #[test]
    fn identifiers_are_quoted() {
        let Message::Text(text) = next("\"\n", b"{}") else {
            panic!("a text message");
        };
        assert_eq!(text.as_str(), r#"{"id":"\"\n","type":"next","payload":{}}"#);
    }
}
