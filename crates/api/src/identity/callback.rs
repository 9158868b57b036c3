//! Where browsers come back to from a provider. It is `completeProviderSignIn` by GET: who has the cookie is
//! signed in and sent on; for who has not, what came back is handed to the page that they return to.
//!
//! That a foreign page can send a browser here does no harm: without the cookie of the very sign-in that a
//! state belongs to, nothing happens.

use async_graphql::{Request, Variables};
use axum::{
    Router,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use domain::mail::escape;
use openidconnect::url::form_urlencoded;
use serde_json::{Value, json};

use super::provider::CALLBACK;
use crate::{
    guard,
    http::{Credential, Service as _, Settings},
    service::Service,
};

const COMPLETE: &str = "mutation($input: CompleteProviderSignInInput!) { completeProviderSignIn(input: $input) { returnTo challenge { token } errors { message } } }";

/// What the page may do: show itself.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `/callback/PROVIDER`.
pub fn router(service: Service, settings: Settings) -> Router {
    Router::new()
        .route(&format!("{CALLBACK}{{provider}}"), get(come_back))
        .with_state((service, settings))
}

async fn come_back(
    State((service, settings)): State<(Service, Settings)>,
    Path(provider): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
    parts: Parts,
) -> Response {
    let credential = Credential {
        bearer: None,
        organization: None,
        ..Credential::read(&parts, &settings)
    };
    let answer = if only(&pairs, "state").is_none() {
        sorry("There is no sign-in to complete here. Begin again.")
    } else if credential.browser.is_none() {
        hand_over(&service, &provider, &pairs).await
    } else if let Some(code) = only(&pairs, "code") {
        let input = json!({
            "provider": provider, "state": only(&pairs, "state"), "code": code, "iss": only(&pairs, "iss"),
        });
        // A browser that hangs up does not cancel it half-way.
        let run = settings.tasks.spawn(complete(service, credential, input));
        run.await
            .unwrap_or_else(|_| sorry("Something went wrong on our side. Begin again."))
    } else {
        sorry("The provider did not sign you in. Begin again.")
    };
    guarded(answer)
}

/// Completes what the browser began.
async fn complete(service: Service, credential: Credential, input: Value) -> Response {
    let variables = Variables::from_json(json!({ "input": input }));
    let Ok(operation) = guard::admit(Request::new(COMPLETE).variables(variables)) else {
        return sorry("This is not what a provider answers. Begin again.");
    };
    let response = service.execute(credential, operation).await;
    let headers = response.http_headers;
    let error = response.errors.first().map(|error| error.message.clone());
    let data = response.data.into_json().unwrap_or_default();
    let payload = &data["completeProviderSignIn"];
    // What is left to give, the page asks for: see `completeSignIn`.
    let challenge = payload["challenge"]["token"].as_str();
    let mut answer = match (payload["returnTo"].as_str(), challenge) {
        (Some(return_to), Some(challenge)) => {
            see_other(&format!("{return_to}#second-factor={challenge}"))
        }
        (Some(return_to), None) => see_other(return_to),
        (None, _) => {
            let refused = payload["errors"][0]["message"].as_str();
            sorry(refused.or(error.as_deref()).unwrap_or("Begin again."))
        }
    };
    answer.headers_mut().extend(headers);
    answer
}

/// Sends the browser to the page that keeps its secret, with what came back in the fragment, which no
/// server gets to see.
async fn hand_over(service: &Service, provider: &str, pairs: &[(String, String)]) -> Response {
    let state = only(pairs, "state").unwrap_or_default();
    let return_to = match service.return_to(provider, state).await {
        Ok(Some(return_to)) => return_to,
        Ok(None) => return sorry("This sign-in was completed, or is too old. Begin again."),
        Err(error) => return sorry(&error.to_string()),
    };
    let mut fragment = form_urlencoded::Serializer::new(String::new());
    fragment.append_pair("provider", provider);
    for name in ["state", "code", "iss", "error"] {
        if let Some(value) = only(pairs, name) {
            fragment.append_pair(name, value);
        }
    }
    see_other(&format!("{return_to}#{}", fragment.finish()))
}

/// A parameter that came once.
fn only<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut values = pairs.iter().filter(|(key, _)| key == name);
    let (_, value) = values.next()?;
    values.next().is_none().then_some(value)
}

fn see_other(url: &str) -> Response {
    match HeaderValue::try_from(url) {
        Ok(url) => (StatusCode::SEE_OTHER, [(header::LOCATION, url)]).into_response(),
        Err(_) => sorry("There is no such page to return to."),
    }
}

/// A page that says why nobody is signed in.
fn sorry(why: &str) -> Response {
    let why = escape(why);
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Not signed in</title>\n\
         <style>body {{ font-family: sans-serif; margin: 2em auto; max-width: 36em }}</style></head>\n\
         <body>\n<h1>Not signed in</h1>\n<p>{why}</p>\n<p><a href=\"/\">Back</a></p>\n</body>\n</html>\n"
    );
    (StatusCode::BAD_REQUEST, Html(page)).into_response()
}

/// The code in the page's address is nobody else's business.
fn guarded(mut answer: Response) -> Response {
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let added: HeaderMap = headers
        .into_iter()
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .collect();
    answer.headers_mut().extend(added);
    answer
}
