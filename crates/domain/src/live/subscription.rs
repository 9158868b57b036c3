//! Following an organization's changes: replay from a cursor, then live, without gap or repeat.

use std::{pin::Pin, sync::Arc, time::Duration};

use tokio::{
    sync::broadcast,
    time::{Instant, Sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    feed::{self, BATCH, Batch, Filter, LoggedChange},
    follower::Segment,
    hub::Hub,
};
use crate::{Result, Scope, organizations::caller::Caller, permission::AttendanceRead};

/// A subscriber hears something at least this often, and its right to listen is asked again.
pub const HEARTBEAT: Duration = Duration::from_secs(20);

/// Begins to follow the changes that pass `filter`, from `after` on: what was missed first, in
/// batches, then each as it is committed. Without `after`, only what comes.
///
/// # Errors
/// Why the caller may not listen; a refusal when `after` is no place in the log.
pub async fn follow(
    hub: &Hub,
    caller: Caller,
    filter: Filter,
    after: Option<String>,
) -> Result<Following> {
    let scope = caller.enter().await?;
    let reader = scope.reader::<AttendanceRead>()?;
    // Listening begins before the log is read: what is committed in between is heard.
    let segments = hub.follow(scope.organization().uuid());
    let sessions = hub.sessions();
    let position = match after {
        Some(cursor) => {
            let position = feed::position(&scope, &cursor)?;
            // Refuses a place beyond the end now, and not in the middle of the stream.
            feed::read(&reader, &filter, position, 1).await?;
            position
        }
        None => feed::end(&reader).await?,
    };
    drop(reader);
    scope.close_snapshot().await;
    Ok(Following {
        hub: hub.clone(),
        interruption: interruption(hub.stop().clone(), sessions, &caller),
        caller,
        scope,
        filter,
        segments,
        heartbeat: Box::pin(sleep_until(Instant::now() + HEARTBEAT)),
        heard: Instant::now(),
        position,
        live: false,
    })
}

/// Somebody who follows an organization's changes. Their right to is asked anew whenever it may have
/// changed.
pub struct Following {
    hub: Hub,
    caller: Caller,
    scope: Scope,
    filter: Filter,
    segments: broadcast::Receiver<Arc<Segment>>,
    /// Waits along with each segment, but begins to wait only once: as does the heartbeat.
    interruption: Waiting,
    heartbeat: Pin<Box<Sleep>>,
    /// When the subscriber last heard anything.
    heard: Instant,
    position: i64,
    /// Whether the log was read to its end, so that the next segment may follow.
    live: bool,
}

type Waiting = Pin<Box<dyn Future<Output = Interruption> + Send + Sync>>;

enum Interruption {
    /// The process stops.
    Stop,
    /// The caller's session may have ended; whether the next does is told by this.
    Session(broadcast::Receiver<Uuid>),
}

impl Following {
    /// In whose right the last batch was delivered.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Who follows.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The next batch to deliver; none when the process stops. An empty one is a heartbeat. A reader
    /// that is slow for a while loses nothing, because it then reads from the log again.
    ///
    /// # Errors
    /// The caller's session or key, membership or permission ended, and with it the right to listen; or the
    /// database does not answer.
    pub async fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            if !self.live {
                // On the heap: a thousand idle subscribers would each keep room for it.
                return Box::pin(self.replay()).await.map(Some);
            }
            tokio::select! {
                segment = self.segments.recv() => match segment {
                    Ok(segment) => {
                        if let Some(batch) = self.take(&segment).await? {
                            return Ok(Some(self.deliver(batch)));
                        }
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => self.live = false,
                    Err(broadcast::error::RecvError::Closed) => {
                        self.segments = self.hub.follow(self.scope.organization().uuid());
                        self.live = false;
                    }
                },
                interrupted = &mut self.interruption => match interrupted {
                    Interruption::Stop => return Ok(None),
                    Interruption::Session(sessions) => {
                        self.interruption = interruption(self.hub.stop().clone(), sessions, &self.caller);
                        self.enter().await?;
                    }
                },
                () = &mut self.heartbeat => {
                    let due = self.heard + HEARTBEAT;
                    if Instant::now() < due {
                        self.heartbeat.as_mut().reset(due);
                        continue;
                    }
                    self.enter().await?;
                    let batch = Batch { changes: Vec::new(), position: self.position, caught_up: true };
                    return Ok(Some(self.deliver(batch)));
                }
            }
        }
    }

    /// The next batch from the log itself.
    async fn replay(&mut self) -> Result<Batch> {
        self.enter().await?;
        let reader = self.scope.reader::<AttendanceRead>()?;
        let batch = feed::read(&reader, &self.filter, self.position, BATCH).await?;
        self.scope.close_snapshot().await;
        self.live = batch.caught_up;
        Ok(self.deliver(batch))
    }

    /// What of a live segment is new and passes the filter, if anything.
    async fn take(&mut self, segment: &Segment) -> Result<Option<Batch>> {
        if segment.last() <= self.position {
            return Ok(None);
        }
        if segment.after > self.position {
            self.live = false;
            return Ok(None);
        }
        if segment.ends_access {
            self.enter().await?;
        }
        let fresh = segment
            .changes
            .iter()
            .filter(|change| change.sequence > self.position);
        let changes: Vec<_> = fresh
            .filter(|change| self.filter.passes(change) && is_within(&self.scope, change))
            .cloned()
            .collect();
        self.position = segment.last();
        let batch = Batch {
            changes,
            position: self.position,
            caught_up: true,
        };
        Ok((!batch.changes.is_empty()).then_some(batch))
    }

    fn deliver(&mut self, batch: Batch) -> Batch {
        self.position = batch.position;
        self.heard = Instant::now();
        if self.heartbeat.is_elapsed() {
            self.heartbeat.as_mut().reset(self.heard + HEARTBEAT);
        }
        batch
    }

    /// Asks again whether the caller may listen.
    async fn enter(&mut self) -> Result<()> {
        // On the heap, as above.
        self.scope = Box::pin(enter(&self.caller)).await?;
        Ok(())
    }
}

async fn enter(caller: &Caller) -> Result<Scope> {
    let scope = caller.enter_again().await?;
    scope.reader::<AttendanceRead>()?;
    Ok(scope)
}

/// Whether a change belongs to the one event that somebody is limited to, if they are.
fn is_within(scope: &Scope, change: &LoggedChange) -> bool {
    scope
        .event()
        .is_none_or(|event| change.event_id == Some(event))
}

/// Waits for the process's stop, or the end of a session that may be the caller's. A key that is
/// revoked ends what it began by the change that says so, like a membership.
fn interruption(
    stop: CancellationToken,
    mut sessions: broadcast::Receiver<Uuid>,
    caller: &Caller,
) -> Waiting {
    let session = caller.person().ok().map(|viewer| viewer.session().uuid());
    let ended = async move {
        // What was missed may have been this one.
        while sessions
            .recv()
            .await
            .is_ok_and(|ended| Some(ended) != session)
        {}
        sessions
    };
    Box::pin(async move {
        tokio::select! {
            () = stop.cancelled() => Interruption::Stop,
            sessions = ended => Interruption::Session(sessions),
        }
    })
}
