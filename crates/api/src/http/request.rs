//! One request, from its first header to its answer.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt;
use tokio::time::timeout;

use super::negotiation::{self, Media};
use super::parameters::Parameters;
use super::rejection::Rejection;
use super::{Credential, Road, Service, Settings, answer, origin, socket, stream};
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
    let parameters = match parts.method {
        Method::GET | Method::HEAD => Parameters::from_uri(&parts.uri)?,
        Method::POST => {
            negotiation::require_json(&parts.headers)?;
            if credential.is_ambient() {
                origin::require_own(parts, settings)?;
            }
            Parameters::from_body(&read(parts, body, settings).await?)?
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

/// Reads a body of bounded size in bounded time.
async fn read(parts: &Parts, body: Body, settings: &Settings) -> Result<Bytes, Rejection> {
    let too_large = || {
        let message = format!("The body is larger than {} bytes.", settings.max_body);
        Rejection::new(StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", message).and_close()
    };
    let announced = parts.headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > settings.max_body) {
        return Err(too_large());
    }
    let collect = async {
        let mut chunks = body.into_data_stream();
        let mut bytes = Vec::with_capacity(announced.unwrap_or(0).min(INITIAL_BODY));
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Rejection::bad_request("The body broke off."))?;
            if bytes.len() + chunk.len() > settings.max_body {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes.into())
    };
    timeout(settings.body_deadline, collect)
        .await
        .unwrap_or_else(|_| {
            let message = "The body took too long to arrive.";
            Err(Rejection::new(StatusCode::REQUEST_TIMEOUT, "BODY_TOO_SLOW", message).and_close())
        })
}

/// Bytes set aside for a body on its sender's word alone.
const INITIAL_BODY: usize = 16 * 1024;
