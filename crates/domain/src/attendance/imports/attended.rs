//! What a row says about registering and coming, and the words exports use for it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::header::key;
use super::preset::Field;
use super::row::{Cells, Problem, RowError, RowErrorCode};
use super::value;

/// What a row says about coming.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attended {
    /// Has a registration that counts; false for who waits, declined or was refunded.
    pub registered: bool,
    /// Came, whether or not the time is known.
    pub attended: bool,
    /// When the person came; `None` where the file says only that they did, or only the day.
    pub arrived_at: Option<DateTime<Utc>>,
    /// When the person left; `None` where the file does not say, or says only the day.
    pub left_at: Option<DateTime<Utc>>,
    /// Seats, the person's own and their guests'; 0 when `cancelled`.
    pub seats: u32,
    /// A registration there was is no more: refunded, deleted, declined or void.
    pub cancelled: bool,
}

/// Why a row is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The ticket was paid back.
    Refunded,
    /// The attendee was deleted.
    Deleted,
    /// Declined, or does not come any more.
    NotAttending,
    /// The ticket or registration was voided or cancelled.
    Void,
    /// Only who paid is known: nobody is invented from that.
    BuyerOnly,
    /// No name, e-mail, phone or id.
    BlankPerson,
}

/// Reads the cells about coming: nothing when the mapping has none, and with a reason to skip when the
/// person withdrew.
pub(super) fn read(cells: &Cells<'_>) -> Result<(Option<Attended>, Option<SkipReason>), RowError> {
    use Field::{ArrivedAt, Attended as Came, Guests, LeftAt, Seats, Status};
    if !cells.has(&[Status, Came, ArrivedAt, LeftAt, Seats, Guests]) {
        return Ok((None, None));
    }
    let standing = cells
        .read(Status, standing)?
        .unwrap_or(Standing::Registered);
    // Whoever declined and came all the same, came: that takes reading the other cells first.
    if let Standing::Withdrawn(reason) = standing
        && reason != SkipReason::NotAttending
    {
        return Ok(withdrawn(reason));
    }
    let arrival = |text: &str| match came(text) {
        Some(came) => Ok((came, None)),
        None => cells.instant(text).map(|arrived_at| (true, arrived_at)),
    };
    let mark = |text: &str| arrival(text).map_err(|(code, _)| (code, NEITHER_WORD_NOR_TIME));
    let (marked, marked_at) = cells.read(Came, mark)?.unwrap_or_default();
    let (timed, timed_at) = cells.read(ArrivedAt, arrival)?.unwrap_or_default();
    let arrived_at = timed_at.or(marked_at);
    let departure = |text: &str| {
        let left_at = cells.instant(text)?;
        let early = left_at
            .zip(arrived_at)
            .is_some_and(|(left_at, arrived_at)| left_at < arrived_at);
        if early {
            Err(LEFT_BEFORE_ARRIVING)
        } else {
            Ok(left_at)
        }
    };
    let left_at = cells.read(LeftAt, departure)?;
    let attended = marked || timed || left_at.is_some() || standing == Standing::CheckedIn;
    if let (Standing::Withdrawn(reason), false) = (standing, attended) {
        return Ok(withdrawn(reason));
    }
    let seats = cells
        .read(Seats, |text| value::seats(text, 1))?
        .unwrap_or(1);
    let with_guests = |text: &str| {
        let guests = value::seats(text, 0)?;
        let all = guests + seats;
        (all <= value::MAX_SEATS)
            .then_some(guests)
            .ok_or(TOO_MANY_SEATS)
    };
    let guests = cells.read(Guests, with_guests)?.unwrap_or(0);
    let attendance = Attended {
        registered: matches!(standing, Standing::Registered | Standing::CheckedIn),
        attended,
        arrived_at,
        left_at: left_at.flatten(),
        seats: seats + guests,
        cancelled: false,
    };
    Ok((Some(attendance), None))
}

const TOO_MANY_SEATS: Problem = (
    RowErrorCode::InvalidSeats,
    "A registration has at most 50 seats, guests included. Register some of them by name.",
);

const NEITHER_WORD_NOR_TIME: &str =
    "Write yes or no, or when the person came, like 2024-03-09 18:30.";

const LEFT_BEFORE_ARRIVING: Problem = (
    RowErrorCode::InvalidTime,
    "The person leaves before they arrive. Correct one of the two times.",
);

fn withdrawn(reason: SkipReason) -> (Option<Attended>, Option<SkipReason>) {
    (
        Some(Attended {
            cancelled: true,
            ..Attended::default()
        }),
        Some(reason),
    )
}

/// What a status word says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Registered,
    CheckedIn,
    /// Waiting, invited or undecided: a person, without a registration.
    Open,
    Withdrawn(SkipReason),
}

/// Fails for an unknown word: reading it as "registered" would let refunds in.
fn standing(text: &str) -> Result<Standing, Problem> {
    Ok(match key(text).as_str() {
        "" | "attending" | "yes" | "going" | "registered" | "confirmed" | "approved"
        | "accepted" | "active" | "paid" | "completed" | "valid" | "noshow" | "absent"
        | "notcheckedin" => Standing::Registered,
        "checkedin" | "attended" | "present" => Standing::CheckedIn,
        "waitinglist" | "waitlist" | "waitlisted" | "pending" | "pendingapproval" | "invited"
        | "maybe" => Standing::Open,
        "notattending" | "no" | "notgoing" | "declined" | "rejected" => {
            Standing::Withdrawn(SkipReason::NotAttending)
        }
        "refunded" => Standing::Withdrawn(SkipReason::Refunded),
        "deleted" => Standing::Withdrawn(SkipReason::Deleted),
        "void" | "voided" | "cancelled" | "canceled" => Standing::Withdrawn(SkipReason::Void),
        _ => {
            return Err((
                RowErrorCode::UnknownStatus,
                "We do not know this status. Write Attending, Checked In, Not Attending, Waiting list, Refunded, \
                 Deleted or Void, or choose no column for the status.",
            ));
        }
    })
}

/// Whether a cell of an attendance column says that the person came; `None` when it is no such word.
fn came(text: &str) -> Option<bool> {
    match key(text).as_str() {
        "yes" | "y" | "true" | "1" | "x" | "✓" | "✔" | "attended" | "present" | "checkedin"
        | "oui" | "ja" | "si" | "sí" | "sì" | "sim" | "tak" | "ano" => Some(true),
        "" | "no" | "n" | "false" | "0" | "noshow" | "absent" | "excused" | "excusedabsence"
        | "notcheckedin" | "non" | "nein" | "nee" | "nej" | "não" | "nie" | "ne" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_each_system() {
        for (word, expected) in [
            ("Attending", Standing::Registered),
            ("Checked In", Standing::CheckedIn),
            (
                "Not Attending",
                Standing::Withdrawn(SkipReason::NotAttending),
            ),
            ("Deleted", Standing::Withdrawn(SkipReason::Deleted)),
            ("Refunded", Standing::Withdrawn(SkipReason::Refunded)),
            ("Yes", Standing::Registered),
            ("No", Standing::Withdrawn(SkipReason::NotAttending)),
            ("Waiting list", Standing::Open),
            ("pending_approval", Standing::Open),
            ("CANCELLED", Standing::Withdrawn(SkipReason::Void)),
        ] {
            assert_eq!(standing(word), Ok(expected), "{word}");
        }
        assert!(standing("Remboursé").is_err());
    }

    #[test]
    fn came_or_not() {
        for word in ["Attended", "YES", "x", "1", "✓"] {
            assert_eq!(came(word), Some(true), "{word}");
        }
        for word in ["No-show", "no", "-", "0"] {
            assert_eq!(came(word), Some(false), "{word}");
        }
        assert_eq!(came("2024-03-09 18:30"), None);
    }
}
