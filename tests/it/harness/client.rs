//! A GraphQL client: one credential, one organization.

use std::time::Duration;

use serde_json::{Value, json};

/// A client of one instance.
#[derive(Clone)]
pub struct Client {
    pub url: String,
    pub token: Option<String>,
    pub organization: Option<String>,
    http: reqwest::Client,
}

/// An answer: the body, however it came out.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Client {
    pub fn new(url: &str) -> Self {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_mins(1))
            .build()
            .expect("a client");
        Self {
            url: url.to_owned(),
            token: None,
            organization: None,
            http,
        }
    }

    /// The same client with another credential.
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same client, whose requests name an organization.
    pub fn acting_in(&self, slug: &str) -> Self {
        Self {
            organization: Some(slug.to_owned()),
            ..self.clone()
        }
    }

    /// The same client at another instance.
    pub fn at(&self, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            ..self.clone()
        }
    }

    /// Sends an operation and gives whatever comes back.
    pub async fn send(&self, query: &str, variables: Value) -> Answer {
        self.try_send(query, variables).await.expect("an answer")
    }

    /// Sends an operation and gives the bytes of the answer.
    pub async fn text(&self, query: &str, variables: &Value) -> String {
        let answer = self.request(query, variables).send().await;
        answer.expect("an answer").text().await.expect("a text")
    }

    /// The same where the server may be away.
    pub async fn try_send(&self, query: &str, variables: Value) -> Result<Answer, reqwest::Error> {
        let response = self.request(query, &variables).send().await?;
        let status = response.status().as_u16();
        Ok(Answer {
            status,
            body: response.json().await.unwrap_or(Value::Null),
        })
    }

    fn request(&self, query: &str, variables: &Value) -> reqwest::RequestBuilder {
        let mut request = self
            .http
            .post(format!("{}/graphql", self.url))
            .header("accept", "application/graphql-response+json")
            .json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(slug) = &self.organization {
            request = request.header("rollcall-organization", slug);
        }
        request
    }

    /// Sends an operation that must go through without an error, and gives its data.
    pub async fn ok(&self, query: &str, variables: Value) -> Value {
        let answer = self.send(query, variables).await;
        assert!(
            answer.body.get("errors").is_none(),
            "{query}\n{:#}",
            answer.body
        );
        let data = answer.body["data"].clone();
        for (field, payload) in data.as_object().expect("data") {
            let refused = payload
                .get("errors")
                .and_then(Value::as_array)
                .is_some_and(|errors| !errors.is_empty());
            assert!(!refused, "{field} was refused: {payload:#}");
        }
        data
    }
}

impl Answer {
    /// The codes of the top-level errors.
    pub fn codes(&self) -> Vec<String> {
        codes(&self.body["errors"], "/extensions/code")
    }

    /// The codes of a mutation's refusal.
    pub fn refusals(&self, field: &str) -> Vec<String> {
        codes(&self.body["data"][field]["errors"], "/code")
    }
}

fn codes(errors: &Value, pointer: &str) -> Vec<String> {
    let errors = errors.as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .filter_map(|error| error.pointer(pointer)?.as_str().map(str::to_owned))
        .collect()
}
