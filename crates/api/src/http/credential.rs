//! Who asks: token, cookie, organization and address of a request.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::{Credential, Peer, Settings};

/// The header that names the organization of a request.
pub(super) const ORGANIZATION: &str = "rollcall-organization";

/// The name of the session cookie. The `__Host-` prefix makes browsers insist on TLS, on the root
/// path and on this very host.
#[must_use]
pub fn session_cookie(secure: bool) -> &'static str {
    if secure {
        "__Host-rollcall"
    } else {
        "rollcall"
    }
}

/// The name of the cookie that binds a sign-in at a provider to the browser that began it.
#[must_use]
pub fn browser_cookie(secure: bool) -> &'static str {
    if secure {
        "__Host-rollcall-provider"
    } else {
        "rollcall-provider"
    }
}

impl Credential {
    /// Reads what the request says.
    pub(crate) fn read(parts: &Parts, settings: &Settings) -> Self {
        let headers = &parts.headers;
        Self {
            bearer: only(headers, header::AUTHORIZATION.as_str())
                .map(|value| bearer(&value).unwrap_or_default()),
            cookie: cookie(headers, session_cookie(settings.secure_cookies)),
            browser: cookie(headers, browser_cookie(settings.secure_cookies)),
            organization: only(headers, ORGANIZATION),
            address: address(parts, settings.trusted_proxy),
            user_agent: headers
                .get(header::USER_AGENT)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            secure: settings.secure_cookies,
        }
    }

    /// Whether the browser adds the credential by itself, so that a foreign page could use it.
    pub(super) fn is_ambient(&self) -> bool {
        (self.cookie.is_some() || self.browser.is_some()) && self.bearer.is_none()
    }
}

/// A header's value. Nobody who sends one may be taken for somebody who sends none: what cannot be
/// read, or comes twice, is told by a value that is no token and no slug.
fn only(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    Some(match values.next() {
        None => String::from_utf8_lossy(value.as_bytes()).into_owned(),
        Some(_) => String::new(),
    })
}

/// The token of an `Authorization` header or parameter.
pub(super) fn bearer(value: &str) -> Option<String> {
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned())
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(header::COOKIE).iter();
    let mut pairs = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let value = pairs.find_map(|pair| {
        let value = pair
            .trim_ascii()
            .strip_prefix(name.as_bytes())?
            .strip_prefix(b"=")?;
        (!value.is_empty()).then_some(value)
    })?;
    // Other cookies are others' business; one of ours that is no text is no token.
    Some(String::from_utf8_lossy(value).into_owned())
}

/// The last entry is the one that the proxy in front of us wrote; the others anybody can.
fn address(parts: &Parts, trusted_proxy: bool) -> IpAddr {
    let peer = || parts.extensions.get::<Peer>().map(|peer| peer.0.ip());
    let forwarded = || {
        let value = parts
            .headers
            .get_all("x-forwarded-for")
            .iter()
            .next_back()?;
        value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok()
    };
    let address = if trusted_proxy {
        forwarded().or_else(peer)
    } else {
        peer()
    };
    address
        .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
        .to_canonical()
}

#[cfg(test)]
mod tests {
    use axum::extract::ConnectInfo;
    use axum::http::Request;

    use super::*;

    fn read(headers: &[(&str, &str)], settings: &Settings) -> Credential {
        let mut request = Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        let peer: Peer = ConnectInfo(([10, 0, 0, 1], 1).into());
        parts.extensions.insert(peer);
        Credential::read(&parts, settings)
    }

    #[test]
    fn tokens_and_cookies() {
        let plain = Settings::default();
        let secure = Settings {
            secure_cookies: true,
            ..Settings::default()
        };
        let headers = [
            ("authorization", "bearer  t "),
            ("cookie", "a=b; rollcall=c"),
            ("cookie", "__Host-rollcall=d"),
        ];
        let credential = read(&headers, &plain);
        assert_eq!(
            (credential.bearer.as_deref(), credential.cookie.as_deref()),
            (Some("t"), Some("c"))
        );
        assert!(!credential.is_ambient());
        let credential = read(&headers[1..], &secure);
        assert_eq!(credential.cookie.as_deref(), Some("d"));
        assert!(credential.is_ambient());
        for refused in ["", "Bearer", "Bearer ", "Basic t"] {
            assert_eq!(bearer(refused), None);
            let credential = read(&[("authorization", refused), headers[1]], &plain);
            assert_eq!(credential.bearer.as_deref(), Some(""), "{refused}");
        }
        let twice = [
            ("rollcall-organization", "a"),
            ("rollcall-organization", "b"),
        ];
        assert_eq!(read(&twice, &plain).organization.as_deref(), Some(""));
        assert_eq!(read(&[], &plain).organization, None);
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client() {
        let headers = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "7.7.7.7, 192.0.2.1"),
        ];
        let trusting = Settings {
            trusted_proxy: true,
            ..Settings::default()
        };
        let untrusting = Settings::default();
        let address = |headers, settings| read(headers, settings).address.to_string();
        assert_eq!(address(&headers, &untrusting), "10.0.0.1");
        assert_eq!(address(&headers, &trusting), "192.0.2.1");
        assert_eq!(address(&[], &trusting), "10.0.0.1");
        assert_eq!(
            address(&[("x-forwarded-for", "junk")], &trusting),
            "10.0.0.1"
        );
    }
}
