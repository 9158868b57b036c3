//! One per organization that somebody listens to: reads each change once and hands it to all.

use std::{sync::Arc, time::Duration};

use entity::organizations::organization::OrganizationId;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

use super::{
    feed::{self, BATCH, LoggedChange},
    hub::Hub,
};
use crate::{ChangeKind, Result, System, permission::AttendanceRead};

/// The log is read this often even if nothing wakes the follower: what Redis did not tell.
const AT_LEAST_EVERY: Duration = Duration::from_secs(1);

/// A run of the log.
#[derive(Debug)]
pub(super) struct Segment {
    /// The number before the first.
    pub after: i64,
    /// The changes, without a gap.
    pub changes: Vec<Arc<LoggedChange>>,
    /// Whether somebody may have lost access with one of the changes.
    pub ends_access: bool,
}

impl Segment {
    fn new(after: i64, changes: Vec<Arc<LoggedChange>>) -> Self {
        let ends_access = |change: &Arc<LoggedChange>| {
            ChangeKind::parse(&change.kind).is_none_or(ChangeKind::changes_access)
        };
        Self {
            after,
            ends_access: changes.iter().any(ends_access),
            changes,
        }
    }

    pub(super) fn last(&self) -> i64 {
        self.changes
            .last()
            .map_or(self.after, |change| change.sequence)
    }
}

pub(super) async fn run(
    hub: Hub,
    organization: Uuid,
    mut woken: watch::Receiver<i64>,
    segments: broadcast::Sender<Arc<Segment>>,
) {
    let mut position: Option<i64> = None;
    loop {
        match advance(&hub, organization, position, &segments).await {
            Ok(reached) => position = Some(reached),
            Err(error) => tracing::warn!(%error, %organization, "live.follower.retry"),
        }
        tokio::select! {
            () = hub.stop().cancelled() => return,
            changed = woken.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(AT_LEAST_EVERY) => {}
        }
        if segments.receiver_count() == 0 && hub.retire(organization) {
            return;
        }
    }
}

/// Hands out everything after `position`; the first time, only finds out where the log ends.
async fn advance(
    hub: &Hub,
    organization: Uuid,
    position: Option<i64>,
    segments: &broadcast::Sender<Arc<Segment>>,
) -> Result<i64> {
    let system = System::new(hub.db(), "follow an organization's changes");
    let reader = || {
        system
            .scope(OrganizationId::from(organization))
            .reader::<AttendanceRead>()
    };
    let Some(mut position) = position else {
        let after = feed::end(&reader()?).await?;
        // Tells who subscribed and read a little earlier that there is more to read by now.
        let _ = segments.send(Arc::new(Segment::new(after, Vec::new())));
        return Ok(after);
    };
    loop {
        let changes = feed::read_all(&reader()?, position).await?;
        let full = changes.len() as u64 == BATCH;
        if !changes.is_empty() {
            let segment = Segment::new(position, changes);
            position = segment.last();
            // No receiver is no error: the last one has just left.
            let _ = segments.send(Arc::new(segment));
        }
        if !full {
            return Ok(position);
        }
    }
}
