//! Events.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object};
use domain::{
    Scope,
    attendance::record,
    events::{
        event::{self, EventFilter, EventId},
        status::{self, Status},
    },
    page::PageRequest,
    permission::{AttendanceRead, EventsRead, MembersRead},
};

use crate::{
    attendance::attendance::{Attendance, AttendancesOfEvent},
    connection::{Connection, CountedConnection, MOST_COUNTED},
    error::{Result, nullable},
    fields, id,
    live::change::EndOfLog,
    loader::{Loaded, Relation},
    operation::Operation,
    organizations::member::{Member, MemberById},
    requires::Requires,
    selection::{Rows, Selection},
    time::Time,
    written::{self, Answer},
};

/// One meeting, with the counts that lists show.
#[derive(Clone)]
pub struct Event(Arc<event::Event>);

/// An event by its id.
pub struct EventById;

/// Where an event stands: derived from its times, never set.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Status")]
pub enum EventStatus {
    /// Not published yet.
    Draft,
    /// Published, and not begun.
    Scheduled,
    /// Between its start and its end.
    Ongoing,
    /// Over, or closed.
    Completed,
    /// Called off.
    Cancelled,
}

/// What a full event does.
#[derive(Clone, Copy, Default, PartialEq, Eq, Enum)]
#[graphql(remote = "event::CapacityPolicy")]
pub enum CapacityPolicy {
    /// Says so and lets people in.
    #[default]
    Advisory,
    /// Refuses registrations and walk-ins beyond the capacity.
    Seats,
    /// Refuses entry while as many are inside.
    Occupancy,
}

/// Which events a list shows.
#[derive(Default, InputObject)]
#[graphql(name = "EventFilter")]
pub struct EventFilterInput {
    /// Only those with one of these statuses; all when empty.
    #[graphql(default)]
    statuses: Vec<EventStatus>,
    /// Only those that start at this time or later.
    from: Option<Time>,
    /// Only those that start before this time.
    until: Option<Time>,
}

/// Queries about events.
#[derive(Default)]
pub struct EventQuery;

#[Object]
impl EventQuery {
    /// An event by its id.
    #[graphql(directive = Requires::apply(EventsRead))]
    async fn event(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its global id.")] id: ID,
    ) -> Option<Result<Answer<Event>>> {
        let (operation, selected) = (Operation::of(context), Selection::of(context));
        let id: EventId = match nullable(id::decode(&id, "id"))? {
            Ok(id) => id,
            Err(fault) => return Some(Err(fault)),
        };
        if let Some(answer) = written::row(operation, &selected, id, None).await {
            return answer;
        }
        let event = operation.load::<EventById>(id).await.transpose()?;
        if let Ok(event) = &event {
            Event::prefetch(vec![event.clone()], operation, selected).await;
        }
        Some(event.map(Answer::Walked))
    }

    /// The organization's events, latest start first.
    #[graphql(directive = Requires::apply(EventsRead))]
    async fn events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from the front: 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the back: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which events; all when left out.")] filter: Option<EventFilterInput>,
    ) -> Result<Answer<CountedConnection<Event>>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let filter = EventFilter::from(filter.unwrap_or_default());
        let (operation, selected) = (Operation::of(context), Selection::of(context));
        let reader = operation.reader().await?;
        if let Some(shape) = written::page_shape::<Event>(operation, &selected).await {
            let page = event::written(&reader, &filter, &request, &shape).await?;
            return Ok(Answer::Written(page));
        }
        let page = Connection::<Event>::from(event::list(&reader, &filter, &request).await?);
        let mut total = None;
        if selected.has("totalCount") {
            total = Some(event::count(&reader, &filter, MOST_COUNTED).await?);
        }
        let known = page
            .rows()
            .map(|event| (event.0.id, event.clone()))
            .collect();
        operation.prime::<EventById>(known).await;
        let page = CountedConnection::prefetched(page, total, operation, &selected).await;
        Ok(Answer::Walked(page))
    }
}

fields! {
    /// One meeting, with the counts that lists show.
    Event in event::table;
    columns {
        /// Global id.
        id: ID = id;
        /// Its title.
        title: &str = title;
        /// What it is about; may be empty.
        description: &str = description;
        /// Where it is; may be empty.
        location: &str = location;
        /// Start.
        starts_at: Time = starts_at;
        /// End.
        ends_at: Time = ends_at;
        /// IANA time zone in which people read its times.
        time_zone: &str = time_zone;
        /// First moment at which a scan counts.
        check_in_opens_at: Time = check_in_opens_at;
        /// Last moment at which a scan counts.
        check_in_closes_at: Time = check_in_closes_at;
        /// Seats; null when they are not counted.
        capacity: Option<i32> = capacity;
        /// What happens when they run out.
        capacity_policy: CapacityPolicy = capacity_policy;
        /// Loyalty points for attending.
        attendance_points: i32 = attendance_points;
        /// Live registrations.
        registered_count: i32 = registered_count;
        /// Seats of live registrations and walk-ins.
        seats_taken: i32 = seats_taken;
        /// Patrons who came.
        checked_in_count: i32 = attended_count;
        /// Patrons inside now.
        inside_count: i32 = inside_count;
        /// When it came to be.
        created_at: Time = created_at;
        /// When it last changed.
        updated_at: Time = updated_at;
    }
    computed {
        /// Where it stands now.
        status: EventStatus = |row, now| Status::of(row, now).into(), status::STATED, Name;
    }
    guarded {}
    one {
        /// The member who hosts; null when there is none, or they have lost access.
        host: Member = MemberById by host_id, MembersRead;
    }
    many {
        /// Who registered and who came, oldest first.
        attendances: Attendance = AttendancesOfEvent, record::of_event, AttendanceRead;
    }
    needs {
        change_cursor: EndOfLog by |_| ();
    }

    /// The present end of the organization's changes: what `attendanceChanged` and
    /// `attendanceChanges` give after it is exactly what this answer does not show yet.
    #[graphql(directive = Requires::apply(AttendanceRead))]
    async fn change_cursor(&self, context: &Context<'_>) -> Option<Result<String>> {
        Operation::of(context)
            .load::<EndOfLog>(())
            .await
            .transpose()
    }
}

impl Event {
    /// The row behind it.
    pub fn row(&self) -> &event::Event {
        &self.0
    }
}

impl From<event::Event> for Event {
    fn from(row: event::Event) -> Self {
        Self(Arc::new(row))
    }
}

impl From<EventFilterInput> for EventFilter {
    fn from(input: EventFilterInput) -> Self {
        Self {
            statuses: input.statuses.into_iter().map(Status::from).collect(),
            from: input.from.map(Into::into),
            until: input.until.map(Into::into),
        }
    }
}

impl Relation for EventById {
    type Key = EventId;
    type Value = Event;

    async fn load(scope: Scope, keys: Vec<EventId>) -> Loaded<Self> {
        let rows = event::load(&scope.reader()?, &keys).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, Ok(row.into())))
            .collect())
    }
}
