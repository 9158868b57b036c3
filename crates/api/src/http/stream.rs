//! Event streams: the distinct connections mode of graphql-sse.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::time::interval;

use super::negotiation::Media;
use super::rejection::Rejection;
use super::{Credential, Road, Service, Told, answer};
use crate::guard::Operation;

/// How often a quiet stream sends a comment, so that proxies keep it open and a dead client shows.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events that wait for a slow reader.
const QUEUE: usize = 16;
/// How long a full queue waits for its reader; then the stream ends without `complete`.
const SEND_DEADLINE: Duration = Duration::from_secs(10);

/// The whole stream of an operation that has one answer.
pub(super) fn single(json: &[u8]) -> Vec<u8> {
    [next(json), COMPLETE.to_vec()].concat()
}

/// Opens the stream of a subscription. It ends with `complete` when the subscription does, and
/// without it on shutdown, so that clients come back.
pub(super) fn open<S: Service>(
    road: &Arc<Road<S>>,
    credential: Credential,
    operation: Operation,
) -> Result<axum::response::Response, Rejection> {
    let settings = &road.settings;
    if settings.tasks.len() >= settings.max_tasks {
        return Err(Rejection::full());
    }
    let (sender, receiver) = mpsc::channel(QUEUE);
    let responses = road
        .service
        .subscribe(credential, operation, settings.max_response);
    settings
        .tasks
        .spawn(feed(Arc::clone(road), responses, sender));
    let body = stream::unfold(receiver, async |mut receiver| {
        let chunk = receiver.recv().await?;
        Some((Ok::<_, Infallible>(chunk), receiver))
    });
    let mut response = answer::http(Media::EventStream, StatusCode::OK, Vec::new());
    *response.body_mut() = Body::from_stream(body);
    Ok(response)
}

const COMPLETE: &[u8] = b"event: complete\ndata: \n\n";
const COMMENT: &[u8] = b":\n\n";

/// A task between the subscription and the connection, because a body that nobody reads is not
/// polled and could not notice its own deadline.
async fn feed<S: Service>(
    road: Arc<Road<S>>,
    responses: impl Stream<Item = Told>,
    sender: mpsc::Sender<Bytes>,
) {
    let settings = &road.settings;
    let mut responses = pin!(responses);
    let mut heartbeat = interval(HEARTBEAT);
    loop {
        let event = tokio::select! {
            () = settings.shutdown.cancelled() => return,
            () = sender.closed() => return,
            _ = heartbeat.tick() => Bytes::from_static(COMMENT),
            response = responses.next() => match response {
                Some(Told::Shared(json)) => next(&json).into(),
                Some(Told::Own(mut response)) => {
                    next(&answer::encode(&mut response, settings.max_response)).into()
                }
                // Ended because we stop: not over.
                None if settings.shutdown.is_cancelled() => return,
                None => break,
            },
        };
        if sender.send_timeout(event, SEND_DEADLINE).await.is_err() {
            return;
        }
    }
    // Whoever does not read it is gone.
    drop(
        sender
            .send_timeout(Bytes::from_static(COMPLETE), SEND_DEADLINE)
            .await,
    );
}

/// Our JSON has no line breaks, so one `data` line holds it.
fn next(json: &[u8]) -> Vec<u8> {
    [b"event: next\ndata: ", json, b"\n\n"].concat()
}
