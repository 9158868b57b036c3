//! Following an organization's changes: replay from a cursor, then live, without gap or repeat.

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use tokio::{sync::broadcast, time::Instant};
use uuid::Uuid;

use super::{
    feed::{self, BATCH, Batch, Filter},
    follower::Segment,
    hub::Hub,
};
use crate::{
    Error, Permission, Result, Scope, Viewer, identity::session, organizations::member,
    permission::AttendanceRead,
};

/// A subscriber hears something at least this often, and its right to listen is asked again.
pub const HEARTBEAT: Duration = Duration::from_secs(20);

/// What is known when a batch is delivered: the scope is entered anew whenever rights may have
/// changed.
#[derive(Clone)]
pub struct Delivery {
    /// The changes.
    pub batch: Batch,
    /// In whose right they are delivered.
    pub scope: Scope,
}

/// The changes that pass `filter`, from `after` on: what was missed first, in batches, then each as
/// it is committed. Without `after`, only what comes. An empty batch is a heartbeat.
///
/// The stream ends with an error when the viewer's session, membership or permission does; a reader
/// that is slow for a while loses nothing, because it then reads from the log again.
pub async fn follow(
    hub: &Hub,
    viewer: Viewer,
    filter: Filter,
    after: Option<String>,
) -> Result<impl Stream<Item = Result<Delivery>> + Send + 'static + use<>> {
    let scope = member::enter(&viewer).await?;
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
    let follower = Following {
        hub: hub.clone(),
        viewer,
        scope,
        filter,
        segments,
        sessions,
        position,
        live: false,
    };
    Ok(stream::try_unfold(follower, |mut following| async move {
        let delivery = following.next().await?;
        Ok(delivery.map(|delivery| (delivery, following)))
    }))
}

struct Following {
    hub: Hub,
    viewer: Viewer,
    scope: Scope,
    filter: Filter,
    segments: broadcast::Receiver<Arc<Segment>>,
    sessions: broadcast::Receiver<Uuid>,
    position: i64,
    /// Whether the log was read to its end, so that the next segment may follow.
    live: bool,
}

impl Following {
    /// The next batch to deliver; none when the process stops.
    async fn next(&mut self) -> Result<Option<Delivery>> {
        let heartbeat = Instant::now() + HEARTBEAT;
        loop {
            if !self.live {
                return self.replay().await.map(Some);
            }
            tokio::select! {
                () = self.hub.stop().cancelled() => return Ok(None),
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
                session = self.sessions.recv() => {
                    if session.is_err() || session.is_ok_and(|session| session == self.viewer.session().uuid()) {
                        self.enter().await?;
                    }
                }
                () = tokio::time::sleep_until(heartbeat) => {
                    self.enter().await?;
                    let batch = Batch { changes: Vec::new(), position: self.position, caught_up: true };
                    return Ok(Some(self.deliver(batch)));
                }
            }
        }
    }

    /// The next batch from the log itself.
    async fn replay(&mut self) -> Result<Delivery> {
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
        if segment.ends_access() {
            self.enter().await?;
        }
        let fresh = segment
            .changes
            .iter()
            .filter(|change| change.sequence > self.position);
        let changes: Vec<_> = fresh
            .filter(|change| self.filter.passes(change))
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

    fn deliver(&mut self, batch: Batch) -> Delivery {
        self.position = batch.position;
        Delivery {
            batch,
            scope: self.scope.fresh(),
        }
    }

    /// Asks again whether the viewer may listen.
    async fn enter(&mut self) -> Result<()> {
        if !session::is_live(&self.viewer).await? {
            return Err(Error::Unauthenticated);
        }
        self.scope = member::enter(&self.viewer).await?;
        if self.scope.can(Permission::AttendanceRead) {
            Ok(())
        } else {
            Err(Error::Forbidden(Permission::AttendanceRead))
        }
    }
}
