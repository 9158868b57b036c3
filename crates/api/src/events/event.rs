//! Events.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use domain::{
    Scope,
    events::{
        event::{self, EventFilter, EventId},
        status::Status,
    },
    page::PageRequest,
    permission::{AttendanceRead, EventsRead, MembersRead},
};
use futures_util::future::BoxFuture;

use crate::{
    attendance::attendance::{Attendance, AttendancesOfEvent},
    connection::{Connection, CountedConnection, MOST_COUNTED},
    error::{Result, nullable},
    id,
    live::change::EndOfLog,
    loader::{Loaded, Relation},
    operation::Operation,
    organizations::member::{Member, MemberById},
    requires::Requires,
    selection::{Rows, Selection, prefetch_pages},
    time::Time,
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
    ) -> Option<Result<Event>> {
        let operation = Operation::of(context);
        let event = match nullable(id::decode(&id, "id"))? {
            Ok(id) => operation.load::<EventById>(id).await.transpose()?,
            Err(fault) => Err(fault),
        };
        if let Ok(event) = &event {
            Event::prefetch(vec![event.clone()], operation, Selection::of(context)).await;
        }
        Some(event)
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
    ) -> Result<CountedConnection<Event>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let filter = EventFilter::from(filter.unwrap_or_default());
        let (operation, selected) = (Operation::of(context), Selection::of(context));
        let reader = operation.reader().await?;
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
        Ok(CountedConnection::prefetched(page, total, operation, &selected).await)
    }
}

/// One meeting, with the counts that lists show.
#[Object]
impl Event {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Its title.
    fn title(&self) -> &str {
        &self.0.title
    }

    /// What it is about; may be empty.
    fn description(&self) -> &str {
        &self.0.description
    }

    /// Where it is; may be empty.
    fn location(&self) -> &str {
        &self.0.location
    }

    /// Start.
    fn starts_at(&self) -> DateTime<Utc> {
        self.0.starts_at
    }

    /// End.
    fn ends_at(&self) -> DateTime<Utc> {
        self.0.ends_at
    }

    /// IANA time zone in which people read its times.
    fn time_zone(&self) -> &str {
        &self.0.time_zone
    }

    /// First moment at which a scan counts.
    fn check_in_opens_at(&self) -> DateTime<Utc> {
        self.0.check_in_opens_at
    }

    /// Last moment at which a scan counts.
    fn check_in_closes_at(&self) -> DateTime<Utc> {
        self.0.check_in_closes_at
    }

    /// Where it stands now.
    fn status(&self, context: &Context<'_>) -> EventStatus {
        Status::of(&self.0, Operation::of(context).clock().now()).into()
    }

    /// Seats; null when they are not counted.
    fn capacity(&self) -> Option<i32> {
        self.0.capacity
    }

    /// What happens when they run out.
    fn capacity_policy(&self) -> CapacityPolicy {
        self.0.capacity_policy.into()
    }

    /// Loyalty points for attending.
    fn attendance_points(&self) -> i32 {
        self.0.attendance_points
    }

    /// The member who hosts; null when there is none, or they have lost access.
    #[graphql(directive = Requires::apply(MembersRead))]
    async fn host(&self, context: &Context<'_>) -> Option<Result<Member>> {
        Operation::of(context)
            .load::<MemberById>(self.0.host_id?)
            .await
            .transpose()
    }

    /// Live registrations.
    fn registered_count(&self) -> i32 {
        self.0.registered_count
    }

    /// Seats of live registrations and walk-ins.
    fn seats_taken(&self) -> i32 {
        self.0.seats_taken
    }

    /// Patrons who came.
    fn checked_in_count(&self) -> i32 {
        self.0.attended_count
    }

    /// Patrons inside now.
    fn inside_count(&self) -> i32 {
        self.0.inside_count
    }

    /// Who registered and who came, oldest first.
    #[graphql(directive = Requires::apply(AttendanceRead))]
    async fn attendances(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from the front: 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the back: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Attendance>>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        Operation::of(context)
            .load::<AttendancesOfEvent>((self.0.id, request))
            .await
            .transpose()
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

    /// When it came to be.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
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

impl Rows for Event {
    fn prefetch<'a>(
        rows: Vec<Self>,
        operation: &'a Operation,
        selected: Selection<'a>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let hosts = selected.field("host");
            if hosts.is_asked() {
                let ids = rows.iter().filter_map(|event| event.0.host_id).collect();
                let members = operation.load_all::<MemberById>(ids).await;
                Member::prefetch(members, operation, hosts).await;
            }
            if selected.has("changeCursor") {
                operation.load_all::<EndOfLog>(vec![()]).await;
            }
            let ids = rows.iter().map(|event| event.0.id).collect();
            prefetch_pages::<AttendancesOfEvent>(ids, operation, selected.field("attendances"))
                .await;
        })
    }
}
