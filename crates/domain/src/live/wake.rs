//! Wake-ups between instances, through Redis. They carry no truth: one that is lost is made up for
//! by the followers' clocks, so nothing here ever fails a request.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use redis::AsyncCommands;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::hub::Hub;
use crate::{Db, scope::Committed};

const CHANNEL: &str = "rollcall:committed";
/// A Redis that does not answer within this is treated as gone.
const PATIENCE: Duration = Duration::from_millis(500);
/// Pause between two tries to reach it.
const RETRY: Duration = Duration::from_secs(1);
/// While it is away, that is said this often.
const SAY_EVERY: Duration = Duration::from_mins(1);

/// Tells other instances of this one's commits, and this one of theirs, until `stop`.
///
/// # Errors
/// Only for a URL that is none.
pub fn start(
    url: &str,
    db: &Db,
    hub: &Hub,
    stop: CancellationToken,
) -> Result<(), redis::RedisError> {
    let client = redis::Client::open(url)?;
    let committed = db.committed();
    tokio::spawn({
        let (client, stop) = (client.clone(), stop.clone());
        async move { stop.run_until_cancelled(tell(client, committed)).await }
    });
    let hub = hub.clone();
    tokio::spawn(async move { stop.run_until_cancelled(listen(client, hub)).await });
    Ok(())
}

async fn tell(client: redis::Client, mut committed: broadcast::Receiver<Committed>) {
    let mut connection = None;
    let mut absence = Absence::default();
    loop {
        let message = match committed.recv().await {
            Ok(message) => message,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let Some(text) = write(message) else { continue };
        if connection.is_none() {
            let connecting = client.get_multiplexed_async_connection();
            connection = tokio::time::timeout(PATIENCE, connecting)
                .await
                .ok()
                .and_then(Result::ok);
        }
        if let Some(open) = &mut connection {
            let published =
                tokio::time::timeout(PATIENCE, open.publish::<_, _, i64>(CHANNEL, text)).await;
            if matches!(published, Ok(Ok(_))) {
                absence = Absence::default();
            } else {
                absence.say(|| tracing::warn!("redis.publish.failed"));
                connection = None;
            }
        }
        metrics::gauge!("rollcall_redis_up").set(if connection.is_some() { 1.0 } else { 0.0 });
    }
}

async fn listen(client: redis::Client, hub: Hub) {
    let mut absence = Absence::default();
    loop {
        match subscribe(&client).await {
            Ok(mut messages) => {
                tracing::info!("redis.subscribed");
                absence = Absence::default();
                while let Some(message) = messages.next().await {
                    if let Some(message) = message
                        .get_payload::<String>()
                        .ok()
                        .as_deref()
                        .and_then(read)
                    {
                        hub.wake(message);
                    }
                }
                absence.say(|| tracing::warn!("redis.subscription.lost"));
            }
            Err(error) => absence.say(|| tracing::warn!(%error, "redis.unreachable")),
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// When it was last said that Redis is away; none while it is there.
#[derive(Default)]
struct Absence(Option<Instant>);

impl Absence {
    /// Says so, unless it was said a moment ago.
    fn say(&mut self, words: impl FnOnce()) {
        if self.0.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            words();
            self.0 = Some(Instant::now());
        }
    }
}

async fn subscribe(client: &redis::Client) -> redis::RedisResult<redis::aio::PubSubStream> {
    let mut connection = client.get_async_pubsub().await?;
    connection.subscribe(CHANNEL).await?;
    Ok(connection.into_on_message())
}

fn write(message: Committed) -> Option<String> {
    match message {
        Committed::Changes {
            organization,
            sequence,
        } => Some(format!("changes {organization} {sequence}")),
        Committed::SessionEnded(session) => Some(format!("session {session}")),
        Committed::JobEnqueued => None,
    }
}

/// What a message says; one that says nothing known is passed over.
fn read(text: &str) -> Option<Committed> {
    let mut words = text.split(' ');
    match (
        words.next()?,
        words.next()?.parse::<Uuid>().ok()?,
        words.next(),
    ) {
        ("changes", organization, Some(sequence)) => Some(Committed::Changes {
            organization,
            sequence: sequence.parse().ok()?,
        }),
        ("session", session, None) => Some(Committed::SessionEnded(session)),
        _ => None,
    }
}
