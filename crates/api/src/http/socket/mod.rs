//! Sockets: the `graphql-transport-ws` protocol of graphql-ws 6.
//!
//! One task per socket reads, writes and carries its operations on. Close codes are behavior: clients
//! come back after 1012, 4403, 4408 and 4410, and never after 4400, 4401, 4406, 4409 and 4429.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Map, Value};
use tokio::time::{Instant, interval, sleep, timeout};

use self::message::{ACK, ClientMessage, End, PONG};
use self::operations::Operations;
use super::credential::{ORGANIZATION, bearer};
use super::rejection::Rejection;
use super::{Credential, Road, Service, origin};

mod message;
mod operations;

const PROTOCOL: &str = "graphql-transport-ws";
/// Bytes of a client's message.
const MAX_MESSAGE: usize = 64 * 1024;
/// Bytes of a message that we read at all. A connection that is cut before its end has been read
/// is reset, and the client never sees why; so what is somewhat too large is read first.
const MAX_READ: usize = 4 * MAX_MESSAGE;
/// How long a client may take to send `connection_init`, and the service to judge it.
const INIT_DEADLINE: Duration = Duration::from_secs(10);
/// How often we ping. The ping is WebSocket's own, which every client answers by itself.
const PING: Duration = Duration::from_secs(20);
/// How long a client may be silent, our pings unanswered.
const SILENCE: Duration = Duration::from_secs(45);
/// How long one message may wait for its reader.
const SEND_DEADLINE: Duration = Duration::from_secs(10);
/// How long we wait for a client to answer our close.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
/// Read buffer of a socket; most sockets are idle, so it is small.
const READ_BUFFER: usize = 2 * 1024;

/// Accepts a socket from one of our own pages, or from a client that is no browser.
pub(super) async fn upgrade<S: Service>(
    road: &Arc<Road<S>>,
    parts: &mut Parts,
) -> Result<Response, Rejection> {
    let settings = &road.settings;
    origin::require_own(parts, settings)?;
    if settings.tasks.len() >= settings.max_tasks {
        return Err(Rejection::full());
    }
    let credential = Credential::read(parts, settings);
    let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await;
    let upgrade = upgrade
        .map_err(|refused| Rejection::new(refused.status(), "BAD_REQUEST", refused.body_text()))?;
    // Held from here on, so that a shutdown waits for sockets that are about to open, too.
    let tracked = settings.tasks.token();
    let road = Arc::clone(road);
    Ok(upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(settings.max_response + MAX_MESSAGE)
        .max_message_size(MAX_READ)
        .max_frame_size(MAX_READ)
        .on_upgrade(async move |socket| {
            converse(road, credential, socket).await;
            drop(tracked);
        }))
}

async fn converse<S: Service>(road: Arc<Road<S>>, credential: Credential, socket: WebSocket) {
    let mut conversation = Conversation {
        operations: Operations::new(Arc::clone(&road)),
        road,
        credential,
        socket,
        heard: Instant::now(),
        ready: false,
    };
    let Err(end) = conversation.run().await;
    // Operations end before the farewell: nobody waits for them any more.
    let Conversation {
        mut socket,
        operations,
        ..
    } = conversation;
    drop(operations);
    if let Some(frame) = end.frame() {
        let farewell = async {
            socket.send(frame).await?;
            while let Some(Ok(_)) = socket.recv().await {}
            Ok::<_, axum::Error>(())
        };
        drop(timeout(CLOSE_DEADLINE, farewell).await);
    }
}

struct Conversation<S> {
    road: Arc<Road<S>>,
    credential: Credential,
    socket: WebSocket,
    operations: Operations<S>,
    /// When the client last sent anything.
    heard: Instant,
    /// Whether `connection_init` was acknowledged.
    ready: bool,
}

impl<S: Service> Conversation<S> {
    async fn run(&mut self) -> Result<Infallible, End> {
        if self.socket.protocol().is_none() {
            return Err(End::close(
                4406,
                "Subprotocol not acceptable: use graphql-transport-ws",
            ));
        }
        let shutdown = self.road.settings.shutdown.clone();
        // Each begins to wait once, not with every message.
        let mut stopping = pin!(shutdown.cancelled());
        let mut overdue = pin!(sleep(INIT_DEADLINE));
        let mut pings = interval(PING);
        pings.reset();
        loop {
            tokio::select! {
                () = &mut stopping => {
                    return Err(End::close(1012, "Service restart: connect again"));
                }
                () = &mut overdue, if !self.ready => {
                    return Err(End::close(4408, "Connection initialisation timeout"));
                }
                _ = pings.tick() => {
                    if self.heard.elapsed() > SILENCE {
                        return Err(End::Gone);
                    }
                    self.send(Message::Ping(Vec::new().into())).await?;
                }
                message = self.operations.next() => {
                    // A subscription that ends because we stop must not look as if it were over.
                    if !shutdown.is_cancelled() {
                        self.send(message).await?;
                    }
                }
                received = self.socket.recv() => self.receive(received).await?,
            }
        }
    }

    async fn receive(&mut self, received: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        self.heard = Instant::now();
        let text = match received {
            Some(Ok(Message::Text(text))) if text.len() <= MAX_MESSAGE => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Ok(()),
            Some(Ok(Message::Binary(_))) => return Err(End::close(4400, "Messages are text")),
            Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
            Some(Ok(Message::Text(_)) | Err(_)) => {
                let reason = format!("Malformed frame, or message over {MAX_MESSAGE} bytes");
                return Err(End::close(1009, reason));
            }
        };
        match ClientMessage::read(&text) {
            None => Err(End::close(4400, "Invalid message")),
            Some(ClientMessage::Ping) => self.send(Message::text(PONG)).await,
            Some(ClientMessage::Pong) => Ok(()),
            Some(ClientMessage::ConnectionInit { payload }) => self.init(payload).await,
            Some(_) if !self.ready => Err(End::close(4401, "Unauthorized: send connection_init")),
            Some(ClientMessage::Subscribe { id, payload }) => {
                match self.operations.start(&id, payload, &self.credential)? {
                    Some(refusal) => self.send(refusal).await,
                    None => Ok(()),
                }
            }
            Some(ClientMessage::Complete { id }) => {
                self.operations.stop(&id);
                Ok(())
            }
        }
    }

    async fn init(&mut self, payload: Option<Map<String, Value>>) -> Result<(), End> {
        if self.ready {
            return Err(End::close(4429, "Too many initialisation requests"));
        }
        self.credential.merge(payload.unwrap_or_default())?;
        let judged = self.road.service.connect(&self.credential);
        match timeout(INIT_DEADLINE, judged).await {
            Err(_) => Err(End::close(4408, "Connection initialisation timeout")),
            Ok(Err(error)) => Err(End::close(4403, error.message)),
            Ok(Ok(())) => {
                self.ready = true;
                self.send(Message::text(ACK)).await
            }
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        match timeout(SEND_DEADLINE, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            // What it missed it finds behind its last cursor.
            Err(_) => Err(End::close(
                4410,
                "slow reader, resume from your last cursor",
            )),
        }
    }
}

impl Credential {
    /// Takes what `connection_init` says: browsers cannot set a socket's headers.
    fn merge(&mut self, payload: Map<String, Value>) -> Result<(), End> {
        for (name, value) in payload {
            let is_token = name.eq_ignore_ascii_case("authorization");
            if !is_token && !name.eq_ignore_ascii_case(ORGANIZATION) {
                continue;
            }
            let value = match value {
                Value::String(value) => value,
                // How some clients leave a value out.
                Value::Null => continue,
                _ => {
                    return Err(End::close(
                        4403,
                        format!("Forbidden: `{name}` must be a string"),
                    ));
                }
            };
            if is_token {
                let token = bearer(&value);
                self.bearer = Some(token.ok_or_else(|| {
                    End::close(4403, "Forbidden: `Authorization` must be a bearer token")
                })?);
            } else {
                self.organization = Some(value);
            }
        }
        Ok(())
    }
}
