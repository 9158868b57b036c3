//! The parameters of a GraphQL request, from wherever they come.

use async_graphql::{Request, Variables};
use axum::extract::Query;
use axum::http::Uri;
use serde::Deserialize;
use serde_json::error::Category;
use serde_json::{Map, Value};

use super::rejection::Rejection;

/// The four parameters that the specification names; `null` is as good as absent, others are
/// ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Parameters {
    query: Option<String>,
    operation_name: Option<String>,
    variables: Option<Variables>,
    /// Read only to refuse what is not a map.
    #[serde(rename = "extensions")]
    _extensions: Option<Map<String, Value>>,
}

impl Parameters {
    /// Reads a POST body.
    pub(super) fn from_body(body: &[u8]) -> Result<Self, Rejection> {
        match body.trim_ascii_start().first() {
            None => Err(Rejection::bad_request("The request has no body.")),
            Some(b'[') => Err(Rejection::bad_request(
                "Batches are not supported: send one operation per request.",
            )),
            Some(b'{') => serde_json::from_slice(body).map_err(|error| unreadable(&error)),
            Some(_) => Err(Rejection::bad_request("The body must be a JSON object.")),
        }
    }

    /// Reads the query string of a GET request.
    pub(super) fn from_uri(uri: &Uri) -> Result<Self, Rejection> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| Rejection::bad_request("The query string is malformed."))?;
        let mut object = Map::new();
        for (name, value) in pairs {
            let value = match name.as_str() {
                "query" | "operationName" => Value::String(value),
                "variables" | "extensions" => {
                    serde_json::from_str(&value).map_err(|error| unreadable(&error))?
                }
                _ => continue,
            };
            if object.insert(name, value).is_some() {
                return Err(Rejection::bad_request("A parameter is given twice."));
            }
        }
        Self::from_object(object)
    }

    /// Reads a `subscribe` message's payload.
    pub(super) fn from_object(object: Map<String, Value>) -> Result<Self, Rejection> {
        serde_json::from_value(Value::Object(object)).map_err(|error| unreadable(&error))
    }

    /// The request, if it has a document.
    pub(super) fn into_request(self) -> Result<Request, Rejection> {
        let query = self
            .query
            .ok_or_else(|| Rejection::bad_request("The parameter `query` is missing."))?;
        let mut request = Request::new(query).variables(self.variables.unwrap_or_default());
        request.operation_name = self.operation_name;
        Ok(request)
    }
}

/// Says where the JSON fails, and repeats nothing of it.
fn unreadable(error: &serde_json::Error) -> Rejection {
    let what = match error.classify() {
        Category::Data => {
            "`query` and `operationName` must be strings, `variables` and `extensions` objects, \
             each given once"
        }
        _ => "The JSON is malformed",
    };
    // Values that were already parsed have no place in the text.
    Rejection::bad_request(match error.line() {
        0 => format!("{what}."),
        line => format!("{what} (line {line}, column {}).", error.column()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Option<Request> {
        let parameters = Parameters::from_body(text.as_bytes());
        parameters.and_then(Parameters::into_request).ok()
    }

    fn uri(text: &'static str) -> Option<Request> {
        let parameters = Parameters::from_uri(&Uri::from_static(text));
        parameters.and_then(Parameters::into_request).ok()
    }

    #[test]
    fn bodies() {
        let request =
            body(r#" {"query":"{ a }","operationName":"A","variables":{"v":1},"other":0}"#);
        let request = request.expect("the body is read");
        assert_eq!(
            (request.query.as_str(), request.operation_name.as_deref()),
            ("{ a }", Some("A"))
        );
        assert_eq!(request.variables.len(), 1);
        assert!(
            body(r#"{"query":"","operationName":null,"variables":null,"extensions":null}"#)
                .is_some()
        );
        for refused in [
            "",
            " ",
            "[]",
            r#"[{"query":"{ a }"}]"#,
            "1",
            "{",
            "{}",
            r#"{"query":null}"#,
            r#"{"query":1}"#,
            r#"{"query":"{ a }","variables":[]}"#,
            r#"{"query":"{ a }","variables":"{}"}"#,
            r#"{"query":"{ a }","extensions":0}"#,
            r#"{"query":"{ a }","operationName":{}}"#,
            r#"{"query":"{ a }","query":"{ b }"}"#,
            r#"{"query":"{ a }"}x"#,
        ] {
            assert!(body(refused).is_none(), "{refused}");
        }
        assert!(
            body(&format!(
                r#"{{"query":"{{ a }}","variables":{{"v":{}"#,
                "[".repeat(100_000)
            ))
            .is_none()
        );
    }

    #[test]
    fn query_strings() {
        let request = uri("/graphql?query=%7B%20a%20%7D&variables=%7B%22v%22%3A1%7D&other=1");
        let request = request.expect("the query string is read");
        assert_eq!(
            (request.query.as_str(), request.variables.len()),
            ("{ a }", 1)
        );
        for refused in [
            "/graphql",
            "/graphql?query=a&query=b",
            "/graphql?query=a&variables=1",
            "/graphql?query=a&variables=",
            "/graphql?query=a&extensions=%5B%5D",
        ] {
            assert!(uri(refused).is_none(), "{refused}");
        }
    }
}
