//! Attendances: one patron at one event.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID};
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

use crate::{
    error::Result,
    events::event::{Event, EventById},
    fields,
    loader::{Loaded, Nested, Pages, Relation},
    operation::Operation,
    patrons::patron::{Patron, PatronById},
    requires::Requires,
    time::Time,
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

fields! {
    /// One patron at one event: whether they registered, came, and how long they stayed.
    Attendance in record::table;
    columns {
        /// Global id.
        id: ID = id;
        /// When they registered; null for a walk-in.
        registered_at: Option<Time> = registered_at;
        /// Whether they came.
        attended: bool = attended;
        /// Seats held, guests included.
        seats: i32 = seats;
        /// Earliest entry; null when they did not come, or only that they came is known.
        check_in_time: Option<Time> = check_in_time;
        /// Last exit, while they are outside.
        check_out_time: Option<Time> = check_out_time;
        /// Time inside in seconds, of stays that ended.
        seconds_present: i32 = seconds_present;
        /// When it came to be.
        created_at: Time = created_at;
        /// When it last changed.
        updated_at: Time = updated_at;
    }
    computed {}
    guarded {}
    one {
        /// Where.
        event: Event = EventById by event_id, EventsRead;
        /// Who; a patron who was removed is still named here.
        patron: Patron = PatronById by patron_id, PatronsRead;
    }
    many {}
    needs {
        state: EventById by |row: &scan::Attendance| row.event_id;
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
