//! Refusals of a request before there is an operation to answer.

use async_graphql::{Response, ServerError};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};

use super::answer;
use super::negotiation::Media;
use crate::guard;

/// A status and one GraphQL error. Its body is well-formed GraphQL, like every other answer's.
#[derive(Debug)]
pub(super) struct Rejection {
    status: StatusCode,
    error: ServerError,
    header: Option<(HeaderName, HeaderValue)>,
}

impl Rejection {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            error: guard::error(code, message, None),
            header: None,
        }
    }

    /// 400 `BAD_REQUEST`.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    /// 405 `METHOD_NOT_ALLOWED` with the methods that are.
    pub(super) fn method(allow: &'static str, message: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "METHOD_NOT_ALLOWED",
            message,
        )
        .with(header::ALLOW, allow)
    }

    /// 503 `UNAVAILABLE`: this process holds as many sockets, streams and uploads as it may.
    pub(super) fn full() -> Self {
        let message = "The server has no room for another connection or upload; try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message)
            .with(header::RETRY_AFTER, "5")
    }

    /// Closes the connection after the answer: the rest of the body is not read.
    pub(super) fn and_close(self) -> Self {
        self.with(header::CONNECTION, "close")
    }

    pub(super) fn into_response(self, media: Media) -> axum::response::Response {
        let body = answer::encode(&mut Response::from_errors(vec![self.error]), usize::MAX);
        let mut response = answer::http(media.or_json(), self.status, body);
        response.headers_mut().extend(self.header);
        response
    }

    fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.header = Some((name, HeaderValue::from_static(value)));
        self
    }
}
