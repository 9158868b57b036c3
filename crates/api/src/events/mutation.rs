//! Making and changing events.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::{
    events::{
        event::{self, EventPatch, NewEvent},
        lifecycle,
    },
    permission::{EventsCreate, EventsUpdate},
};

use super::event::{CapacityPolicy, Event};
use crate::{
    error::Result,
    id,
    operation::Operation,
    requires::Requires,
    time::Time,
    user_error::{Settled, UserError, payload},
};

/// What making an event takes.
#[derive(InputObject)]
pub struct CreateEventInput {
    /// 1 to 200 characters.
    title: String,
    /// Up to 10,000 characters.
    #[graphql(default)]
    description: String,
    /// Up to 200 characters.
    #[graphql(default)]
    location: String,
    /// Start.
    starts_at: Time,
    /// End, after the start.
    ends_at: Time,
    /// IANA time zone; the organization's when left out.
    time_zone: Option<String>,
    /// First moment at which a scan counts; two hours before the start when left out.
    check_in_opens_at: Option<Time>,
    /// Last moment at which a scan counts; two hours after the end when left out.
    check_in_closes_at: Option<Time>,
    /// Seats, if they are counted.
    capacity: Option<i32>,
    /// What happens when they run out.
    #[graphql(default)]
    capacity_policy: CapacityPolicy,
    /// Loyalty points for attending: 10 when left out, 0 for none.
    #[graphql(default = 10)]
    attendance_points: i32,
    /// The member who hosts.
    host_id: Option<ID>,
    /// Whether it leaves the drafts at once.
    #[graphql(default)]
    publish: bool,
}

/// What of an event is to change; what is left out stays.
#[derive(InputObject)]
pub struct UpdateEventInput {
    /// Which event.
    event_id: ID,
    /// 1 to 200 characters.
    title: Option<String>,
    /// Up to 10,000 characters.
    description: Option<String>,
    /// Up to 200 characters.
    location: Option<String>,
    /// Start. The door's times move with it, unless they are given.
    starts_at: Option<Time>,
    /// End, after the start.
    ends_at: Option<Time>,
    /// IANA time zone.
    time_zone: Option<String>,
    /// First moment at which a scan counts.
    check_in_opens_at: Option<Time>,
    /// Last moment at which a scan counts.
    check_in_closes_at: Option<Time>,
    /// Seats; null when they are not to be counted any more.
    capacity: MaybeUndefined<i32>,
    /// What happens when they run out.
    capacity_policy: Option<CapacityPolicy>,
    /// Loyalty points for attending.
    attendance_points: Option<i32>,
    /// The member who hosts; null for nobody.
    host_id: MaybeUndefined<ID>,
}

/// Which event.
#[derive(InputObject)]
pub struct EventInput {
    /// Which event.
    event_id: ID,
}

/// What became of a change to an event.
#[derive(SimpleObject)]
pub struct EventPayload {
    /// The event after it.
    event: Option<Event>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Mutations of events.
#[derive(Default)]
pub struct EventMutation;

#[Object]
impl EventMutation {
    /// Makes an event.
    #[graphql(directive = Requires::apply(EventsCreate))]
    async fn create_event(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is.")] input: CreateEventInput,
    ) -> Option<Result<EventPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            event::create(writer, input.read()?).await
        };
        payload(work).await
    }

    /// Changes an event.
    #[graphql(directive = Requires::apply(EventsUpdate))]
    async fn update_event(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateEventInput,
    ) -> Option<Result<EventPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            event::update(
                writer,
                id::decode(&input.event_id, "eventId")?,
                input.read()?,
            )
            .await
        };
        payload(work).await
    }

    /// Takes an event out of the drafts; one that is out already stays as it is.
    #[graphql(directive = Requires::apply(EventsUpdate))]
    async fn publish_event(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: EventInput,
    ) -> Option<Result<EventPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            lifecycle::publish(writer, id::decode(&input.event_id, "eventId")?).await
        };
        payload(work).await
    }

    /// Calls an event off; one that is off already stays as it is.
    #[graphql(directive = Requires::apply(EventsUpdate))]
    async fn cancel_event(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: EventInput,
    ) -> Option<Result<EventPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            lifecycle::cancel(writer, id::decode(&input.event_id, "eventId")?).await
        };
        payload(work).await
    }

    /// Closes an event's door for good: whoever registered and did not come is a no-show.
    #[graphql(directive = Requires::apply(EventsUpdate))]
    async fn close_event(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: EventInput,
    ) -> Option<Result<EventPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            lifecycle::close(writer, id::decode(&input.event_id, "eventId")?).await
        };
        payload(work).await
    }
}

impl CreateEventInput {
    fn read(self) -> domain::Result<NewEvent> {
        Ok(NewEvent {
            title: self.title,
            description: self.description,
            location: self.location,
            starts_at: self.starts_at.into(),
            ends_at: self.ends_at.into(),
            time_zone: self.time_zone,
            check_in_opens_at: self.check_in_opens_at.map(Into::into),
            check_in_closes_at: self.check_in_closes_at.map(Into::into),
            host: self
                .host_id
                .map(|id| id::decode(&id, "hostId"))
                .transpose()?,
            capacity: self.capacity,
            capacity_policy: self.capacity_policy.into(),
            attendance_points: self.attendance_points,
            publish: self.publish,
        })
    }
}

impl UpdateEventInput {
    fn read(self) -> domain::Result<EventPatch> {
        let host = match self.host_id {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(id) => Some(Some(id::decode(&id, "hostId")?)),
        };
        Ok(EventPatch {
            title: self.title,
            description: self.description,
            location: self.location,
            starts_at: self.starts_at.map(Into::into),
            ends_at: self.ends_at.map(Into::into),
            time_zone: self.time_zone,
            check_in_opens_at: self.check_in_opens_at.map(Into::into),
            check_in_closes_at: self.check_in_closes_at.map(Into::into),
            host,
            capacity: self.capacity.into(),
            capacity_policy: self.capacity_policy.map(Into::into),
            attendance_points: self.attendance_points,
        })
    }
}

impl From<Settled<event::Event>> for EventPayload {
    fn from(settled: Settled<event::Event>) -> Self {
        Self {
            event: settled.value.map(Event::from),
            errors: settled.errors,
        }
    }
}
