//! Which media types come in and go out.

use axum::http::{HeaderMap, StatusCode, header};

use super::rejection::Rejection;

/// What an answer is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    /// `application/json`: statuses of the old days, 200 for errors of the document.
    Json,
    /// `application/graphql-response+json`: statuses that tell.
    GraphqlResponse,
    /// `text/event-stream`: the distinct connections mode of graphql-sse.
    EventStream,
}

impl Media {
    /// The value of `Content-Type`.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::EventStream => "text/event-stream; charset=utf-8",
        }
    }

    /// Itself, or JSON where a body is not a stream.
    pub(super) fn or_json(self) -> Self {
        match self {
            Self::EventStream => Self::Json,
            other => other,
        }
    }
}

/// The media type the client likes best: the highest `q`, then an exact name, then its order.
/// Without an `Accept` header, and for `*/*`, it is JSON.
pub(super) fn accepted(headers: &HeaderMap) -> Result<Media, Rejection> {
    let mut values = headers.get_all(header::ACCEPT).iter().peekable();
    if values.peek().is_none() {
        return Ok(Media::Json);
    }
    let ranges = values.filter_map(|value| value.to_str().ok());
    let ranges = ranges.flat_map(|value| value.split(',')).filter_map(range);
    // Reversed, because `max_by` takes the last of equals and the client's first choice counts.
    let best = ranges.rev().max_by(|one, other| one.0.total_cmp(&other.0));
    best.map(|(_, media)| media).ok_or_else(|| {
        Rejection::new(
            StatusCode::NOT_ACCEPTABLE,
            "NOT_ACCEPTABLE",
            "Accept one of application/graphql-response+json, application/json, text/event-stream.",
        )
    })
}

/// Refuses a body that is not JSON in UTF-8. Only such a request makes a browser ask first, with
/// a preflight, before it sends one from a foreign page.
pub(super) fn require_json(headers: &HeaderMap) -> Result<(), Rejection> {
    let unsupported = |message| {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Err(Rejection::new(status, "UNSUPPORTED_MEDIA_TYPE", message))
    };
    if headers.contains_key(header::CONTENT_ENCODING) {
        return unsupported("Send the body without a content encoding.");
    }
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let value = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => "",
    };
    let (name, charset) = media_type(value);
    if name == "application/json" && charset.is_none_or(is_utf8) {
        return Ok(());
    }
    unsupported("Send a body of content type application/json in UTF-8.")
}

/// One range of an `Accept` header with its preference, if we can answer it.
fn range(value: &str) -> Option<(f32, Media)> {
    let (name, charset) = media_type(value);
    let (media, exactness) = match name.as_str() {
        "application/graphql-response+json" => (Media::GraphqlResponse, 0.0),
        "application/json" => (Media::Json, 0.0),
        "text/event-stream" => (Media::EventStream, 0.0),
        "application/*" | "*/*" => (Media::Json, -0.000_1),
        _ => return None,
    };
    let quality = parameter(value, "q").map_or(Some(1.0), |quality| quality.parse::<f32>().ok())?;
    let wanted = quality > 0.0 && charset.is_none_or(is_utf8);
    wanted.then_some((quality + exactness, media))
}

fn media_type(value: &str) -> (String, Option<&str>) {
    let name = value.split(';').next().unwrap_or_default().trim();
    (name.to_ascii_lowercase(), parameter(value, "charset"))
}

fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let parameters = value
        .split(';')
        .skip(1)
        .filter_map(|pair| pair.split_once('='));
    let mut named = parameters.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    named
        .next()
        .map(|(_, value)| value.trim().trim_matches('"'))
}

fn is_utf8(charset: &str) -> bool {
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: &header::HeaderName, values: &[&'static str]) -> HeaderMap {
        let values = values
            .iter()
            .map(|value| (name.clone(), HeaderValue::from_static(value)));
        values.collect()
    }

    #[test]
    fn accept_is_negotiated() {
        let accept = |values: &[&'static str]| accepted(&headers(&header::ACCEPT, values)).ok();
        assert_eq!(accept(&[]), Some(Media::Json));
        assert_eq!(accept(&["*/*"]), Some(Media::Json));
        assert_eq!(accept(&["text/html, */*;q=0.8"]), Some(Media::Json));
        assert_eq!(
            accept(&["*/*, application/graphql-response+json"]),
            Some(Media::GraphqlResponse)
        );
        assert_eq!(
            accept(&["application/graphql-response+json, application/json, text/event-stream"]),
            Some(Media::GraphqlResponse)
        );
        assert_eq!(
            accept(&[
                "application/json;q=0.5",
                "APPLICATION/GraphQL-Response+JSON; charset=\"UTF-8\""
            ]),
            Some(Media::GraphqlResponse)
        );
        assert_eq!(accept(&["text/event-stream"]), Some(Media::EventStream));
        for refused in [
            "",
            "text/html",
            "application/json;q=0",
            "application/json;charset=latin1",
            "a/b;q=x",
        ] {
            assert_eq!(accept(&[refused]), None, "{refused}");
        }
    }

    #[test]
    fn bodies_are_json_in_utf8() {
        let content =
            |values: &[&'static str]| require_json(&headers(&header::CONTENT_TYPE, values)).is_ok();
        for accepted in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/json;charset=\"UTF8\"",
        ] {
            assert!(content(&[accepted]), "{accepted}");
        }
        for refused in [
            "",
            "text/plain",
            "application/json; charset=utf-16",
            "application/jsonx",
            "multipart/form-data",
            "application/x-www-form-urlencoded",
            "text/plain; application/json",
        ] {
            assert!(!content(&[refused]), "{refused}");
        }
        assert!(!content(&[]));
        assert!(!content(&["application/json", "text/plain"]));
    }
}
