//! One per process: who follows which organization, and what wakes them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{broadcast, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::follower::{self, Segment};
use crate::{Db, scope::Committed};

/// Segments a subscriber may be behind before it reads from the database again.
const BEHIND: usize = 64;

/// Wakes and feeds the subscriptions of this process.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    db: Db,
    followers: Mutex<HashMap<Uuid, Follower>>,
    sessions: broadcast::Sender<Uuid>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

struct Follower {
    wake: watch::Sender<i64>,
    segments: broadcast::Sender<Arc<Segment>>,
}

impl Hub {
    /// A hub that hears the commits of this process until `stop`.
    #[must_use]
    pub fn start(db: &Db, stop: CancellationToken) -> Self {
        let hub = Self(Arc::new(Inner {
            db: db.clone(),
            followers: Mutex::default(),
            sessions: broadcast::channel(1024).0,
            stop: stop.clone(),
            tasks: TaskTracker::new(),
        }));
        let mut committed = db.committed();
        let listener = hub.clone();
        hub.0.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => break,
                    message = committed.recv() => match message {
                        Ok(message) => listener.wake(message),
                        // Missed wake-ups are made up for by the followers' own clocks.
                        Err(broadcast::error::RecvError::Lagged(_)) => {}
                        Err(broadcast::error::RecvError::Closed) => break,
                    }
                }
            }
        });
        hub
    }

    /// Tells whoever waits for it that something was committed, here or elsewhere.
    pub fn wake(&self, message: Committed) {
        match message {
            Committed::Changes {
                organization,
                sequence,
            } => {
                if let Some(follower) = self.followers().get(&organization) {
                    follower.wake.send_if_modified(|known| {
                        let newer = sequence > *known;
                        *known = (*known).max(sequence);
                        newer
                    });
                }
            }
            Committed::SessionEnded(session) => {
                // No receiver is no error: nobody streams at present.
                let _ = self.0.sessions.send(session);
            }
            Committed::JobEnqueued => {}
        }
    }

    /// Waits for the followers after `stop`.
    pub async fn close(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    pub(super) fn stop(&self) -> &CancellationToken {
        &self.0.stop
    }

    pub(super) fn db(&self) -> &Db {
        &self.0.db
    }

    /// Sessions that end, from now on.
    pub(super) fn sessions(&self) -> broadcast::Receiver<Uuid> {
        self.0.sessions.subscribe()
    }

    /// The changes of an organization as they are committed, from a moment before now on. The first
    /// to ask starts a follower; it ends when nobody listens any more.
    pub(super) fn follow(&self, organization: Uuid) -> broadcast::Receiver<Arc<Segment>> {
        let mut followers = self.followers();
        if let Some(follower) = followers.get(&organization) {
            return follower.segments.subscribe();
        }
        let (wake, woken) = watch::channel(0);
        let (segments, receiver) = broadcast::channel(BEHIND);
        followers.insert(
            organization,
            Follower {
                wake,
                segments: segments.clone(),
            },
        );
        self.0
            .tasks
            .spawn(follower::run(self.clone(), organization, woken, segments));
        receiver
    }

    /// Ends the follower of an organization unless somebody listens; says whether it ended.
    pub(super) fn retire(&self, organization: Uuid) -> bool {
        let mut followers = self.followers();
        match followers.get(&organization) {
            Some(follower) if follower.segments.receiver_count() > 0 => false,
            _ => {
                followers.remove(&organization);
                true
            }
        }
    }

    fn followers(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Follower>> {
        self.0
            .followers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
