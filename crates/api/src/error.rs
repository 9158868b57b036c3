//! From `domain::Error` to GraphQL: the only place that knows error extensions.
//!
//! What a caller can mend is data in a mutation's payload (see [`crate::user_error`]); everything
//! else is an entry of the answer's top-level `errors`, with `extensions.code`. Resolvers return
//! [`Result`], never the library's own, which would turn any error into a text without a code.

use std::fmt::Write;

use async_graphql::ErrorExtensionValues;
use axum::http::StatusCode;
use domain::{Code, Error};
use uuid::Uuid;

/// What a resolver returns.
pub type Result<T, E = Fault> = std::result::Result<T, E>;

/// An error as the client will see it. Making one of a defect logs it, once.
#[derive(Clone, Debug)]
pub struct Fault(async_graphql::Error);

/// No valid credential came with the request.
const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
/// Only a person can do this.
const PERSON_REQUIRED: &str = "PERSON_REQUIRED";
/// The credential lacks a permission.
const FORBIDDEN: &str = "FORBIDDEN";
/// The credential would do with a second factor.
const SECOND_FACTOR_REQUIRED: &str = "SECOND_FACTOR_REQUIRED";
/// No organization was chosen to act in.
const NO_ORGANIZATION: &str = "NO_ORGANIZATION";
/// Trying again may help.
const UNAVAILABLE: &str = "UNAVAILABLE";
/// Too many tries.
const RATE_LIMITED: &str = "RATE_LIMITED";
/// A defect of ours.
const INTERNAL: &str = "INTERNAL";
/// Seconds after which what was unavailable is worth another try.
const RETRY_AFTER: i32 = 1;

/// Every code of a top-level error, with its meaning. The codes of [`Code`] come here too, when a
/// query's arguments are refused.
const TOP_LEVEL: &[(&str, &str)] = &[
    (
        UNAUTHENTICATED,
        "No valid credential came with the request. Sign in, or send another.",
    ),
    (
        PERSON_REQUIRED,
        "Only a person can do this, and the credential is an API key.",
    ),
    (
        FORBIDDEN,
        "The credential lacks the permission in `extensions.permission`.",
    ),
    (
        SECOND_FACTOR_REQUIRED,
        "The organization wants a second factor for the permission in `extensions.permission`, and none was given in this session. Give it to `confirmSecondFactor`, or add one with `beginTotp` first.",
    ),
    (
        NO_ORGANIZATION,
        "No organization is active in the session, and the request names none. Found one, activate one, or send `Rollcall-Organization`.",
    ),
    (
        UNAVAILABLE,
        "Trying again after `extensions.retryAfter` seconds may help.",
    ),
    (
        RATE_LIMITED,
        "There were too many tries. Try again after `extensions.retryAfter` seconds.",
    ),
    (
        INTERNAL,
        "A defect of ours. Tell us `extensions.reference`.",
    ),
    (
        "DEADLINE",
        "The query took too long. Ask for less of it at a time.",
    ),
    (
        "RESPONSE_TOO_LARGE",
        "The answer is too large. Ask for fewer items.",
    ),
    ("GRAPHQL_PARSE_FAILED", "The document is not GraphQL."),
    (
        "GRAPHQL_VALIDATION_FAILED",
        "The document or its variables do not fit the schema.",
    ),
    (
        "OPERATION_RESOLUTION_FAILURE",
        "The request does not name one operation of the document.",
    ),
    (
        "UNSUPPORTED_OPERATION",
        "This transport does not carry this kind of operation.",
    ),
    (
        "TOO_MANY_OPERATIONS",
        "The socket runs too many operations at a time.",
    ),
    ("FRAGMENT_CYCLE", "A fragment contains itself."),
    (
        "DOCUMENT_TOO_LARGE",
        "The document is too long, or has too many operations.",
    ),
    ("DOCUMENT_TOO_DEEP", "The document nests too deeply."),
    ("TOO_MANY_TOKENS", "The document has too many words."),
    ("TOO_MANY_ALIASES", "The operation has too many aliases."),
    (
        "TOO_MANY_ROOT_FIELDS",
        "The operation has too many root fields.",
    ),
    (
        "QUERY_TOO_COMPLEX",
        "The operation may answer with too many fields or items.",
    ),
    (
        "BAD_REQUEST",
        "The request is not one of GraphQL over HTTP.",
    ),
    (
        "METHOD_NOT_ALLOWED",
        "This HTTP method is not for this; `Allow` says which are.",
    ),
    (
        "NOT_ACCEPTABLE",
        "No media type that the client accepts is spoken here.",
    ),
    (
        "UNSUPPORTED_MEDIA_TYPE",
        "The body's media type is not read here.",
    ),
    ("BODY_TOO_LARGE", "The request's body is too long."),
    (
        "BODY_TOO_SLOW",
        "The request's body took too long to arrive.",
    ),
    (
        "FORBIDDEN_ORIGIN",
        "A browser sent this from a page that may not use the session's cookie.",
    ),
];

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", code(&error));
        match &error {
            Error::Refused(problems) => {
                if let Some(field) = problems.first().map(|problem| problem.field)
                    && !field.is_empty()
                {
                    extensions.set("argument", field);
                }
            }
            Error::Forbidden(permission) | Error::SecondFactorRequired(permission) => {
                extensions.set("permission", permission.as_str());
            }
            Error::Unavailable(_) => extensions.set("retryAfter", RETRY_AFTER),
            Error::Limited { after } => extensions.set("retryAfter", *after),
            Error::Internal(text) => {
                let reference = Uuid::new_v4().to_string();
                tracing::error!(reference, error = text, "request.defect");
                extensions.set("reference", reference);
            }
            Error::NotFound
            | Error::NoOrganization
            | Error::Unauthenticated
            | Error::PersonRequired => {}
        }
        let mut fault = async_graphql::Error::new(error.to_string());
        fault.extensions = Some(extensions);
        Self(fault)
    }
}

impl From<Fault> for async_graphql::Error {
    fn from(fault: Fault) -> Self {
        fault.0
    }
}

impl From<Fault> for async_graphql::ServerError {
    fn from(fault: Fault) -> Self {
        let mut error = Self::new(fault.0.message, None);
        error.extensions = fault.0.extensions;
        error
    }
}

/// The value of a nullable field: what is not there is null, and no error.
pub fn nullable<T>(result: domain::Result<T>) -> Option<Result<T>> {
    match result {
        Ok(value) => Some(Ok(value)),
        Err(error) if error.is_not_found() => None,
        Err(error) => Some(Err(error.into())),
    }
}

/// The HTTP status of an answer without data, where the code decides it.
#[must_use]
pub fn status(code: &str) -> Option<StatusCode> {
    match code {
        UNAUTHENTICATED => Some(StatusCode::UNAUTHORIZED),
        FORBIDDEN | PERSON_REQUIRED | SECOND_FACTOR_REQUIRED => Some(StatusCode::FORBIDDEN),
        UNAVAILABLE => Some(StatusCode::SERVICE_UNAVAILABLE),
        RATE_LIMITED => Some(StatusCode::TOO_MANY_REQUESTS),
        INTERNAL => Some(StatusCode::INTERNAL_SERVER_ERROR),
        _ => None,
    }
}

/// Every code that clients may meet, with its meaning, as Markdown.
#[must_use]
pub fn catalogue() -> String {
    let mut text =
        String::from("# Error codes\n\n## Of top-level errors, in `extensions.code`\n\n");
    for (code, meaning) in TOP_LEVEL {
        let _ = writeln!(text, "- `{code}`: {meaning}");
    }
    text.push_str("\n## Of a mutation's `errors`, and of a query's refused arguments\n\n");
    for code in Code::ALL {
        let _ = writeln!(text, "- `{}`: {}", code.as_str(), code.meaning());
    }
    text
}

fn code(error: &Error) -> &'static str {
    match error {
        Error::Refused(problems) => problems
            .first()
            .map_or(Code::Invalid, |problem| problem.code)
            .as_str(),
        Error::NotFound => Code::NotFound.as_str(),
        Error::NoOrganization => NO_ORGANIZATION,
        Error::Unauthenticated => UNAUTHENTICATED,
        Error::PersonRequired => PERSON_REQUIRED,
        Error::Forbidden(_) => FORBIDDEN,
        Error::SecondFactorRequired(_) => SECOND_FACTOR_REQUIRED,
        Error::Unavailable(_) => UNAVAILABLE,
        Error::Limited { .. } => RATE_LIMITED,
        Error::Internal(_) => INTERNAL,
    }
}
