//! Which web pages may talk to us.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::Settings;
use super::rejection::Rejection;

/// Refuses what a foreign page made a browser send.
///
/// A page's origin decides where the browser states it; where it does not, `Sec-Fetch-Site` does.
/// Clients that are not browsers send neither.
pub(super) fn require_own(parts: &Parts, settings: &Settings) -> Result<(), Rejection> {
    let own = match parts.headers.get(header::ORIGIN) {
        Some(origin) => is_allowed(origin, &parts.headers, settings),
        None => parts
            .headers
            .get("sec-fetch-site")
            .is_none_or(|site| site == "same-origin" || site == "none"),
    };
    own.then_some(()).ok_or_else(forbidden)
}

/// Answers a preflight.
pub(super) fn preflight(parts: &Parts, settings: &Settings) -> Result<Response, Rejection> {
    if let Some(origin) = parts.headers.get(header::ORIGIN)
        && !is_allowed(origin, &parts.headers, settings)
    {
        return Err(forbidden());
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (name, value) in [
        (header::ALLOW, "GET, POST, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Accept, Authorization, Content-Type, Rollcall-Organization",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "7200"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// Lets the page behind an allowed origin read the answer.
pub(super) fn allow(parts: &Parts, settings: &Settings, answer: &mut HeaderMap) {
    let origin = parts.headers.get(header::ORIGIN);
    if let Some(origin) = origin.filter(|origin| is_allowed(origin, &parts.headers, settings)) {
        let expose = "RateLimit, RateLimit-Policy, Retry-After";
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        answer.insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
        answer.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(expose),
        );
    }
}

fn is_allowed(origin: &HeaderValue, headers: &HeaderMap, settings: &Settings) -> bool {
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let own = match &settings.public_origin {
        Some(own) => Some(own.clone()),
        None => origin_of_host(headers, settings),
    };
    let mut allowed = own.iter().chain(&settings.allowed_origins);
    allowed.any(|allowed| origin.eq_ignore_ascii_case(allowed))
}

/// Whoever sends a request writes its `Host`: it counts only where nobody told us our address.
fn origin_of_host(headers: &HeaderMap, settings: &Settings) -> Option<String> {
    let scheme = if settings.secure_cookies {
        "https"
    } else {
        "http"
    };
    let host = headers.get(header::HOST)?.to_str().ok()?;
    Some(format!("{scheme}://{host}"))
}

fn forbidden() -> Rejection {
    Rejection::new(
        StatusCode::FORBIDDEN,
        "FORBIDDEN_ORIGIN",
        "This origin may not use the session cookie or open a socket here.",
    )
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn own(origin: Option<&str>, site: Option<&str>, secure: bool) -> bool {
        let mut request = Request::builder().header("host", "rollcall.example:8080");
        for (name, value) in [("origin", origin), ("sec-fetch-site", site)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let settings = Settings {
            allowed_origins: vec!["https://app.example".to_owned()],
            secure_cookies: secure,
            ..Settings::default()
        };
        require_own(&parts, &settings).is_ok()
    }

    #[test]
    fn foreign_pages_are_refused() {
        assert!(own(None, None, false));
        assert!(own(None, Some("same-origin"), false));
        assert!(own(None, Some("none"), false));
        assert!(own(
            Some("http://rollcall.example:8080"),
            Some("same-origin"),
            false
        ));
        assert!(own(Some("https://app.example"), Some("cross-site"), false));
        assert!(own(Some("https://rollcall.example:8080"), None, true));
        assert!(!own(Some("http://rollcall.example:8080"), None, true));
        assert!(!own(None, Some("cross-site"), false));
        assert!(!own(None, Some("same-site"), false));
        for origin in [
            "null",
            "",
            "http://rollcall.example",
            "http://evil.example",
            "https://app.example.evil",
        ] {
            assert!(!own(Some(origin), Some("same-origin"), false), "{origin}");
        }
    }

    #[test]
    fn a_configured_origin_stands_in_for_the_host() {
        let settings = Settings {
            public_origin: Some("https://rollcall.example".to_owned()),
            secure_cookies: true,
            ..Settings::default()
        };
        let own = |origin: &str| {
            let request = Request::builder().header("host", "evil.example");
            let request = request.header("origin", origin).body(());
            let (parts, ()) = request.expect("a request").into_parts();
            require_own(&parts, &settings).is_ok()
        };
        assert!(own("https://rollcall.example"));
        assert!(!own("https://evil.example"));
    }
}
