//! The single rules, each a function of the rows it is given.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    attendance::{
        projection::{AttendanceId, Model as Attendance, Registration},
        scan::{Method, Model as Scan, Outcome},
    },
    events::event::{CapacityPolicy, EventId, Model as Event},
    organizations::organization::OrganizationId,
    patrons::patron::PatronId,
};

use crate::{
    ChangeKind, Code, Problem,
    attendance::{projection::Presence, scan::NewScan},
};

/// A message about an event is taken for this long after its door closed.
const LATE: TimeDelta = TimeDelta::days(30);

/// The seats an attendance holds: those registered, and one for whoever came without.
pub(in crate::attendance) fn seats(attendance: &Attendance) -> i32 {
    if attendance.registration == Some(Registration::Registered) {
        attendance.seats
    } else {
        i32::from(attendance.attended)
    }
}

/// A row for a patron of whom the event knew nothing yet.
pub(in crate::attendance) fn blank(
    organization: OrganizationId,
    event: EventId,
    patron: PatronId,
    now: DateTime<Utc>,
) -> Attendance {
    Attendance {
        id: AttendanceId::random(),
        organization_id: organization,
        event_id: event,
        patron_id: patron,
        registration: None,
        registered_at: None,
        seats: 0,
        attended: false,
        inside: false,
        check_in_time: None,
        check_out_time: None,
        seconds_present: 0,
        awards: 0,
        created_at: now,
        updated_at: now,
    }
}

pub(super) fn presence_of(attendance: &Attendance) -> Presence {
    Presence {
        attended: attendance.attended,
        inside: attendance.inside,
        check_in_time: attendance.check_in_time,
        check_out_time: attendance.check_out_time,
        seconds_present: attendance.seconds_present,
    }
}

pub(super) fn kind_of(scan: &Scan, moved: bool) -> ChangeKind {
    match scan.outcome {
        Outcome::CheckedIn | Outcome::Reentry => ChangeKind::CheckedIn,
        Outcome::CheckedOut => ChangeKind::CheckedOut,
        Outcome::Reverted => ChangeKind::CheckInReverted,
        _ if moved => ChangeKind::Corrected,
        _ => ChangeKind::ScanRecorded,
    }
}

/// Why the event itself takes no such scan, judged by when it happened and not by when it came.
pub(super) fn refusal(event: &Event, scan: &Scan) -> Option<Outcome> {
    if event.cancelled_at.is_some() {
        return Some(Outcome::EventCancelled);
    }
    if event.published_at.is_none() {
        return Some(Outcome::EventNotPublished);
    }
    if scan.method == Method::Import {
        // History, whenever it was.
        return None;
    }
    let closes = event.closed_at.map_or(event.check_in_closes_at, |closed| {
        closed.min(event.check_in_closes_at)
    });
    let in_time = (event.check_in_opens_at..=closes).contains(&scan.occurred_at);
    (!in_time || scan.received_at > closes + LATE).then_some(Outcome::OutsideWindow)
}

/// Whether an enforced capacity keeps the patron out.
pub(super) fn is_full(event: &Event, attendance: Option<&Attendance>, outcome: Outcome) -> bool {
    let Some(capacity) = event.capacity else {
        return false;
    };
    match (event.capacity_policy, outcome) {
        (CapacityPolicy::Seats, Outcome::CheckedIn) => {
            attendance.is_none_or(|attendance| seats(attendance) == 0)
                && event.seats_taken >= capacity
        }
        (CapacityPolicy::Occupancy, Outcome::CheckedIn | Outcome::Reentry) => {
            event.inside_count >= capacity
        }
        _ => false,
    }
}

pub(super) fn nothing_to_undo(new: &NewScan) -> Problem {
    let (field, message) = match new.supersedes {
        Some(_) => (
            "scanToRevert",
            "The patron has no such scan at this event, or it is undone already.",
        ),
        None => ("patronId", "There is no check-in to undo."),
    };
    Problem::new(Code::NothingToUndo, field, message)
}

/// Whether a repeated id comes with the content it came with first. A time, or a scan to undo, that
/// was not given now is not compared.
pub(super) fn same(kept: &Scan, new: &NewScan) -> bool {
    (kept.event_id, kept.patron_id, kept.direction) == (new.event, new.patron, new.direction)
        && new.occurred_at.is_none_or(|at| at == kept.claimed_at)
        && new.supersedes.is_none_or(|id| kept.supersedes == Some(id))
}

pub(super) fn missing(field: &'static str, what: &str) -> Problem {
    Problem::new(
        Code::NotFound,
        field,
        format!("The organization has no such {what}."),
    )
}

/// 1 for a live registration.
pub(super) fn registered(attendance: &Attendance) -> i32 {
    i32::from(attendance.registration == Some(Registration::Registered))
}
