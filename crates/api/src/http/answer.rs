//! Running an operation, and writing down what came of it.

use std::collections::BTreeMap;
use std::io;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response, ServerError, Value};
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use tokio::time::timeout;

use super::negotiation::Media;
use super::{Credential, Road, Service, Settings, stream};
use crate::guard::{self, Operation};

/// Errors in one response.
const MAX_ERRORS: usize = 10;

/// Runs a query within its deadline, or a mutation to its end.
///
/// A mutation has a task of its own: neither a client that hangs up nor a timeout may cancel it
/// between two of its statements.
pub(super) async fn execute<S: Service>(
    road: &Road<S>,
    credential: Credential,
    operation: Operation,
) -> Response {
    let settings = &road.settings;
    match operation.kind {
        OperationType::Query => {
            let run = road.service.execute(credential, operation);
            timeout(settings.query_deadline, run)
                .await
                .unwrap_or_else(|_| {
                    failure(
                        DEADLINE,
                        "The query took too long; ask for less of it at a time.",
                    )
                })
        }
        OperationType::Mutation if settings.tasks.len() >= settings.max_tasks => {
            failure(UNAVAILABLE, "The server is busy; try again.")
        }
        OperationType::Mutation => {
            let service = road.service.clone();
            let run = async move { service.execute(credential, operation).await };
            let run = settings.tasks.spawn(run).await;
            run.unwrap_or_else(|_| failure(INTERNAL, "The server failed; this is our mistake."))
        }
        OperationType::Subscription => failure(
            "UNSUPPORTED_OPERATION",
            "Subscribe over a WebSocket, or accept text/event-stream.",
        ),
    }
}

const DEADLINE: &str = "DEADLINE";
const UNAVAILABLE: &str = "UNAVAILABLE";
const INTERNAL: &str = "INTERNAL";

/// The HTTP answer that carries a response, with the headers that the service set.
pub(super) fn respond<S: Service>(
    media: Media,
    mut response: Response,
    settings: &Settings,
) -> axum::response::Response {
    let body = encode(&mut response, settings.max_response);
    let (status, body) = match media {
        Media::EventStream => (StatusCode::OK, stream::single(&body)),
        _ => (status::<S>(media, &response), body),
    };
    let mut answer = http(media, status, body);
    if let Some(seconds) = retry_after(status, &response) {
        answer.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    answer.headers_mut().extend(response.http_headers);
    answer
}

/// An HTTP answer with that body.
pub(super) fn http(media: Media, status: StatusCode, body: Vec<u8>) -> axum::response::Response {
    let mut answer = axum::response::Response::new(Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(media.content_type()),
    );
    answer
}

/// Writes a response as JSON of at most that many bytes. A larger one is replaced by an error; the
/// errors of any are cut to ten and have codes.
#[must_use]
pub fn encode(response: &mut Response, max: usize) -> Vec<u8> {
    response.errors.truncate(MAX_ERRORS);
    let refused = is_refused(response);
    for error in &mut response.errors {
        // The library's own errors, all about the document and its variables, come without a code.
        let extensions = error.extensions.get_or_insert_default();
        if extensions.get("code").is_none() {
            extensions.set("code", "GRAPHQL_VALIDATION_FAILED");
        }
    }
    let body = Written {
        errors: &response.errors,
        data: (!refused).then_some(&response.data),
        extensions: &response.extensions,
    };
    let mut bounded = Bounded {
        bytes: Vec::new(),
        max,
    };
    if serde_json::to_writer(&mut bounded, &body).is_ok() {
        return bounded.bytes;
    }
    let headers = std::mem::take(&mut response.http_headers);
    *response = failure(
        "RESPONSE_TOO_LARGE",
        "The answer is too large; ask for fewer items.",
    );
    response.http_headers = headers;
    encode(response, usize::MAX)
}

/// Whether the operation did not run at all: such a response has no `data`, and on a socket it is
/// an `error` message.
pub(super) fn is_refused(response: &Response) -> bool {
    let errors = &response.errors;
    response.data == Value::Null
        && !errors.is_empty()
        && errors.iter().all(|error| error.path.is_empty())
}

fn failure(code: &str, message: &str) -> Response {
    Response::from_errors(vec![guard::error(code, message, None)])
}

fn status<S: Service>(media: Media, response: &Response) -> StatusCode {
    if response.data != Value::Null || response.errors.is_empty() {
        return StatusCode::OK;
    }
    let known = match extension(response, "code") {
        Some(Value::String(code)) => match code.as_str() {
            DEADLINE => Some(StatusCode::GATEWAY_TIMEOUT),
            UNAVAILABLE => Some(StatusCode::SERVICE_UNAVAILABLE),
            INTERNAL => Some(StatusCode::INTERNAL_SERVER_ERROR),
            code => S::status(code),
        },
        _ => None,
    };
    known.unwrap_or(match media {
        Media::GraphqlResponse if is_refused(response) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    })
}

/// When a refused request may come again, in seconds, where the status says that it may.
fn retry_after(status: StatusCode, response: &Response) -> Option<HeaderValue> {
    let may_come = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    match extension(response, "retryAfter") {
        Some(Value::Number(seconds)) if may_come.contains(&status) => {
            HeaderValue::try_from(seconds.to_string()).ok()
        }
        _ => None,
    }
}

/// What the first error says under this name.
fn extension<'a>(response: &'a Response, name: &str) -> Option<&'a Value> {
    response.errors.first()?.extensions.as_ref()?.get(name)
}

/// A response as it is written: errors first, no `data` where nothing ran.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: &'a BTreeMap<String, Value>,
}

/// Bytes that stop growing.
struct Bounded {
    bytes: Vec<u8>,
    max: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::PathSegment;

    use super::*;

    fn json(response: &mut Response, max: usize) -> String {
        String::from_utf8(encode(response, max)).expect("JSON is UTF-8")
    }

    #[test]
    fn data_is_absent_only_where_nothing_ran() {
        assert_eq!(
            json(&mut Response::new(Value::Null), 100),
            r#"{"data":null}"#
        );
        let error = ServerError::new("no", None);
        assert_eq!(
            json(&mut Response::from_errors(vec![error.clone()]), 100),
            r#"{"errors":[{"message":"no","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}"#
        );
        let ran = error.with_path(vec![PathSegment::Field("a".to_owned())]);
        assert_eq!(
            json(&mut Response::from_errors(vec![ran]), 200),
            r#"{"errors":[{"message":"no","path":["a"],"extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}],"data":null}"#
        );
    }

    #[test]
    fn who_came_too_often_is_told_when_to_come_again() {
        let response = |code: &str| {
            let mut error = guard::error(code, "no", None);
            let extensions = error.extensions.get_or_insert_default();
            extensions.set("retryAfter", 20);
            Response::from_errors(vec![error])
        };
        let limited = response("RATE_LIMITED");
        let status = crate::error::status("RATE_LIMITED").expect("a status");
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(
            retry_after(status, &limited),
            Some(HeaderValue::from_static("20"))
        );
        assert_eq!(retry_after(StatusCode::OK, &limited), None);
        assert_eq!(retry_after(status, &failure(UNAVAILABLE, "busy")), None);
    }

    #[test]
    fn responses_are_bounded() {
        let mut many = Response::from_errors(vec![ServerError::new("no", None); 1_000]);
        drop(encode(&mut many, usize::MAX));
        assert_eq!(many.errors.len(), MAX_ERRORS);
        let mut large = Response::new("x".repeat(1_000));
        large
            .http_headers
            .insert(header::SET_COOKIE, HeaderValue::from_static("a=b"));
        assert!(json(&mut large, 1_000).contains("RESPONSE_TOO_LARGE"));
        assert!(large.http_headers.contains_key(header::SET_COOKIE));
        assert!(json(&mut Response::new("x".repeat(989)), 1_000).starts_with(r#"{"data":"x"#));
    }
}
