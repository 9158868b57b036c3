//! A subscriber over `graphql-transport-ws`.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::Client;

/// A subscription under way.
pub struct Subscription {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
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
        let url = format!("{}/graphql", client.url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().expect("a request");
        request.headers_mut().insert(
            "sec-websocket-protocol",
            "graphql-transport-ws".parse().expect("a header"),
        );
        let (stream, _) = tokio_tungstenite::connect_async(request)
            .await
            .expect("a socket");
        let mut subscription = Self { stream };
        let mut payload = json!({});
        if let Some(token) = &client.token {
            payload["Authorization"] = json!(format!("Bearer {token}"));
        }
        if let Some(slug) = &client.organization {
            payload["Rollcall-Organization"] = json!(slug);
        }
        subscription
            .tell(&json!({ "type": "connection_init", "payload": payload }))
            .await;
        subscription.tell(&json!({ "type": "subscribe", "id": "1", "payload": { "query": query, "variables": variables } })).await;
        subscription
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
