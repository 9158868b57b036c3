//! Scans: one way in for the door's check-in and check-out, the devices' batches, undoing, and
//! imports. The rules are in `batch`; the statements, the same number for 1 and for 500, are here;
//! single scans come through `queue`.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    attendance::{projection, scan},
    events::event,
};
use sea_orm::{
    ActiveModelTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{LockType, OnConflict},
};
use uuid::Uuid;

pub use entity::attendance::{
    projection::{AttendanceId, Model as Attendance},
    scan::{Direction, Method, Model as Scan, Outcome, ScanId},
};

use super::batch::{Batch, Deltas};
use crate::{
    Change, Code, Error, Problem, Result, Writer,
    events::event::{CapacityPolicy, EventId},
    loyalty::ledger,
    patrons::patron::{self, PatronId},
    permission::AttendanceRecord,
    scope::{Author, Work},
};

/// Scans of a batch at most.
pub const BATCH: usize = 500;
/// A device's clock may be ahead by this much; a scan further in the future is taken as of now.
pub const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// One scan as a device reports it.
#[derive(Clone, Debug)]
pub struct NewScan {
    /// Made by the client (UUID version 7); a repeat with the same content is answered like the
    /// first, for ever. One is made here when none is given.
    pub id: Option<ScanId>,
    /// Where.
    pub event: EventId,
    /// Who.
    pub patron: PatronId,
    /// Which way.
    pub direction: Direction,
    /// How the door knew.
    pub method: Method,
    /// When the device says it happened; the moment it is recorded when not given.
    pub occurred_at: Option<DateTime<Utc>>,
    /// The device's own name for itself.
    pub device: Option<String>,
    /// Why, for an undoing.
    pub reason: Option<String>,
    /// What an undoing undoes: the latest scan that counts when none is given.
    pub supersedes: Option<ScanId>,
}

/// What became of one scan.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The scan as it is kept.
    pub scan: Scan,
    /// The attendance after it; none where nothing was ever let through.
    pub attendance: Option<Attendance>,
    /// Whether it had been recorded before and this is the same answer again.
    pub repeated: bool,
}

/// Records up to [`BATCH`] scans in the order in which they happened, each on its own: what is
/// wrong with one is told in its place and keeps none of the others back.
///
/// # Errors
/// A refusal of the whole only for more than [`BATCH`] scans.
pub async fn record(
    writer: Writer<AttendanceRecord>,
    scans: Vec<NewScan>,
) -> Result<Vec<Result<Recorded, Problem>>> {
    if scans.len() > BATCH {
        return Err(Error::refused(
            Code::TooLong,
            "scans",
            format!("A batch has at most {BATCH} scans. Send several."),
        ));
    }
    let author = writer.scope().author();
    let answers = record_each(writer, vec![(author, scans)]).await?;
    Ok(answers.into_iter().flatten().collect())
}

/// The same for what several people report, up to [`BATCH`] scans in all, in one transaction.
pub(super) async fn record_each(
    writer: Writer<AttendanceRecord>,
    reports: Vec<(Author, Vec<NewScan>)>,
) -> Result<Vec<Vec<Result<Recorded, Problem>>>> {
    let scans = || reports.iter().flat_map(|(_, scans)| scans);
    let mut batch = load(
        &writer,
        scans().map(|scan| scan.event),
        scans().map(|scan| scan.patron),
        scans().filter_map(|scan| scan.id),
    )
    .await?;
    let mut answers = Vec::with_capacity(reports.len());
    let mut counts = Vec::with_capacity(reports.len());
    for (author, scans) in reports {
        let before = batch.changes.len();
        answers.push(batch.apply(author.actor(), scans));
        counts.push((author, batch.changes.len() - before));
    }
    let mut changes = write(&writer, batch).await?.into_iter();
    let works = counts.into_iter().map(|(author, count)| Work {
        author,
        changes: changes.by_ref().take(count).collect(),
    });
    let works: Vec<Work> = works.filter(|work| !work.changes.is_empty()).collect();
    if !works.is_empty() {
        writer.commit_each(works).await?;
    }
    Ok(answers)
}

/// Locks and reads all that the rules look at: what the patrons did at the events, and the scans
/// that were recorded before.
pub(super) async fn load<P>(
    writer: &Writer<P>,
    event_ids: impl Iterator<Item = EventId>,
    patron_ids: impl Iterator<Item = PatronId>,
    scan_ids: impl Iterator<Item = ScanId>,
) -> Result<Batch> {
    let patron_ids: Vec<PatronId> = distinct(patron_ids);
    let event_ids: Vec<Uuid> = distinct(event_ids.map(entity::Id::uuid));
    let patron_uuids: Vec<Uuid> = patron_ids.iter().map(|id| id.uuid()).collect();
    let patrons = patron::locked(writer, &patron_ids).await?;
    let events = events(writer, &event_ids).await?;
    let of_patrons = writer
        .find::<scan::Entity>()
        .filter(writer.any(scan::Column::EventId, event_ids.clone()).await?)
        .filter(
            writer
                .any(scan::Column::PatronId, patron_uuids.clone())
                .await?,
        );
    let mut kept = writer.all(of_patrons).await?;
    // A statement of their own: joined by OR, both would be looked for in the tenant's whole table.
    let mut scan_ids: BTreeSet<Uuid> = scan_ids.map(entity::Id::uuid).collect();
    for scan in &kept {
        scan_ids.remove(&scan.id.uuid());
    }
    if !scan_ids.is_empty() {
        let recorded = writer
            .any(scan::Column::Id, scan_ids.into_iter().collect())
            .await?;
        // An id is one scan's wherever it was made.
        let recorded = writer.find_at_any_event::<scan::Entity>().filter(recorded);
        kept.extend(writer.all(recorded).await?);
    }
    let attendances = writer
        .find::<projection::Entity>()
        .filter(writer.any(projection::Column::EventId, event_ids).await?)
        .filter(
            writer
                .any(projection::Column::PatronId, patron_uuids)
                .await?,
        );
    let attendances = writer.all(attendances).await?;
    let scope = writer.scope();
    // Read after the patrons are locked: the clock's order is then the order of the locks.
    let now = scope.clock().now();
    Ok(Batch::new(
        scope.organization(),
        now,
        patrons,
        events,
        kept,
        attendances,
    ))
}

/// Writes what a batch came to and gives what happened: nothing, if nothing did.
pub(super) async fn write<P>(writer: &Writer<P>, mut batch: Batch) -> Result<Vec<Change>> {
    if batch.changes.is_empty() {
        return Ok(Vec::new());
    }
    batch.settle();
    let new_scans = batch
        .new_scans
        .into_iter()
        .map(|scan| scan.into_active_model().reset_all());
    writer.insert_all(new_scans.collect()).await?;
    let attendances = batch
        .touched
        .into_iter()
        .map(|attendance| attendance.into_active_model().reset_all());
    writer.upsert_all(attendances.collect(), replace()).await?;
    count(writer, batch.deltas, batch.history).await?;
    ledger::book(writer, batch.awards, batch.now).await?;
    Ok(batch.changes)
}

/// The statement's word for "the new row in place of the present one".
pub(super) fn replace() -> OnConflict {
    use projection::Column;
    OnConflict::columns([Column::OrganizationId, Column::EventId, Column::PatronId])
        .update_columns([
            Column::Registration,
            Column::RegisteredAt,
            Column::Seats,
            Column::Attended,
            Column::Inside,
            Column::CheckInTime,
            Column::CheckOutTime,
            Column::SecondsPresent,
            Column::Awards,
            Column::UpdatedAt,
        ])
        .to_owned()
}

/// The events; where one enforces a capacity they are locked, in the order of their ids, so that
/// its counts stand still while seats are given away.
async fn events<P>(writer: &Writer<P>, ids: &[Uuid]) -> Result<Vec<event::Model>> {
    let select = writer
        .find::<event::Entity>()
        .filter(writer.any(event::Column::Id, ids.to_vec()).await?);
    let events = writer.all(select.clone()).await?;
    let enforced = |event: &event::Model| {
        event.capacity.is_some() && event.capacity_policy != CapacityPolicy::Advisory
    };
    if events.iter().any(enforced) {
        return writer
            .all(
                select
                    .order_by_asc(event::Column::Id)
                    .lock(LockType::NoKeyUpdate),
            )
            .await;
    }
    Ok(events)
}

/// Moves the events' counts. Those that enforce a capacity are locked, so that the rules have
/// counted right; the statement asks once more, except for history, which asks for no room.
async fn count<P>(writer: &Writer<P>, deltas: Vec<(EventId, Deltas)>, history: bool) -> Result<()> {
    let deltas: Vec<_> = deltas
        .into_iter()
        .filter(|(_, delta)| *delta != Deltas::default())
        .map(|(event, delta)| {
            let Deltas {
                registered,
                seats,
                attended,
                inside,
            } = delta;
            let numbers = [registered, seats, attended, inside];
            (event.uuid(), numbers.map(i64::from))
        })
        .collect();
    if deltas.is_empty() {
        return Ok(());
    }
    let met = writer
        .add_all(
            "UPDATE events SET registered_count = registered_count + delta.a, seats_taken = seats_taken + delta.b,
                 attended_count = attended_count + delta.c, inside_count = inside_count + delta.d
             FROM {deltas $2} WHERE organization_id = $1 AND events.id = delta.id
                 AND (capacity IS NULL OR capacity_policy <> 'seats' OR delta.b <= 0 OR $3
                      OR seats_taken + delta.b <= capacity)",
            &deltas,
            vec![history.into()],
        )
        .await?;
    if met == deltas.len() as u64 {
        Ok(())
    } else {
        Err(Error::Internal(
            "an event's seats moved while it was locked".to_owned(),
        ))
    }
}

fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.collect();
    items.sort_unstable();
    items.dedup();
    items
}
