//! A subscriber over `graphql-transport-ws`.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::Client;

/// A subscription under way.
pub struct Subscription {
    stream: WebSocketStream<TcpStream>,
}

/// What a subscriber hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// A payload: `data`, `errors`.
    Next(Value),
    /// The operation was refused.
    Error(Value),
    /// The stream ended.
    Complete,
    /// The socket was closed, with this code.
    Closed(u16),
    /// Nothing, for as long as was waited.
    Silence,
}

impl Subscription {
    /// Connects, introduces itself, and subscribes.
    pub async fn open(client: &Client, query: &str, variables: Value) -> Self {
        Self::try_open(client, query, variables)
            .await
            .expect("a socket")
    }

    /// The same where the server may be away: none if it is.
    pub async fn try_open(client: &Client, query: &str, variables: Value) -> Option<Self> {
        let payload = json!({ "query": query, "variables": variables });
        Self::try_open_with(client, &payload).await
    }

    /// Connects, introduces itself, and sends whatever `payload` is as its operation.
    pub async fn open_with(client: &Client, payload: &Value) -> Self {
        Self::try_open_with(client, payload)
            .await
            .expect("a socket")
    }

    async fn try_open_with(client: &Client, operation: &Value) -> Option<Self> {
        let address = client.url.trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.ok()?;
        Self::over(stream, client, operation).await
    }

    /// The same over a connection that the test made in a way of its own.
    pub async fn over(stream: TcpStream, client: &Client, operation: &Value) -> Option<Self> {
        let mut introduction = json!({});
        if let Some(token) = &client.token {
            introduction["Authorization"] = json!(format!("Bearer {token}"));
        }
        if let Some(slug) = &client.organization {
            introduction["Rollcall-Organization"] = json!(slug);
        }
        Self::introduced(stream, client, &introduction, operation).await
    }

    /// The same with an introduction that no client of ours would make.
    pub async fn introduced(
        stream: TcpStream,
        client: &Client,
        introduction: &Value,
        operation: &Value,
    ) -> Option<Self> {
        let url = format!("{}/graphql", client.url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("a request");
        request.headers_mut().insert(
            "sec-websocket-protocol",
            "graphql-transport-ws".parse().expect("a header"),
        );
        let (stream, _) = tokio_tungstenite::client_async(request, stream)
            .await
            .ok()?;
        let mut subscription = Self { stream };
        subscription
            .tell(&json!({ "type": "connection_init", "payload": introduction }))
            .await;
        subscription
            .tell(&json!({ "type": "subscribe", "id": "1", "payload": operation }))
            .await;
        Some(subscription)
    }

    /// Says that it is there, without reading a word; false when nobody is there any more.
    pub async fn ping(&mut self) -> bool {
        self.stream
            .send(Message::Ping(Vec::new().into()))
            .await
            .is_ok()
    }

    /// The next thing heard within `patience`, heartbeats of the socket aside.
    pub async fn next(&mut self, patience: Duration) -> Heard {
        let heard = tokio::time::timeout(patience, async {
            loop {
                let message = match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => {
                        serde_json::from_str::<Value>(&text).expect("JSON")
                    }
                    Some(Ok(Message::Close(frame))) => {
                        return Heard::Closed(frame.map_or(1005, |frame| frame.code.into()));
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(_)) | None => return Heard::Closed(1006),
                };
                match message["type"].as_str() {
                    Some("next") => return Heard::Next(message["payload"].clone()),
                    Some("error") => return Heard::Error(message["payload"].clone()),
                    Some("complete") => return Heard::Complete,
                    Some("ping") => self.tell(&json!({ "type": "pong" })).await,
                    _ => {}
                }
            }
        });
        heard.await.unwrap_or(Heard::Silence)
    }

    /// The next batch of `field` that has changes; anything else fails the test.
    pub async fn changes(&mut self, field: &str, patience: Duration) -> (Vec<Value>, String) {
        loop {
            match self.next(patience).await {
                Heard::Next(payload) => {
                    assert!(payload.get("errors").is_none(), "{payload:#}");
                    let batch = &payload["data"][field];
                    let changes = batch["changes"].as_array().expect("changes").clone();
                    if !changes.is_empty() {
                        return (
                            changes,
                            batch["cursor"].as_str().expect("a cursor").to_owned(),
                        );
                    }
                }
                other => panic!("{other:?} instead of changes"),
            }
        }
    }

    async fn tell(&mut self, message: &Value) {
        // A socket that was closed meanwhile is noticed by the next read.
        let _ = self.stream.send(Message::text(message.to_string())).await;
    }
}
