//! Answers that subscribers share: who asks the same, in the same right, gets the same bytes. A batch
//! is resolved and written down once, however many listen.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::body::Bytes;
use domain::{
    Permissions, Scope, events::event::EventId, live::feed::Batch,
    organizations::organization::OrganizationId, secret,
};
use tokio::{sync::OnceCell, time::Instant};

/// An answer is shared for this long: it shows things as they are now.
const FRESH: Duration = Duration::from_secs(1);
/// Bytes of all answers that are kept.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// Answers that are kept.
const MOST_ANSWERS: usize = 256;

/// What a subscriber asks for: the document and its variables, as a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish(Arc<[u8]>);

/// What an answer depends on, beside the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occasion {
    wish: Wish,
    organization: OrganizationId,
    permissions: Permissions,
    /// What is told apart from what they may not do at all.
    withheld: Permissions,
    /// The one event that who asks is limited to.
    event: Option<EventId>,
    /// The first and the last number of the batch, how many it has, and where it goes on.
    range: (Option<i64>, Option<i64>, usize, i64, bool),
}

/// The answers of the last moment.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<VecDeque<Kept>>>);

struct Kept {
    occasion: Occasion,
    since: Instant,
    answer: Arc<OnceCell<Bytes>>,
}

impl Wish {
    /// What a request asks for.
    #[must_use]
    pub fn of(request: &async_graphql::Request) -> Self {
        let said = (&request.query, &request.operation_name, &request.variables);
        // Writing strings and JSON down cannot fail.
        let said = serde_json::to_vec(&said).unwrap_or_default();
        Self(secret::sha256(&said).into())
    }
}

impl Occasion {
    /// A batch that somebody who wishes this is told.
    #[must_use]
    pub fn of(wish: &Wish, scope: &Scope, batch: &Batch) -> Self {
        let changes = &batch.changes;
        Self {
            wish: wish.clone(),
            organization: scope.organization(),
            permissions: scope.permissions(),
            withheld: scope.withheld(),
            event: scope.event(),
            range: (
                changes.first().map(|change| change.sequence),
                changes.last().map(|change| change.sequence),
                changes.len(),
                batch.position,
                batch.caught_up,
            ),
        }
    }
}

impl Answers {
    /// Where the answer is, or is to be put by whoever is first.
    #[must_use]
    pub fn of(&self, occasion: &Occasion) -> Arc<OnceCell<Bytes>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The newest first: all who listen ask for it at about the same time.
        let known = kept.iter().rev().find(|kept| kept.occasion == *occasion);
        if let Some(known) = known.filter(|known| known.since.elapsed() < FRESH) {
            return known.answer.clone();
        }
        kept.retain(|kept| kept.since.elapsed() < FRESH);
        while kept.len() >= MOST_ANSWERS || kept.iter().map(Kept::size).sum::<usize>() > MOST_BYTES
        {
            kept.pop_front();
        }
        let answer = Arc::default();
        kept.push_back(Kept {
            occasion: occasion.clone(),
            since: Instant::now(),
            answer: Arc::clone(&answer),
        });
        answer
    }
}

impl Kept {
    fn size(&self) -> usize {
        self.answer.get().map_or(0, Bytes::len)
    }
}
