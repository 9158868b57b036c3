//! The operations of one socket.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use async_graphql::ServerError;
use async_graphql::parser::types::OperationType;
use axum::extract::ws::Message;
use futures_util::future::FutureExt;
use futures_util::stream::{BoxStream, StreamExt};
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::message::{self, End};
use super::{SEND_DEADLINE, slow_reader};
use crate::guard::{self, Operation};
use crate::http::parameters::Parameters;
use crate::http::{Credential, Road, Service, Told, answer};

/// Operations of one socket at a time.
const MAX_OPERATIONS: usize = 20;
/// Messages of one socket that wait for their reader.
const QUEUE: usize = 16;

/// The running operations and the queue that they share. Dropping it ends them.
pub(super) struct Operations<S> {
    road: Arc<Road<S>>,
    running: HashMap<String, Running>,
    /// Tells an operation from an earlier one of the same name, whose last messages still wait.
    serial: u64,
    queue: mpsc::Sender<Queued>,
    queued: mpsc::Receiver<Queued>,
    /// Set when an operation waited in vain for room in the queue.
    stuck: CancellationToken,
}

struct Running {
    serial: u64,
    _task: AbortOnDropHandle<()>,
}

struct Queued {
    id: Arc<str>,
    serial: u64,
    message: Message,
    last: bool,
}

impl<S: Service> Operations<S> {
    pub(super) fn new(road: Arc<Road<S>>) -> Self {
        let (queue, queued) = mpsc::channel(QUEUE);
        Self {
            road,
            running: HashMap::new(),
            serial: 0,
            queue,
            queued,
            stuck: CancellationToken::new(),
        }
    }

    /// Starts an operation, or returns the message that refuses it.
    ///
    /// # Errors
    /// The end of the socket, when the client breaks the protocol.
    pub(super) fn start(
        &mut self,
        id: &str,
        payload: Map<String, Value>,
        credential: &Credential,
    ) -> Result<Option<Message>, End> {
        if self.running.contains_key(id) {
            return Err(End::close(
                4409,
                format!("Subscriber for {id} already exists"),
            ));
        }
        let request = Parameters::from_object(payload).and_then(Parameters::into_request);
        let request = request.map_err(|_| End::close(4400, "Invalid message: bad payload"))?;
        let admitted = self.has_room().and_then(|()| admit(request));
        Ok(match admitted {
            Err(error) => Some(refusal(id, &[error])),
            Ok(operation) => {
                self.spawn(id, credential.clone(), operation);
                None
            }
        })
    }

    /// Ends an operation; one that has ended already is ignored.
    pub(super) fn stop(&mut self, id: &str) {
        self.running.remove(id);
    }

    /// The next message of any operation. Never ends; may be dropped while it waits.
    ///
    /// # Errors
    /// The end of the socket, when its reader is too slow.
    pub(super) async fn next(&mut self) -> Result<Message, End> {
        loop {
            let queued = tokio::select! {
                () = self.stuck.cancelled() => return Err(slow_reader()),
                queued = self.queued.recv() => queued.ok_or(End::Gone)?,
            };
            let running = self.running.get(&*queued.id);
            if running.is_some_and(|running| running.serial == queued.serial) {
                if queued.last {
                    self.running.remove(&*queued.id);
                }
                return Ok(queued.message);
            }
        }
    }

    fn has_room(&self) -> Result<(), ServerError> {
        if self.running.len() < MAX_OPERATIONS {
            return Ok(());
        }
        let message = format!("A socket may run {MAX_OPERATIONS} operations at a time.");
        Err(guard::error("TOO_MANY_OPERATIONS", message, None))
    }

    fn spawn(&mut self, id: &str, credential: Credential, operation: Operation) {
        self.serial += 1;
        let outlet = Outlet {
            id: id.into(),
            serial: self.serial,
            queue: self.queue.clone(),
            stuck: self.stuck.clone(),
        };
        let task = tokio::spawn(run(Arc::clone(&self.road), credential, operation, outlet));
        let running = Running {
            serial: self.serial,
            _task: AbortOnDropHandle::new(task),
        };
        self.running.insert(id.to_owned(), running);
    }
}

fn admit(request: async_graphql::Request) -> Result<Operation, ServerError> {
    let operation = guard::admit(request)?;
    if operation.kind == OperationType::Mutation {
        let message = "Send mutations by POST: a socket that breaks would leave their end unknown.";
        return Err(guard::error("UNSUPPORTED_OPERATION", message, None));
    }
    Ok(operation)
}

fn refusal(id: &str, errors: &[ServerError]) -> Message {
    let errors = serde_json::to_vec(errors).unwrap_or_else(|_| b"[]".to_vec());
    message::error(id, &errors)
}

async fn run<S: Service>(
    road: Arc<Road<S>>,
    credential: Credential,
    operation: Operation,
    outlet: Outlet,
) {
    let max_response = road.settings.max_response;
    let mut responses = pin!(responses(road, credential, operation));
    let mut first = true;
    while let Some(told) = responses.next().await {
        let message = match told {
            Told::Shared(json) => message::next(&outlet.id, &json),
            Told::Own(mut response) => {
                let refused = first && answer::is_refused(&response);
                let json = answer::encode(&mut response, max_response);
                if refused {
                    let refusal = refusal(&outlet.id, &response.errors);
                    return outlet.send(refusal, true).await;
                }
                message::next(&outlet.id, &json)
            }
        };
        outlet.send(message, false).await;
        first = false;
    }
    outlet.send(message::complete(&outlet.id), true).await;
}

fn responses<S: Service>(
    road: Arc<Road<S>>,
    credential: Credential,
    operation: Operation,
) -> BoxStream<'static, Told> {
    if operation.kind == OperationType::Subscription {
        let max_response = road.settings.max_response;
        return road
            .service
            .subscribe(credential, operation, max_response)
            .boxed();
    }
    let answer = async move { answer::execute(&road, credential, operation).await };
    answer
        .map(|response| Told::Own(Box::new(response)))
        .into_stream()
        .boxed()
}

/// Where one operation's messages go.
struct Outlet {
    id: Arc<str>,
    serial: u64,
    queue: mpsc::Sender<Queued>,
    stuck: CancellationToken,
}

impl Outlet {
    async fn send(&self, message: Message, last: bool) {
        let queued = Queued {
            id: Arc::clone(&self.id),
            serial: self.serial,
            message,
            last,
        };
        if self
            .queue
            .send_timeout(queued, SEND_DEADLINE)
            .await
            .is_err()
        {
            self.stuck.cancel();
        }
    }
}
