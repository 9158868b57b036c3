//! Writing what the dry run planned, in chunks, each its own transaction: a stop loses nothing, and
//! a second run of the same file changes nothing.

use std::{
    collections::{HashMap, HashSet},
    iter,
};

use entity::{
    attendance::{
        import, import_row,
        projection::Registration,
        scan::{Direction, Method, ScanId},
    },
    events::event,
    patrons::{external_id, patron::PatronId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Set,
    sea_query::OnConflict,
};

use super::{
    Row,
    import::{Import, ImportId, ImportRow, Status, Verdict, reading},
    matching::{self, Match},
    row::Person,
};
use crate::{
    Change, ChangeKind, Error, Result, Scope, Writer,
    attendance::scan::{self, NewScan},
    patrons::patron::{self, NewPatron},
    permission::ImportsCreate,
    secret,
};

/// Rows of one transaction.
pub(super) const CHUNK: usize = 500;

/// Writes the rows of an import that are not written yet.
///
/// # Errors
/// Trouble of ours; what was written stays, and another run goes on from there.
pub async fn run(scope: &Scope, id: ImportId) -> Result<()> {
    loop {
        let writer = scope.writer::<ImportsCreate>().await?;
        let found = writer
            .find::<import::Entity>()
            .filter(import::Column::Id.eq(id.uuid()));
        let Some(import) = writer.one(found.lock_exclusive()).await? else {
            return Ok(());
        };
        if import.status != Status::Committing {
            return Ok(());
        }
        // Who withdrew comes last: by then every ticket that still holds a place is written.
        let mut rows = pending(&writer, id, BRINGS_SOMEBODY).await?;
        let (people, mut changes) = if rows.is_empty() {
            rows = pending(&writer, id, BRINGS_NOBODY).await?;
            if rows.is_empty() {
                return finish(writer, &import).await;
            }
            withdraw(&writer, &import, &rows).await?
        } else {
            write(&writer, &import, &rows).await?
        };
        let done = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        mark(&writer, rows, people).await?;
        let progress = writer
            .change::<import::Entity>()
            .add(import::Column::RowsDone, done)
            .set(import::Column::UpdatedAt, scope.clock().now())
            .filter(import::Column::Id.eq(id.uuid()));
        writer.update(progress).await?;
        changes.push(Change::new(ChangeKind::ImportProgressed, id));
        writer.commit_all(changes).await?;
    }
}

const BRINGS_SOMEBODY: &[Verdict] = &[Verdict::Create, Verdict::Link, Verdict::Suggest];
const BRINGS_NOBODY: &[Verdict] = &[Verdict::Skip, Verdict::Error];

/// The first rows with one of `verdicts` that are not written yet.
async fn pending(
    writer: &Writer<ImportsCreate>,
    id: ImportId,
    verdicts: &[Verdict],
) -> Result<Vec<ImportRow>> {
    let rows = writer
        .find::<import_row::Entity>()
        .filter(import_row::Column::ImportId.eq(id.uuid()))
        .filter(import_row::Column::Committed.eq(false))
        .filter(import_row::Column::Verdict.is_in(verdicts.iter().copied()))
        .order_by_asc(import_row::Column::Line)
        .limit(CHUNK as u64);
    writer.all(rows).await
}

/// Notes that rows are written, and whom each met or made.
async fn mark(
    writer: &Writer<ImportsCreate>,
    rows: Vec<ImportRow>,
    people: Vec<Option<PatronId>>,
) -> Result<()> {
    use import_row::Column;
    let rows = rows.into_iter().zip(people).map(|(row, patron)| {
        let row = ImportRow {
            patron_id: patron.or(row.patron_id),
            committed: true,
            ..row
        };
        row.into_active_model().reset_all()
    });
    let replace = OnConflict::columns([Column::OrganizationId, Column::ImportId, Column::Line])
        .update_columns([Column::PatronId, Column::Committed])
        .to_owned();
    writer.upsert_all(rows.collect(), replace).await
}

async fn finish(writer: Writer<ImportsCreate>, import: &Import) -> Result<()> {
    let now = writer.scope().clock().now();
    let update = writer
        .change::<import::Entity>()
        .set(import::Column::Status, Status::Committed)
        .set(import::Column::CommittedAt, now)
        .set(import::Column::UpdatedAt, now)
        .filter(import::Column::Id.eq(import.id.uuid()));
    writer.update(update).await?;
    writer
        .commit(Change::new(ChangeKind::ImportCompleted, import.id))
        .await
}

/// Whom each row means, and what happened.
type Written = (Vec<Option<PatronId>>, Vec<Change>);

/// Writes the people of some rows, then what they attended.
async fn write(
    writer: &Writer<ImportsCreate>,
    import: &Import,
    rows: &[ImportRow],
) -> Result<Written> {
    let create_suggested = reading(import)?.create_suggested;
    let mut parsed = Vec::with_capacity(rows.len());
    for row in rows {
        let only_known = row.verdict == Verdict::Suggest && !create_suggested;
        parsed.push((content(row)?, only_known));
    }
    let (people, mut changes) = write_people(writer, &parsed).await?;
    if let Some(event) = import.event_id {
        changes.extend(write_attendance(writer, event, &people, &parsed).await?);
    }
    Ok((people, changes))
}

fn content(row: &ImportRow) -> Result<Row> {
    serde_json::from_value(row.content.clone())
        .map_err(|error| Error::Internal(format!("a row of an import: {error}")))
}

/// Whom each row means, making those who are new. The organization may have changed since the dry
/// run, so it is asked again.
async fn write_people(writer: &Writer<ImportsCreate>, rows: &[(Row, bool)]) -> Result<Written> {
    let now = writer.scope().clock().now();
    let everyone: Vec<&Person> = rows.iter().map(|(row, _)| &row.person).collect();
    let mut known = matching::look_up(writer, &everyone).await?;
    let mut people = Vec::with_capacity(rows.len());
    let mut new = Vec::new();
    let mut externals = Vec::new();
    let mut changes = Vec::new();
    for (row, only_known) in rows {
        let patron = match known.find(&row.person) {
            Match::Known(id) => Some(id),
            Match::Resembles(_) | Match::Unknown if *only_known => None,
            Match::Resembles(_) | Match::Unknown => match named(&row.person) {
                Some(input) => {
                    let created = patron::row(&input, now);
                    let id = *created.id.as_ref();
                    changes.push(Change::new(ChangeKind::PatronCreated, id).of(id));
                    new.push(created);
                    known.add(&row.person, id);
                    Some(id)
                }
                None => None,
            },
        };
        if let (Some(patron), Some((source, id))) = (patron, &row.person.external) {
            externals.push(external_id::ActiveModel {
                source: Set(source.clone()),
                external_id: Set(id.clone()),
                patron_id: Set(patron),
                created_at: Set(now),
                ..Default::default()
            });
        }
        people.push(patron);
    }
    writer.insert_all(new).await?;
    let key = [
        external_id::Column::OrganizationId,
        external_id::Column::Source,
        external_id::Column::ExternalId,
    ];
    let mut distinct = HashMap::new();
    for row in externals {
        distinct
            .entry((
                row.source.as_ref().clone(),
                row.external_id.as_ref().clone(),
            ))
            .or_insert(row);
    }
    writer
        .upsert_all(
            distinct.into_values().collect(),
            OnConflict::columns(key).do_nothing().to_owned(),
        )
        .await?;
    Ok((people, changes))
}

/// The patron a row makes. One without a name is called by the address.
fn named(person: &Person) -> Option<NewPatron> {
    let (first_name, last_name) = match (&*person.first_name, &*person.last_name) {
        ("", "") => (
            person.email.as_deref()?.split('@').next()?.to_owned(),
            String::new(),
        ),
        ("", last) => (last.to_owned(), String::new()),
        (first, last) => (first.to_owned(), last.to_owned()),
    };
    patron::check(&NewPatron {
        first_name,
        last_name,
        email: person.email.clone(),
        phone: person.phone.clone(),
    })
    .ok()
}

async fn write_attendance(
    writer: &Writer<ImportsCreate>,
    event: event::EventId,
    people: &[Option<PatronId>],
    rows: &[(Row, bool)],
) -> Result<Vec<Change>> {
    let found = writer
        .find::<event::Entity>()
        .filter(event::Column::Id.eq(event.uuid()));
    let starts_at = writer.required(found).await?.starts_at;
    let mut scans = Vec::new();
    let mut registrations = Vec::new();
    for ((row, _), patron) in rows.iter().zip(people) {
        let (Some(patron), Some(attendance)) = (*patron, &row.attendance) else {
            continue;
        };
        if attendance.registered {
            let seats = i32::try_from(attendance.seats.max(1)).unwrap_or(i32::MAX);
            registrations.push((patron, seats));
        }
        let mut scan = |direction, occurred_at| {
            scans.push(NewScan {
                id: Some(scan_id(event, patron, direction, occurred_at)),
                event,
                patron,
                direction,
                method: Method::Import,
                occurred_at: Some(occurred_at),
                device: None,
                reason: None,
                supersedes: None,
            });
        };
        match attendance.arrived_at {
            Some(arrived_at) => scan(Direction::In, arrived_at),
            None if attendance.attended => scan(Direction::Present, starts_at),
            None => {}
        }
        if let (Some(_), Some(left_at)) = (attendance.arrived_at, attendance.left_at) {
            scan(Direction::Out, left_at);
        }
    }
    let patrons = people.iter().flatten().copied();
    let ids = scans.iter().filter_map(|scan| scan.id);
    let mut batch = scan::load(writer, iter::once(event), patrons, ids).await?;
    for (patron, seats) in registrations {
        batch.register(event, patron, Registration::Registered, seats);
    }
    // Each answer is told by the attendance itself; an import has nobody at the door to tell.
    batch.apply(writer.scope().actor(), scans);
    scan::write(writer, batch).await
}

/// Ends the registrations whose tickets were paid back, voided or declined. Who has another ticket
/// in the file stays registered.
async fn withdraw(
    writer: &Writer<ImportsCreate>,
    import: &Import,
    rows: &[ImportRow],
) -> Result<Written> {
    let mut people = vec![None; rows.len()];
    let Some(event) = import.event_id else {
        return Ok((people, Vec::new()));
    };
    let mut withdrawn = Vec::new();
    for (row, patron) in rows.iter().zip(&mut people) {
        if row.verdict == Verdict::Skip {
            let row = content(row)?;
            if row.withdrawn() {
                withdrawn.push((row.person, patron));
            }
        }
    }
    let everyone: Vec<&Person> = withdrawn.iter().map(|(person, _)| person).collect();
    let known = matching::look_up(writer, &everyone).await?;
    for (person, patron) in withdrawn {
        if let Match::Known(id) = known.find(&person) {
            *patron = Some(id);
        }
    }
    let met: Vec<PatronId> = people.iter().flatten().copied().collect();
    let others = writer
        .find::<import_row::Entity>()
        .filter(import_row::Column::ImportId.eq(import.id.uuid()))
        .filter(import_row::Column::Verdict.is_in(BRINGS_SOMEBODY.iter().copied()))
        .filter(
            writer
                .any(
                    import_row::Column::PatronId,
                    met.iter().map(|id| id.uuid()).collect(),
                )
                .await?,
        );
    let mut keep = HashSet::new();
    for row in writer.all(others).await? {
        if content(&row)?
            .attendance
            .is_some_and(|said| said.registered)
        {
            keep.extend(row.patron_id);
        }
    }
    let mut batch = scan::load(
        writer,
        iter::once(event),
        met.iter().copied(),
        iter::empty(),
    )
    .await?;
    for patron in met.into_iter().filter(|patron| !keep.contains(patron)) {
        batch.register(event, patron, Registration::Cancelled, 0);
    }
    Ok((people, scan::write(writer, batch).await?))
}

/// The id of an imported scan: the same for the same fact, so that a second import repeats it.
/// Version 8 of RFC 9562, from a digest.
fn scan_id(
    event: event::EventId,
    patron: PatronId,
    direction: Direction,
    at: chrono::DateTime<chrono::Utc>,
) -> ScanId {
    let text = format!(
        "import {event} {patron} {direction:?} {}",
        at.timestamp_micros()
    );
    let mut bytes = [0; 16];
    bytes.copy_from_slice(
        secret::sha256(text.as_bytes())
            .get(..16)
            .unwrap_or(&[0; 16]),
    );
    ScanId::from(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}
