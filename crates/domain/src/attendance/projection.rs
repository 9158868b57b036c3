//! From scans to an attendance: a pure function, the same whatever order the scans arrived in.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use entity::attendance::{
    projection::{Model as Attendance, Registration},
    scan::{Direction, Model as Scan, Outcome, ScanId},
};
use entity::events::event::Model as Event;

use crate::events::status::Status;

/// What the scans of one patron at one event say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Whether they came.
    pub attended: bool,
    /// Whether they are inside now.
    pub inside: bool,
    /// Earliest entry; none when only the fact is known.
    pub check_in_time: Option<DateTime<Utc>>,
    /// Last exit, while they are outside.
    pub check_out_time: Option<DateTime<Utc>>,
    /// Time inside, closed stays only, in seconds.
    pub seconds_present: i64,
}

/// Where an attendance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Registered, and not here yet.
    Registered,
    /// Inside.
    CheckedIn,
    /// Came and left.
    CheckedOut,
    /// Came, at a time that nobody noted.
    Attended,
    /// Registered, and did not come before the event was closed or over.
    NoShow,
    /// Gave the registration back, or never had one and had the check-in undone.
    Cancelled,
}

impl State {
    /// The state of `attendance` at `event` at `now`.
    #[must_use]
    pub fn of(attendance: &Attendance, event: &Event, now: DateTime<Utc>) -> Self {
        if attendance.inside {
            Self::CheckedIn
        } else if attendance.check_out_time.is_some() {
            Self::CheckedOut
        } else if attendance.attended {
            Self::Attended
        } else if attendance.registration != Some(Registration::Registered) {
            Self::Cancelled
        } else if Status::of(event, now) == Status::Completed {
            Self::NoShow
        } else {
            Self::Registered
        }
    }
}

/// Whether a scan was let through: only these shape the attendance. An "already inside" is one of
/// them, because it is evidence, and may turn out to be the earliest.
#[must_use]
pub fn counts(outcome: Outcome) -> bool {
    match outcome {
        Outcome::CheckedIn
        | Outcome::CheckedOut
        | Outcome::Reentry
        | Outcome::AlreadyCheckedIn
        | Outcome::NotCheckedIn => true,
        Outcome::Reverted
        | Outcome::CapacityReached
        | Outcome::EventCancelled
        | Outcome::EventNotPublished
        | Outcome::OutsideWindow => false,
    }
}

/// The scans that shape the attendance, in the order in which they happened.
#[must_use]
pub fn timeline(scans: &[Scan]) -> Vec<&Scan> {
    let reverted: HashSet<ScanId> = scans
        .iter()
        .filter(|scan| scan.direction == Direction::Revert)
        .filter_map(|scan| scan.supersedes)
        .collect();
    let mut timeline: Vec<&Scan> = scans
        .iter()
        .filter(|scan| {
            scan.direction != Direction::Revert
                && counts(scan.outcome)
                && !reverted.contains(&scan.id)
        })
        .collect();
    timeline.sort_by_key(|scan| (scan.occurred_at, scan.id));
    timeline
}

/// The scans that an undo means when it names none: the latest, and whatever it merely repeats. An
/// arrival that was scanned twice is undone at once. The first of them made the difference.
#[must_use]
pub fn latest(timeline: &[&Scan]) -> Vec<ScanId> {
    let direction = timeline.last().map(|scan| scan.direction);
    let repeats = timeline
        .iter()
        .rev()
        .take_while(|scan| Some(scan.direction) == direction);
    let mut latest: Vec<ScanId> = repeats.map(|scan| scan.id).collect();
    latest.reverse();
    latest
}

/// What a timeline says. An entry counts from outside, an exit from inside; the rest are repeats.
#[must_use]
pub fn project(timeline: &[&Scan]) -> Presence {
    let mut presence = Presence::default();
    let mut entered = None;
    for scan in timeline {
        match scan.direction {
            Direction::In if !presence.inside => {
                presence.inside = true;
                presence.attended = true;
                presence.check_in_time = presence.check_in_time.or(Some(scan.occurred_at));
                presence.check_out_time = None;
                entered = Some(scan.occurred_at);
            }
            Direction::Out if presence.inside => {
                presence.inside = false;
                presence.check_out_time = Some(scan.occurred_at);
                presence.seconds_present +=
                    entered.map_or(0, |entered| (scan.occurred_at - entered).num_seconds());
            }
            Direction::Present => presence.attended = true,
            Direction::In | Direction::Out | Direction::Revert => {}
        }
    }
    presence
}

/// What a door is told about a scan at `at` with `id`, seen from the rest of the timeline.
///
/// An entry whose next neighbour is an entry too is a repeat that arrived late: the same person is
/// let in once, in whatever order two devices report it.
#[must_use]
pub fn outcome(timeline: &[&Scan], direction: Direction, at: DateTime<Utc>, id: ScanId) -> Outcome {
    let split = timeline.partition_point(|scan| (scan.occurred_at, scan.id) < (at, id));
    let (before, after) = timeline.split_at(split);
    let then = project(before);
    let next = after
        .iter()
        .find(|scan| scan.direction != Direction::Present)
        .map(|scan| scan.direction);
    match direction {
        Direction::In if then.inside || next == Some(Direction::In) => Outcome::AlreadyCheckedIn,
        Direction::In if then.check_in_time.is_some() => Outcome::Reentry,
        Direction::Out if then.inside => Outcome::CheckedOut,
        Direction::Out => Outcome::NotCheckedIn,
        Direction::Present if then.attended || next.is_some() => Outcome::AlreadyCheckedIn,
        Direction::In | Direction::Present => Outcome::CheckedIn,
        Direction::Revert => Outcome::Reverted,
    }
}
