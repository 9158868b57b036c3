//! Attendances: one patron at one event.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use chrono::{DateTime, Utc};
use domain::{
    Scope,
    attendance::{
        projection::State,
        record::{self, Of},
        scan::{self, AttendanceId},
    },
    events::event::EventId,
    page::{Page, PageRequest},
    patrons::patron::PatronId,
    permission::{EventsRead, PatronsRead},
};
use futures_util::future::BoxFuture;

use crate::{
    error::Result,
    events::event::{Event, EventById},
    id,
    loader::{Loaded, Nested, Pages, Relation},
    operation::Operation,
    patrons::patron::{Patron, PatronById},
    requires::Requires,
    selection::{Rows, Selection},
};

/// One patron at one event: whether they registered, came, and how long they stayed.
#[derive(Clone)]
pub struct Attendance(Arc<scan::Attendance>);

/// An attendance by its id.
pub struct AttendanceById;

/// An event's attendances.
pub struct AttendancesOfEvent;

/// A patron's attendances.
pub struct AttendancesOfPatron;

/// Where an attendance stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub enum AttendanceState {
    /// Registered, and not here yet.
    Registered,
    /// Inside.
    CheckedIn,
    /// Came and left.
    CheckedOut,
    /// Came, at a time that nobody noted.
    Attended,
    /// Registered, and did not come before the event was closed or over.
    NoShow,
    /// Gave the registration back, or never had one and had the check-in undone.
    Cancelled,
}

/// One patron at one event: whether they registered, came, and how long they stayed.
#[Object]
impl Attendance {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Where.
    #[graphql(directive = Requires::apply(EventsRead))]
    async fn event(&self, context: &Context<'_>) -> Option<Result<Event>> {
        Operation::of(context)
            .load::<EventById>(self.0.event_id)
            .await
            .transpose()
    }

    /// Who; a patron who was removed is still named here.
    #[graphql(directive = Requires::apply(PatronsRead))]
    async fn patron(&self, context: &Context<'_>) -> Option<Result<Patron>> {
        Operation::of(context)
            .load::<PatronById>(self.0.patron_id)
            .await
            .transpose()
    }

    /// Where it stands now; it looks at the event's times.
    #[graphql(directive = Requires::apply(EventsRead))]
    async fn state(&self, context: &Context<'_>) -> Option<Result<AttendanceState>> {
        let operation = Operation::of(context);
        let event = operation
            .load::<EventById>(self.0.event_id)
            .await
            .transpose()?;
        Some(event.map(|event| State::of(&self.0, event.row(), operation.clock().now()).into()))
    }

    /// When they registered; null for a walk-in.
    fn registered_at(&self) -> Option<DateTime<Utc>> {
        self.0.registered_at
    }

    /// Whether they came.
    fn attended(&self) -> bool {
        self.0.attended
    }

    /// Seats held, guests included.
    fn seats(&self) -> i32 {
        self.0.seats
    }

    /// Earliest entry; null when they did not come, or only that they came is known.
    fn check_in_time(&self) -> Option<DateTime<Utc>> {
        self.0.check_in_time
    }

    /// Last exit, while they are outside.
    fn check_out_time(&self) -> Option<DateTime<Utc>> {
        self.0.check_out_time
    }

    /// Time inside in seconds, of stays that ended.
    fn seconds_present(&self) -> i32 {
        i32::try_from(self.0.seconds_present).unwrap_or(i32::MAX)
    }

    /// When it came to be.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

impl From<scan::Attendance> for Attendance {
    fn from(row: scan::Attendance) -> Self {
        Self(Arc::new(row))
    }
}

impl Relation for AttendanceById {
    type Key = AttendanceId;
    type Value = Attendance;

    async fn load(scope: Scope, keys: Vec<AttendanceId>) -> Loaded<Self> {
        let rows = record::load(&scope.reader()?, &keys).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, Ok(row.into())))
            .collect())
    }
}

impl Nested for AttendancesOfEvent {
    type Parent = EventId;
    type Row = scan::Attendance;
    type Node = Attendance;

    async fn first(scope: &Scope, parents: &[EventId], size: u64) -> domain::Result<Pages<Self>> {
        record::first_of_events(&scope.reader()?, parents, size).await
    }

    async fn list(
        scope: &Scope,
        parent: EventId,
        request: &PageRequest,
    ) -> domain::Result<Page<scan::Attendance>> {
        record::list(&scope.reader()?, Of::Event(parent), request).await
    }
}

impl Nested for AttendancesOfPatron {
    type Parent = PatronId;
    type Row = scan::Attendance;
    type Node = Attendance;

    async fn first(scope: &Scope, parents: &[PatronId], size: u64) -> domain::Result<Pages<Self>> {
        record::first_of_patrons(&scope.reader()?, parents, size).await
    }

    async fn list(
        scope: &Scope,
        parent: PatronId,
        request: &PageRequest,
    ) -> domain::Result<Page<scan::Attendance>> {
        record::list(&scope.reader()?, Of::Patron(parent), request).await
    }
}

impl Rows for Attendance {
    fn prefetch<'a>(
        rows: Vec<Self>,
        operation: &'a Operation,
        selected: Selection<'a>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let events = selected.field("event");
            if events.is_asked() || selected.has("state") {
                let ids = rows.iter().map(|row| row.0.event_id).collect();
                let found = operation.load_all::<EventById>(ids).await;
                Event::prefetch(found, operation, events).await;
            }
            let patrons = selected.field("patron");
            if patrons.is_asked() {
                let ids = rows.iter().map(|row| row.0.patron_id).collect();
                let found = operation.load_all::<PatronById>(ids).await;
                Patron::prefetch(found, operation, patrons).await;
            }
        })
    }
}
