//! The rules of a batch of scans, over rows that are read and locked already: no statement is run
//! here.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, SubsecRound, Utc};
use entity::{
    attendance::{
        projection::{Model as Attendance, Registration},
        scan::{Direction, Model as Scan, Outcome, ScanId},
    },
    events::event::{EventId, Model as Event},
    organizations::organization::OrganizationId,
    patrons::patron::{Model as Patron, PatronId},
};
use serde_json::json;
use uuid::Uuid;

mod rules;

pub(super) use rules::{blank, seats};

use rules::{is_full, kind_of, missing, nothing_to_undo, presence_of, refusal, registered, same};

use super::{
    projection::{self, Presence},
    scan::{AHEAD, NewScan, Recorded},
};
use crate::{Actor, Change, ChangeKind, Code, Problem, loyalty::ledger::Award, text};

/// The rows of a batch, and what is to be written of them.
pub(super) struct Batch {
    organization: OrganizationId,
    pub(super) now: DateTime<Utc>,
    patrons: HashMap<PatronId, Patron>,
    events: HashMap<EventId, Event>,
    scans: HashMap<ScanId, Scan>,
    of_pair: HashMap<(EventId, PatronId), Vec<Scan>>,
    attendances: HashMap<(EventId, PatronId), Attendance>,
    before: HashMap<(EventId, PatronId), Attendance>,
    /// Scans to insert.
    pub(super) new_scans: Vec<Scan>,
    /// Attendances to insert or replace, each once.
    pub(super) touched: Vec<Attendance>,
    /// What to add to the events' counts, in the order of their ids.
    pub(super) deltas: Vec<(EventId, Deltas)>,
    /// Points to award or take back.
    pub(super) awards: Vec<Award>,
    /// Whether registrations are told that ask for no room.
    pub(super) history: bool,
    /// What happened, in order.
    pub(super) changes: Vec<Change>,
}

/// What to add to an event's counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Deltas {
    pub(super) registered: i32,
    pub(super) seats: i32,
    pub(super) attended: i32,
    pub(super) inside: i32,
}

impl Batch {
    pub(super) fn new(
        organization: OrganizationId,
        now: DateTime<Utc>,
        patrons: Vec<Patron>,
        events: Vec<Event>,
        scans: Vec<Scan>,
        attendances: Vec<Attendance>,
    ) -> Self {
        let mut of_pair: HashMap<_, Vec<Scan>> = HashMap::new();
        for scan in &scans {
            of_pair
                .entry((scan.event_id, scan.patron_id))
                .or_default()
                .push(scan.clone());
        }
        let attendances: HashMap<_, _> = attendances
            .into_iter()
            .map(|row| ((row.event_id, row.patron_id), row))
            .collect();
        Self {
            organization,
            now,
            before: attendances.clone(),
            attendances,
            patrons: patrons
                .into_iter()
                .map(|patron| (patron.id, patron))
                .collect(),
            events: events.into_iter().map(|event| (event.id, event)).collect(),
            scans: scans.into_iter().map(|scan| (scan.id, scan)).collect(),
            of_pair,
            new_scans: Vec::new(),
            touched: Vec::new(),
            deltas: Vec::new(),
            awards: Vec::new(),
            history: false,
            changes: Vec::new(),
        }
    }

    /// Applies the scans that somebody reports, in the order in which they happened, and answers in
    /// the order given.
    pub(super) fn apply(
        &mut self,
        actor: Actor,
        mut scans: Vec<NewScan>,
    ) -> Vec<Result<Recorded, Problem>> {
        // Times are kept in whole microseconds, and a repeat is compared with what was kept.
        for scan in &mut scans {
            scan.occurred_at = scan.occurred_at.map(|at| at.trunc_subsecs(6));
        }
        let mut order: Vec<usize> = (0..scans.len()).collect();
        order.sort_by_key(|index| {
            scans
                .get(*index)
                .map(|scan| (scan.occurred_at.unwrap_or(self.now), *index))
        });
        let mut answers: Vec<Option<Result<Recorded, Problem>>> =
            scans.iter().map(|_| None).collect();
        for index in order {
            if let (Some(scan), Some(answer)) = (scans.get(index), answers.get_mut(index)) {
                *answer = Some(self.apply_one(actor, scan));
            }
        }
        answers.into_iter().flatten().collect()
    }

    fn apply_one(&mut self, actor: Actor, new: &NewScan) -> Result<Recorded, Problem> {
        let pair = (new.event, new.patron);
        // First of all: who may not see the event is not told what was recorded there.
        let event = self
            .events
            .get(&new.event)
            .ok_or_else(|| missing("eventId", "event"))?;
        if let Some(kept) = new.id.and_then(|id| self.scans.get(&id)) {
            if !same(kept, new) {
                return Err(Problem::new(
                    Code::IdempotencyConflict,
                    "id",
                    "This scan id was used before with other content. Make a new id for a new scan.",
                ));
            }
            let attendance = self.attendances.get(&pair).cloned();
            return Ok(Recorded {
                scan: kept.clone(),
                attendance,
                repeated: true,
            });
        }
        if !self.patrons.contains_key(&new.patron) {
            return Err(missing("patronId", "patron"));
        }
        let mut scan = self.draft(actor, new)?;
        let empty = Vec::new();
        let kept = self.of_pair.get(&pair).unwrap_or(&empty);
        let timeline = projection::timeline(kept);
        if new.direction == Direction::Revert {
            let mut undone = projection::latest(&timeline);
            if let Some(id) = new.supersedes {
                undone = timeline.iter().map(|scan| scan.id).collect();
                undone.retain(|scan| *scan == id);
            }
            let mut undone = undone.into_iter();
            scan.supersedes = Some(undone.next().ok_or_else(|| nothing_to_undo(new))?);
            scan.outcome = Outcome::Reverted;
            for repeat in undone {
                self.note(Scan {
                    id: ScanId::from(Uuid::now_v7()),
                    supersedes: Some(repeat),
                    ..scan.clone()
                });
            }
        } else {
            scan.outcome = match refusal(event, &scan) {
                Some(refusal) => refusal,
                None => projection::outcome(&timeline, scan.direction, scan.occurred_at, scan.id),
            };
            if is_full(event, self.attendances.get(&pair), scan.outcome) {
                scan.outcome = Outcome::CapacityReached;
            }
        }
        let attendance = self.keep(&scan);
        Ok(Recorded {
            scan,
            attendance,
            repeated: false,
        })
    }

    /// The scan as it would be kept, without its outcome.
    fn draft(&self, actor: Actor, new: &NewScan) -> Result<Scan, Problem> {
        let mut problems = Vec::new();
        let device = new
            .device
            .as_deref()
            .map(|device| text::optional(&mut problems, "device", device, 100));
        let reason = new
            .reason
            .as_deref()
            .map(|reason| text::lines(&mut problems, "reason", reason, 500));
        if let Some(problem) = problems.pop() {
            return Err(problem);
        }
        let claimed_at = new.occurred_at.unwrap_or(self.now);
        if !(1970..=2999).contains(&chrono::Datelike::year(&claimed_at)) {
            return Err(Problem::new(
                Code::Invalid,
                "occurredAt",
                "The year must be between 1970 and 2999.",
            ));
        }
        Ok(Scan {
            organization_id: self.organization,
            id: new.id.unwrap_or_else(|| ScanId::from(Uuid::now_v7())),
            event_id: new.event,
            patron_id: new.patron,
            direction: new.direction,
            method: new.method,
            occurred_at: if claimed_at > self.now + AHEAD {
                self.now
            } else {
                claimed_at
            },
            claimed_at,
            received_at: self.now,
            device: device.filter(|device| !device.is_empty()),
            actor_id: actor.user(),
            key_id: actor.key(),
            outcome: Outcome::CheckedIn,
            reason: reason.filter(|reason| !reason.is_empty()),
            supersedes: None,
        })
    }

    /// Keeps a scan, projects its attendance anew, and notes what that changed.
    fn keep(&mut self, scan: &Scan) -> Option<Attendance> {
        let pair = (scan.event_id, scan.patron_id);
        let scans = self.note(scan.clone());
        let presence = projection::project(&projection::timeline(scans));
        let before = self.attendances.get(&pair).cloned();
        let kind = kind_of(
            scan,
            before.as_ref().map(presence_of).unwrap_or_default() != presence,
        );
        let attendance = if before.is_some() || kind != ChangeKind::ScanRecorded {
            let row = before.clone().unwrap_or_else(|| {
                blank(
                    scan.organization_id,
                    scan.event_id,
                    scan.patron_id,
                    self.now,
                )
            });
            Some(self.move_to(&row, presence))
        } else {
            None
        };
        self.changes.push(
            Change::new(
                kind,
                attendance
                    .as_ref()
                    .map_or(scan.id.uuid(), |row| row.id.uuid()),
            )
            .at(scan.event_id)
            .of(scan.patron_id)
            .when(scan.occurred_at)
            .with(json!({ "scanId": scan.id.uuid(), "reason": scan.reason })),
        );
        attendance
    }

    /// Keeps a scan as it is, and gives all of the same patron at the same event.
    fn note(&mut self, scan: Scan) -> &[Scan] {
        let scans = self
            .of_pair
            .entry((scan.event_id, scan.patron_id))
            .or_default();
        scans.push(scan.clone());
        self.scans.insert(scan.id, scan.clone());
        self.new_scans.push(scan);
        scans
    }

    fn move_to(&mut self, before: &Attendance, presence: Presence) -> Attendance {
        let pair = (before.event_id, before.patron_id);
        let earned = presence.attended && !before.attended;
        let lost = before.attended && !presence.attended;
        let mut after = Attendance {
            attended: presence.attended,
            inside: presence.inside,
            check_in_time: presence.check_in_time,
            check_out_time: presence.check_out_time,
            seconds_present: presence.seconds_present,
            awards: before.awards + i32::from(earned),
            updated_at: self.now,
            ..before.clone()
        };
        after.seats = if presence.attended {
            after.seats.max(1)
        } else {
            seats(&after)
        };
        if let Some(event) = self.events.get_mut(&pair.0) {
            event.seats_taken += seats(&after) - seats(before);
            event.inside_count += i32::from(after.inside) - i32::from(before.inside);
            event.attended_count += i32::from(after.attended) - i32::from(before.attended);
            if earned || lost {
                self.awards.push(Award {
                    patron: pair.1,
                    points: event.attendance_points,
                    reversed: lost,
                    reason: format!("Attended {}", event.title),
                    source: after.id.uuid(),
                    generation: after.awards,
                });
            }
        }
        self.attendances.insert(pair, after.clone());
        after
    }

    /// Registers a patron as an import says it was: history, for which no room is asked.
    pub(super) fn register(
        &mut self,
        event: EventId,
        patron: PatronId,
        registration: Registration,
        wanted: i32,
    ) {
        let pair = (event, patron);
        let registered = registration == Registration::Registered;
        let row = match self.attendances.get(&pair).cloned() {
            Some(row) => row,
            None if !registered || !self.patrons.contains_key(&patron) => return,
            None => blank(self.organization, event, patron, self.now),
        };
        if row.registration == Some(registration) || (!registered && row.registration.is_none()) {
            return;
        }
        self.history = true;
        let held = seats(&row);
        let after = Attendance {
            registration: Some(registration),
            registered_at: row.registered_at.or(registered.then_some(self.now)),
            seats: if registered {
                wanted
            } else {
                i32::from(row.attended)
            },
            updated_at: self.now,
            ..row
        };
        if let Some(event) = self.events.get_mut(&event) {
            event.seats_taken += seats(&after) - held;
        }
        let kind = if registered {
            ChangeKind::Registered
        } else {
            ChangeKind::RegistrationCancelled
        };
        self.changes
            .push(Change::new(kind, after.id).at(event).of(patron));
        self.attendances.insert(pair, after);
    }

    /// Sums up what is to be written: each attendance once, each event's counts once.
    pub(super) fn settle(&mut self) {
        let mut deltas: BTreeMap<EventId, Deltas> = BTreeMap::new();
        for (pair, after) in &self.attendances {
            let before = self.before.get(pair);
            if before == Some(after) {
                continue;
            }
            let delta = deltas.entry(pair.0).or_default();
            delta.registered += registered(after) - before.map_or(0, registered);
            delta.seats += seats(after) - before.map_or(0, seats);
            delta.attended +=
                i32::from(after.attended) - before.map_or(0, |row| i32::from(row.attended));
            delta.inside += i32::from(after.inside) - before.map_or(0, |row| i32::from(row.inside));
            self.touched.push(after.clone());
        }
        self.deltas = deltas.into_iter().collect();
    }
}

#[cfg(test)]
mod tests;
