//! One request, from its first header to its answer.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt;
use tokio::{
    sync::SemaphorePermit,
    time::{Duration, Instant, timeout_at},
};

use super::negotiation::{self, Media};
use super::parameters::Parameters;
use super::rejection::Rejection;
use super::{Credential, Road, Service, answer, origin, socket, stream};
use crate::guard;

/// Answers a request, whatever it is. Refusals that no page may read stay without CORS headers.
pub(super) async fn answer<S: Service>(road: &Arc<Road<S>>, request: Request) -> Response {
    let settings = &road.settings;
    let (mut parts, body) = request.into_parts();
    let accepted = negotiation::accepted(&parts.headers);
    let media = *accepted.as_ref().unwrap_or(&Media::Json);
    let answered = if parts.method == Method::OPTIONS {
        origin::preflight(&parts, settings)
    } else if parts.headers.contains_key(header::UPGRADE) {
        socket::upgrade(road, &mut parts).await
    } else if let Err(refused) = accepted {
        Err(refused)
    } else {
        operate(road, &parts, media, body).await
    };
    let mut response = answered.unwrap_or_else(|rejection| rejection.into_response(media));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::VARY, "Accept, Origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    origin::allow(&parts, settings, headers);
    response
}

async fn operate<S: Service>(
    road: &Arc<Road<S>>,
    parts: &Parts,
    media: Media,
    body: Body,
) -> Result<Response, Rejection> {
    let settings = &road.settings;
    let credential = Credential::read(parts, settings);
    // Reading too: what a query tells is the person's, and a stream stays open.
    if credential.is_ambient() {
        origin::require_own(parts, settings)?;
    }
    // Kept until the operation is answered.
    let mut turn = None;
    let parameters = match parts.method {
        Method::GET | Method::HEAD => Parameters::from_uri(&parts.uri)?,
        Method::POST => {
            negotiation::require_json(&parts.headers)?;
            Parameters::from_body(&read(road, parts, body, &mut turn).await?)?
        }
        _ => return Err(Rejection::method("GET, POST, OPTIONS", "Send GET or POST.")),
    };
    let operation = match guard::admit(parameters.into_request()?) {
        Ok(operation) => operation,
        Err(error) => {
            let response = async_graphql::Response::from_errors(vec![error]);
            return Ok(answer::respond::<S>(media, response, settings));
        }
    };
    if operation.kind == OperationType::Mutation && parts.method != Method::POST {
        return Err(Rejection::method("POST", "Send mutations by POST."));
    }
    if operation.kind == OperationType::Subscription && media == Media::EventStream {
        return stream::open(road, credential, operation);
    }
    let response = answer::execute(road, credential, operation).await;
    Ok(answer::respond::<S>(media, response, settings))
}

/// Reads a body of bounded size in bounded time, a large one only if its `turn` comes.
async fn read<'r, S>(
    road: &'r Road<S>,
    parts: &Parts,
    body: Body,
    turn: &mut Option<SemaphorePermit<'r>>,
) -> Result<Bytes, Rejection> {
    let settings = &road.settings;
    let too_large = || {
        let message = format!("The body is larger than {} bytes.", settings.max_body);
        Rejection::new(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", message).and_close()
    };
    let announced = parts.headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > settings.max_body) {
        return Err(too_large());
    }
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::with_capacity(announced.unwrap_or(0).min(INITIAL_BODY));
    let started = Instant::now();
    loop {
        let earned = Duration::from_millis(bytes.len() as u64 / BODY_RATE);
        let chunk = timeout_at(started + settings.body_deadline + earned, chunks.next()).await;
        let Some(chunk) = chunk.map_err(|_| too_slow())? else {
            return Ok(bytes.into());
        };
        let chunk = chunk.map_err(|_| Rejection::bad_request("The body broke off."))?;
        if bytes.len() + chunk.len() > settings.max_body {
            return Err(too_large());
        }
        if turn.is_none() && bytes.len() + chunk.len() > ORDINARY_BODY {
            *turn = Some(road.uploads.try_acquire().map_err(|_| Rejection::full())?);
        }
        bytes.extend_from_slice(&chunk);
    }
}

fn too_slow() -> Rejection {
    let message = "The body took too long to arrive.";
    Rejection::new(StatusCode::REQUEST_TIMEOUT, "BODY_TOO_SLOW", message).and_close()
}

/// Bytes that earn a body another millisecond: a large one may come at 100 kB a second.
const BODY_RATE: u64 = 100;
/// Bytes set aside for a body on its sender's word alone.
const INITIAL_BODY: usize = 16 * 1024;
/// Bytes of a body that needs no turn.
const ORDINARY_BODY: usize = 1024 * 1024;
