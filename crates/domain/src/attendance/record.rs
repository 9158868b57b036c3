//! Reading attendances.

use entity::attendance::projection;
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

use super::scan::{Attendance, AttendanceId};
use crate::{
    Reader, Result,
    events::event::EventId,
    page::{Key, Page, PageRequest},
    patrons::patron::PatronId,
    permission::AttendanceRead,
    scope::{Listing, Sort, Table},
};

/// Whose attendances a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    /// An event's.
    Event(EventId),
    /// A patron's.
    Patron(PatronId),
}

/// The attendances of an event or a patron, oldest first.
pub async fn list(
    reader: &Reader<AttendanceRead>,
    of: Of,
    request: &PageRequest,
) -> Result<Page<Attendance>> {
    let (column, id) = match of {
        Of::Event(id) => (projection::Column::EventId, id.uuid()),
        Of::Patron(id) => (projection::Column::PatronId, id.uuid()),
    };
    let select = reader.find::<projection::Entity>().filter(column.eq(id));
    reader.page(select, sort(column, id), request, key).await
}

/// The first page of the attendances of each event.
pub async fn first_of_events(
    reader: &Reader<AttendanceRead>,
    events: &[EventId],
    size: u64,
) -> Result<Vec<(EventId, Page<Attendance>)>> {
    let ids: Vec<Uuid> = events.iter().map(|id| id.uuid()).collect();
    let column = projection::Column::EventId;
    let pages = reader.first_pages::<projection::Entity>(
        &ids,
        column,
        |id| sort(column, id),
        size,
        |row| row.event_id.uuid(),
        key,
    );
    Ok(pages
        .await?
        .into_iter()
        .map(|(id, page)| (id.into(), page))
        .collect())
}

/// The first page of the attendances of each patron.
pub async fn first_of_patrons(
    reader: &Reader<AttendanceRead>,
    patrons: &[PatronId],
    size: u64,
) -> Result<Vec<(PatronId, Page<Attendance>)>> {
    let ids: Vec<Uuid> = patrons.iter().map(|id| id.uuid()).collect();
    let column = projection::Column::PatronId;
    let pages = reader.first_pages::<projection::Entity>(
        &ids,
        column,
        |id| sort(column, id),
        size,
        |row| row.patron_id.uuid(),
        key,
    );
    Ok(pages
        .await?
        .into_iter()
        .map(|(id, page)| (id.into(), page))
        .collect())
}

/// Those of `attendances` that are the organization's.
pub async fn load(
    reader: &Reader<AttendanceRead>,
    attendances: &[AttendanceId],
) -> Result<Vec<Attendance>> {
    let among = reader
        .any(
            projection::Column::Id,
            attendances.iter().map(|id| id.uuid()).collect(),
        )
        .await?;
    reader
        .all(reader.find::<projection::Entity>().filter(among))
        .await
}

/// The table of attendances.
#[must_use]
pub fn table() -> Table {
    Table::of::<projection::Entity, AttendanceRead>()
}

/// The attendances below an event.
#[must_use]
pub fn of_event() -> Listing {
    listing(projection::Column::EventId)
}

/// The attendances below a patron.
#[must_use]
pub fn of_patron() -> Listing {
    listing(projection::Column::PatronId)
}

fn listing(parent: projection::Column) -> Listing {
    Listing::of::<projection::Entity, AttendanceRead>(parent, &sort(parent, Uuid::nil()))
}

fn sort(column: projection::Column, id: Uuid) -> Sort<projection::Entity> {
    Sort {
        column: projection::Column::CreatedAt,
        id: projection::Column::Id,
        descending: false,
        list: format!("attendances {column:?}"),
        of: Some(id),
    }
}

fn key(row: &Attendance) -> (Key, Uuid) {
    (Key::Time(row.created_at), row.id.uuid())
}
