//! Registrations: who means to come, and the seats they hold.

use entity::{attendance::projection, events::event};
use sea_orm::{ActiveModelTrait, ColumnTrait, IntoActiveModel, QueryFilter, Value};

pub use entity::attendance::projection::Registration;

use super::{
    batch::{blank, seats},
    scan::{Attendance, replace},
};
use crate::{
    Change, ChangeKind, Code, Error, Result, Writer,
    events::{
        event::{Event, EventId},
        status::Status,
    },
    patrons::patron::{self, PatronId},
    permission::AttendanceRegister,
};

/// Seats of one registration at most.
const MOST_SEATS: i32 = 50;

/// Registers a patron with so many seats, guests included. Registering again changes the seats.
///
/// # Errors
/// A refusal when the event is not open for it or has no room for so many.
pub async fn register(
    writer: Writer<AttendanceRegister>,
    event: EventId,
    patron: PatronId,
    wanted: i32,
) -> Result<Attendance> {
    if !(1..=MOST_SEATS).contains(&wanted) {
        return Err(Error::refused(
            Code::Invalid,
            "seats",
            format!("A registration has 1 to {MOST_SEATS} seats."),
        ));
    }
    let (event, before) = read(&writer, event, patron).await?;
    let now = writer.scope().clock().now();
    if !matches!(Status::of(&event, now), Status::Scheduled | Status::Ongoing) {
        return Err(Error::refused(
            Code::EventNotOpen,
            "eventId",
            "Only a published event that is neither over nor cancelled takes registrations.",
        ));
    }
    let live = before
        .as_ref()
        .is_some_and(|row| row.registration == Some(Registration::Registered));
    if let Some(row) = &before
        && live
        && row.seats == wanted
    {
        return Ok(row.clone());
    }
    let held = before.as_ref().map_or(0, seats);
    take(&writer, event.id, wanted - held, i32::from(!live)).await?;
    let row = before.unwrap_or_else(|| blank(event.organization_id, event.id, patron, now));
    let row = Attendance {
        registration: Some(Registration::Registered),
        registered_at: row.registered_at.filter(|_| live).or(Some(now)),
        seats: wanted,
        updated_at: now,
        ..row
    };
    save(writer, row, ChangeKind::Registered).await
}

/// Gives a registration's seats back.
///
/// # Errors
/// A refusal when there is none.
pub async fn cancel(
    writer: Writer<AttendanceRegister>,
    event: EventId,
    patron: PatronId,
) -> Result<Attendance> {
    let (event, before) = read(&writer, event, patron).await?;
    let Some(row) = before.filter(|row| row.registration == Some(Registration::Registered)) else {
        return Err(Error::refused(
            Code::NothingToUndo,
            "patronId",
            "This patron is not registered for the event.",
        ));
    };
    let after = Attendance {
        registration: Some(Registration::Cancelled),
        seats: i32::from(row.attended),
        updated_at: writer.scope().clock().now(),
        ..row
    };
    take(&writer, event.id, seats(&after) - seats(&row), -1).await?;
    save(writer, after, ChangeKind::RegistrationCancelled).await
}

/// The event, and what it knows of the patron, who is locked.
async fn read<P>(
    writer: &Writer<P>,
    event: EventId,
    patron: PatronId,
) -> Result<(Event, Option<Attendance>)> {
    patron::lock(writer, patron).await?;
    let found = writer
        .find::<event::Entity>()
        .filter(event::Column::Id.eq(event.uuid()));
    let found = writer.one(found).await?.ok_or_else(|| {
        Error::refused(
            Code::NotFound,
            "eventId",
            "The organization has no such event.",
        )
    })?;
    let row = writer
        .find::<projection::Entity>()
        .filter(projection::Column::EventId.eq(event.uuid()))
        .filter(projection::Column::PatronId.eq(patron.uuid()));
    Ok((found, writer.one(row).await?))
}

/// Takes seats, or gives them back, in the one statement that also asks whether there are enough.
async fn take<P>(writer: &Writer<P>, event: EventId, seats: i32, registered: i32) -> Result<()> {
    let taken = writer
        .execute(
            "UPDATE events SET seats_taken = seats_taken + $3, registered_count = registered_count + $4
             WHERE organization_id = $1 AND id = $2
                 AND ($3 <= 0 OR capacity IS NULL OR capacity_policy <> 'seats' OR seats_taken + $3 <= capacity)",
            vec![Value::from(event.uuid()), seats.into(), registered.into()],
        )
        .await?;
    if taken == 0 {
        return Err(Error::refused(
            Code::CapacityReached,
            "seats",
            "The event has not enough seats left.",
        ));
    }
    Ok(())
}

async fn save(
    writer: Writer<AttendanceRegister>,
    row: Attendance,
    kind: ChangeKind,
) -> Result<Attendance> {
    writer
        .upsert_all(vec![row.clone().into_active_model().reset_all()], replace())
        .await?;
    let change = Change::new(kind, row.id).at(row.event_id).of(row.patron_id);
    writer.commit(change).await?;
    Ok(row)
}
