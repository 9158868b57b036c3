//! Reading the log.

use std::sync::Arc;

use entity::{
    events::event::EventId,
    live::{change, counter},
};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

pub use entity::live::change::Model as LoggedChange;

use crate::{
    ChangeKind, Code, Error, Reader, Result, Scope,
    page::{self, Cursor, Key},
    permission::AttendanceRead,
};

/// Changes of one batch at most.
pub const BATCH: u64 = 500;

/// The kinds that concern attendance: what partners subscribe to.
pub const ATTENDANCE: &[ChangeKind] = &[
    ChangeKind::Registered,
    ChangeKind::RegistrationCancelled,
    ChangeKind::CheckedIn,
    ChangeKind::CheckedOut,
    ChangeKind::CheckInReverted,
    ChangeKind::Corrected,
];

/// Which changes a reader of the log wants.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Only those of this event.
    pub event: Option<EventId>,
    /// Only these kinds.
    pub kinds: Vec<ChangeKind>,
}

/// Some changes, in order, and where to go on.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The changes that pass the filter; none in a heartbeat.
    pub changes: Vec<Arc<LoggedChange>>,
    /// The number up to which the log was looked at.
    pub position: i64,
    /// Whether that was its end.
    pub caught_up: bool,
}

impl Filter {
    /// Whether a change passes.
    #[must_use]
    pub fn passes(&self, change: &LoggedChange) -> bool {
        self.event
            .is_none_or(|event| change.event_id == Some(event))
            && self.kinds.iter().any(|kind| kind.as_str() == change.kind)
    }
}

/// The changes after `position`, up to `size` of them.
///
/// # Errors
/// A refusal when `position` is beyond the end of the log.
pub async fn read(
    reader: &Reader<AttendanceRead>,
    filter: &Filter,
    position: i64,
    size: u64,
) -> Result<Batch> {
    // Read first, in the same snapshot: everything up to it is there to be seen.
    let end = end(reader).await?;
    if position > end {
        return Err(Error::refused(
            Code::Invalid,
            "after",
            "This cursor is beyond the end of the log. Start again without it.",
        ));
    }
    let mut select = reader
        .find::<change::Entity>()
        .filter(change::Column::Sequence.gt(position))
        .filter(change::Column::Kind.is_in(filter.kinds.iter().map(|kind| kind.as_str())))
        .order_by_asc(change::Column::Sequence)
        .limit(size);
    if let Some(event) = filter.event {
        select = select.filter(change::Column::EventId.eq(event.uuid()));
    }
    let changes = shared(reader.all(select).await?);
    match changes.last() {
        Some(last) if changes.len() as u64 == size => {
            let position = last.sequence;
            Ok(Batch {
                changes,
                position,
                caught_up: position == end,
            })
        }
        _ => Ok(Batch {
            changes,
            position: end,
            caught_up: true,
        }),
    }
}

/// All changes after `position`, whatever their kind, up to [`BATCH`].
pub(super) async fn read_all(
    reader: &Reader<AttendanceRead>,
    position: i64,
) -> Result<Vec<Arc<LoggedChange>>> {
    let select = reader
        .find::<change::Entity>()
        .filter(change::Column::Sequence.gt(position))
        .order_by_asc(change::Column::Sequence)
        .limit(BATCH);
    Ok(shared(reader.all(select).await?))
}

/// A change is read once and handed to many.
fn shared(changes: Vec<LoggedChange>) -> Vec<Arc<LoggedChange>> {
    changes.into_iter().map(Arc::new).collect()
}

/// The number of the newest change.
pub async fn end(reader: &Reader<AttendanceRead>) -> Result<i64> {
    Ok(reader
        .one(reader.find::<counter::Entity>())
        .await?
        .map_or(0, |counter| counter.last_sequence))
}

/// A place in the log of the scope's organization, as clients keep it.
#[must_use]
pub fn cursor(scope: &Scope, position: i64) -> String {
    Cursor {
        list: log(scope),
        key: Key::Number(position),
        id: Uuid::nil(),
    }
    .to_text()
}

/// The place that a client kept.
///
/// # Errors
/// A refusal for anything that is not a cursor of this organization's log.
pub fn position(scope: &Scope, cursor: &str) -> Result<i64> {
    match Cursor::parse(cursor) {
        Some(Cursor {
            list,
            key: Key::Number(position @ 0..),
            ..
        }) if list == log(scope) => Ok(position),
        _ => Err(Error::refused(
            Code::Invalid,
            "after",
            "This is not a cursor of this organization's changes.",
        )),
    }
}

fn log(scope: &Scope) -> u64 {
    page::list(scope.organization().uuid(), "changes")
}
