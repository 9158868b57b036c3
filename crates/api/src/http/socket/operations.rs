//! The operations of one socket.

use std::future::pending;
use std::sync::Arc;

use async_graphql::ServerError;
use async_graphql::parser::types::OperationType;
use axum::extract::ws::Message;
use futures_util::future::FutureExt;
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use serde_json::{Map, Value};
use tokio_stream::StreamMap;

use super::message::{self, End};
use crate::guard::{self, Operation};
use crate::http::parameters::Parameters;
use crate::http::{Credential, Road, Service, Told, answer};

/// Operations of one socket at a time.
const MAX_OPERATIONS: usize = 20;

/// The running operations. They go on in the socket's own task, and only while it has nothing to
/// send: a slow reader holds them back, and no message waits for it. Dropping it ends them.
pub(super) struct Operations<S> {
    road: Arc<Road<S>>,
    running: StreamMap<Arc<str>, BoxStream<'static, Said>>,
}

/// A message of an operation.
struct Said {
    message: Message,
    last: bool,
}

impl<S: Service> Operations<S> {
    pub(super) fn new(road: Arc<Road<S>>) -> Self {
        Self {
            road,
            running: StreamMap::new(),
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
                let id: Arc<str> = id.into();
                let said = self.said(Arc::clone(&id), credential.clone(), operation);
                self.running.insert(id, said);
                None
            }
        })
    }

    /// Ends an operation; one that has ended already is ignored.
    pub(super) fn stop(&mut self, id: &str) {
        self.running.remove(id);
    }

    /// The next message of any operation. Never ends; may be dropped while it waits.
    pub(super) async fn next(&mut self) -> Message {
        let Some((id, Said { message, last })) = self.running.next().await else {
            return pending().await;
        };
        if last {
            self.running.remove(&id);
        }
        message
    }

    fn said(
        &self,
        id: Arc<str>,
        credential: Credential,
        operation: Operation,
    ) -> BoxStream<'static, Said> {
        let road = Arc::clone(&self.road);
        let max_response = road.settings.max_response;
        if operation.kind == OperationType::Subscription {
            let service = &road.service;
            let responses = service.subscribe(credential, operation, max_response);
            return said(id, responses, max_response);
        }
        let answer = async move { answer::execute(&road, credential, operation).await };
        let response = answer.map(|response| Told::Own(Box::new(response)));
        said(id, response.into_stream(), max_response)
    }

    fn has_room(&self) -> Result<(), ServerError> {
        if self.running.len() < MAX_OPERATIONS {
            return Ok(());
        }
        let message = format!("A socket may run {MAX_OPERATIONS} operations at a time.");
        Err(guard::error("TOO_MANY_OPERATIONS", message, None))
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

fn said(
    id: Arc<str>,
    responses: impl Stream<Item = Told> + Send + 'static,
    max_response: usize,
) -> BoxStream<'static, Said> {
    let mut first = true;
    let said = move |told| {
        let first = std::mem::take(&mut first);
        let (message, last) = match told {
            None => (message::complete(&id), true),
            Some(Told::Shared(json)) => (message::next(&id, &json), false),
            Some(Told::Own(mut response)) => {
                let refused = first && answer::is_refused(&response);
                let json = answer::encode(&mut response, max_response);
                if refused {
                    (refusal(&id, &response.errors), true)
                } else {
                    (message::next(&id, &json), false)
                }
            }
        };
        Said { message, last }
    };
    let responses = responses.map(Some).chain(stream::iter([None]));
    responses.map(said).boxed()
}
