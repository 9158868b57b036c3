//! An event's way out of the drafts, and to its end.

use entity::events::event;
use sea_orm::{ColumnTrait, QueryFilter};

use super::event::{Event, EventId, locked};
use crate::{Change, ChangeKind, Code, Error, Result, Writer, permission::EventsUpdate};

/// Takes an event out of the drafts; one that is out already stays as it is.
pub async fn publish(writer: Writer<EventsUpdate>, id: EventId) -> Result<Event> {
    let event = locked(&writer, id).await?;
    if event.published_at.is_some() {
        return Ok(event);
    }
    let now = writer.scope().clock().now();
    mark(
        writer,
        Event {
            published_at: Some(now),
            ..event
        },
        event::Column::PublishedAt,
        ChangeKind::EventPublished,
    )
    .await
}

/// Calls an event off; one that is off already stays as it is. Nobody is checked in any more.
pub async fn cancel(writer: Writer<EventsUpdate>, id: EventId) -> Result<Event> {
    let event = locked(&writer, id).await?;
    if event.cancelled_at.is_some() {
        return Ok(event);
    }
    let now = writer.scope().clock().now();
    mark(
        writer,
        Event {
            cancelled_at: Some(now),
            ..event
        },
        event::Column::CancelledAt,
        ChangeKind::EventCancelled,
    )
    .await
}

/// Closes an event's door for good: whoever registered and did not come is a no-show. Scans made
/// before and sent later still count.
pub async fn close(writer: Writer<EventsUpdate>, id: EventId) -> Result<Event> {
    let event = locked(&writer, id).await?;
    if event.closed_at.is_some() {
        return Ok(event);
    }
    if event.published_at.is_none() || event.cancelled_at.is_some() {
        return Err(Error::refused(
            Code::EventNotOpen,
            "eventId",
            "Only a published event that is not cancelled can be closed.",
        ));
    }
    let now = writer.scope().clock().now();
    mark(
        writer,
        Event {
            closed_at: Some(now),
            ..event
        },
        event::Column::ClosedAt,
        ChangeKind::EventClosed,
    )
    .await
}

async fn mark(
    writer: Writer<EventsUpdate>,
    event: Event,
    column: event::Column,
    kind: ChangeKind,
) -> Result<Event> {
    let now = writer.scope().clock().now();
    let update = writer
        .change::<event::Entity>()
        .set(column, now)
        .set(event::Column::UpdatedAt, now)
        .filter(event::Column::Id.eq(event.id.uuid()));
    writer.update(update).await?;
    writer
        .commit(Change::new(kind, event.id).at(event.id))
        .await?;
    Ok(Event {
        updated_at: now,
        ..event
    })
}
