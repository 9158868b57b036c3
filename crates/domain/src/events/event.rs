//! Events.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    events::event,
    organizations::{member::MemberId, organization},
};
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};

pub use entity::events::event::{CapacityPolicy, EventId, Model as Event};

use super::{rules::check, status::Status};
use crate::{
    Change, ChangeKind, Code, Error, Reader, Result, Writer,
    clock::within_years,
    page::{Key, Page, PageRequest},
    permission::{EventsCreate, EventsRead, EventsUpdate},
    scope::{Scoped, Shape, Sort, Table},
};

/// The door opens this long before the start and closes this long after the end, unless the event
/// says otherwise.
const DOOR: TimeDelta = TimeDelta::hours(2);

/// What making an event takes.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// 1 to 200 characters.
    pub title: String,
    /// Up to 10,000 characters.
    pub description: String,
    /// Up to 200 characters.
    pub location: String,
    /// Start.
    pub starts_at: DateTime<Utc>,
    /// End, after the start.
    pub ends_at: DateTime<Utc>,
    /// IANA zone; the organization's when none is given.
    pub time_zone: Option<String>,
    /// First moment at which a scan counts; two hours before the start when none is given.
    pub check_in_opens_at: Option<DateTime<Utc>>,
    /// Last moment at which a scan counts; two hours after the end when none is given.
    pub check_in_closes_at: Option<DateTime<Utc>>,
    /// The member who hosts.
    pub host: Option<MemberId>,
    /// Seats, if they are counted.
    pub capacity: Option<i32>,
    /// What happens when they run out.
    pub capacity_policy: CapacityPolicy,
    /// Loyalty points for attending.
    pub attendance_points: i32,
    /// Whether it leaves the drafts at once.
    pub publish: bool,
}

/// What of an event is to change; `None` leaves it, `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct EventPatch {
    /// 1 to 200 characters.
    pub title: Option<String>,
    /// Up to 10,000 characters.
    pub description: Option<String>,
    /// Up to 200 characters.
    pub location: Option<String>,
    /// Start.
    pub starts_at: Option<DateTime<Utc>>,
    /// End.
    pub ends_at: Option<DateTime<Utc>>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// First moment at which a scan counts.
    pub check_in_opens_at: Option<DateTime<Utc>>,
    /// Last moment at which a scan counts.
    pub check_in_closes_at: Option<DateTime<Utc>>,
    /// The member who hosts.
    pub host: Option<Option<MemberId>>,
    /// Seats.
    pub capacity: Option<Option<i32>>,
    /// What happens when they run out.
    pub capacity_policy: Option<CapacityPolicy>,
    /// Loyalty points for attending.
    pub attendance_points: Option<i32>,
}

/// Which events a list shows.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only those with one of these statuses; all when empty.
    pub statuses: Vec<Status>,
    /// Only those that start at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Only those that start before this time.
    pub until: Option<DateTime<Utc>>,
}

/// Makes an event.
///
/// # Errors
/// A refusal naming every field that is wrong.
pub async fn create(writer: Writer<EventsCreate>, input: NewEvent) -> Result<Event> {
    let now = writer.scope().clock().now();
    let zone = match input.time_zone {
        Some(zone) => zone,
        None => {
            writer
                .required(writer.find::<organization::Entity>())
                .await?
                .time_zone
        }
    };
    let event = Event {
        id: EventId::random(),
        organization_id: writer.scope().organization(),
        title: input.title,
        description: input.description,
        location: input.location,
        starts_at: input.starts_at,
        ends_at: input.ends_at,
        time_zone: zone,
        check_in_opens_at: opening(input.starts_at, input.check_in_opens_at),
        check_in_closes_at: closing(input.ends_at, input.check_in_closes_at),
        host_id: input.host,
        capacity: input.capacity,
        capacity_policy: input.capacity_policy,
        attendance_points: input.attendance_points,
        published_at: input.publish.then_some(now),
        cancelled_at: None,
        closed_at: None,
        registered_count: 0,
        seats_taken: 0,
        attended_count: 0,
        inside_count: 0,
        created_at: now,
        updated_at: now,
    };
    let event = check(&writer, event).await?;
    let event = writer.insert(event::ActiveModel::from(event)).await?;
    writer
        .commit(Change::new(ChangeKind::EventCreated, event.id).at(event.id))
        .await?;
    Ok(event)
}

/// Changes an event.
///
/// # Errors
/// A refusal naming every field that is wrong.
pub async fn update(writer: Writer<EventsUpdate>, id: EventId, patch: EventPatch) -> Result<Event> {
    let event = locked(&writer, id).await?;
    let moved = patch.starts_at.is_some() || patch.ends_at.is_some();
    let starts_at = patch.starts_at.unwrap_or(event.starts_at);
    let ends_at = patch.ends_at.unwrap_or(event.ends_at);
    // The door moves with the event, unless it is told its own times.
    let before = event.starts_at - event.check_in_opens_at;
    let after = event.check_in_closes_at - event.ends_at;
    let (opens, closes) = if moved {
        (
            starts_at.checked_sub_signed(before).unwrap_or(starts_at),
            ends_at.checked_add_signed(after).unwrap_or(ends_at),
        )
    } else {
        (event.check_in_opens_at, event.check_in_closes_at)
    };
    let event = Event {
        title: patch.title.unwrap_or(event.title),
        description: patch.description.unwrap_or(event.description),
        location: patch.location.unwrap_or(event.location),
        starts_at,
        ends_at,
        time_zone: patch.time_zone.unwrap_or(event.time_zone),
        check_in_opens_at: patch.check_in_opens_at.unwrap_or(opens),
        check_in_closes_at: patch.check_in_closes_at.unwrap_or(closes),
        host_id: patch.host.unwrap_or(event.host_id),
        capacity: patch.capacity.unwrap_or(event.capacity),
        capacity_policy: patch.capacity_policy.unwrap_or(event.capacity_policy),
        attendance_points: patch.attendance_points.unwrap_or(event.attendance_points),
        updated_at: writer.scope().clock().now(),
        ..event
    };
    let event = check(&writer, event).await?;
    let update = writer
        .change::<event::Entity>()
        .set(event::Column::Title, event.title.clone())
        .set(event::Column::Description, event.description.clone())
        .set(event::Column::Location, event.location.clone())
        .set(event::Column::StartsAt, event.starts_at)
        .set(event::Column::EndsAt, event.ends_at)
        .set(event::Column::TimeZone, event.time_zone.clone())
        .set(event::Column::CheckInOpensAt, event.check_in_opens_at)
        .set(event::Column::CheckInClosesAt, event.check_in_closes_at)
        .set(event::Column::HostId, event.host_id)
        .set(event::Column::Capacity, event.capacity)
        .set(event::Column::CapacityPolicy, event.capacity_policy)
        .set(event::Column::AttendancePoints, event.attendance_points)
        .set(event::Column::UpdatedAt, event.updated_at)
        .filter(event::Column::Id.eq(id.uuid()));
    writer.update(update).await?;
    writer
        .commit(Change::new(ChangeKind::EventUpdated, id).at(id))
        .await?;
    Ok(event)
}

/// The organization's events, latest start first.
pub async fn list(
    reader: &Reader<EventsRead>,
    filter: &EventFilter,
    request: &PageRequest,
) -> Result<Page<Event>> {
    reader
        .page(matching(reader, filter), sort(filter), request, |event| {
            (Key::Time(event.starts_at), event.id.uuid())
        })
        .await
}

/// The same as JSON in this shape.
pub async fn written(
    reader: &Reader<EventsRead>,
    filter: &EventFilter,
    request: &PageRequest,
    shape: &Shape,
) -> Result<String> {
    reader
        .written_page(matching(reader, filter), &sort(filter), request, shape)
        .await
}

/// The table of events.
#[must_use]
pub fn table() -> Table {
    Table::of::<event::Entity, EventsRead>()
}

/// How many events there are, counted up to `cap`.
pub async fn count(reader: &Reader<EventsRead>, filter: &EventFilter, cap: u64) -> Result<u64> {
    reader.count(matching(reader, filter), cap).await
}

/// Those of `events` that are the organization's.
pub async fn load(reader: &Reader<EventsRead>, events: &[EventId]) -> Result<Vec<Event>> {
    let among = reader
        .any(
            event::Column::Id,
            events.iter().map(|id| id.uuid()).collect(),
        )
        .await?;
    reader
        .all(reader.find::<event::Entity>().filter(among))
        .await
}

fn sort(filter: &EventFilter) -> Sort<event::Entity> {
    Sort {
        column: event::Column::StartsAt,
        id: event::Column::Id,
        descending: true,
        list: format!(
            "events{:?}{:?}{:?}",
            filter.statuses, filter.from, filter.until
        ),
        of: None,
    }
}

fn matching(reader: &Reader<EventsRead>, filter: &EventFilter) -> Scoped<event::Entity> {
    let now = reader.scope().clock().now();
    let mut select = reader.find::<event::Entity>();
    if !filter.statuses.is_empty() {
        // Each once, however often it is asked for.
        let asked = Status::ALL
            .iter()
            .filter(|status| filter.statuses.contains(status));
        let any = asked.fold(sea_orm::Condition::any(), |any, status| {
            any.add(status.condition(now))
        });
        select = select.filter(any);
    }
    if let Some(from) = filter.from {
        select = select.filter(event::Column::StartsAt.gte(within_years(from)));
    }
    if let Some(until) = filter.until {
        select = select.filter(event::Column::StartsAt.lt(within_years(until)));
    }
    select
}

fn opening(starts_at: DateTime<Utc>, given: Option<DateTime<Utc>>) -> DateTime<Utc> {
    given
        .or_else(|| starts_at.checked_sub_signed(DOOR))
        .unwrap_or(starts_at)
}

fn closing(ends_at: DateTime<Utc>, given: Option<DateTime<Utc>>) -> DateTime<Utc> {
    given
        .or_else(|| ends_at.checked_add_signed(DOOR))
        .unwrap_or(ends_at)
}

/// The event, locked until the writer ends.
pub(super) async fn locked<P>(writer: &Writer<P>, id: EventId) -> Result<Event> {
    writer
        .one(
            writer
                .find::<event::Entity>()
                .filter(event::Column::Id.eq(id.uuid()))
                .lock_exclusive(),
        )
        .await?
        .ok_or_else(|| {
            Error::refused(
                Code::NotFound,
                "eventId",
                "The organization has no such event.",
            )
        })
}
