//! Checking in and out at the door, and undoing it.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Code, Error, Grant, Problem,
    attendance::scan::{self, NewScan, Recorded, ScanId},
    permission::AttendanceRecord,
};
use uuid::Uuid;

use super::attendance::Attendance;
use crate::{
    error::Result,
    id,
    operation::Operation,
    requires::Requires,
    selection::Selection,
    time::Time,
    user_error::{Settled, UserError, payload},
    written::{self, Answer},
};

/// One scan as it is kept. Scans are added, never changed.
#[derive(SimpleObject)]
pub struct Scan {
    /// The id that the client made (a UUID, not a global id), or was given for want of one.
    id: String,
    /// When it happened, for all that is derived from it.
    occurred_at: DateTime<Utc>,
    /// When it reached us.
    received_at: DateTime<Utc>,
    /// Which way.
    direction: ScanDirection,
    /// What it came to.
    outcome: ScanOutcome,
    /// The device's own name for itself.
    device: Option<String>,
}

/// Which way a scan goes.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "scan::Direction")]
pub enum ScanDirection {
    /// Arrival.
    In,
    /// Departure.
    Out,
    /// Was there, at a time that nobody noted: from imports.
    Present,
    /// Another scan never happened.
    Revert,
}

/// How a door knew who it was.
#[derive(Clone, Copy, Default, PartialEq, Eq, Enum)]
pub enum ScanMethod {
    /// Chosen from a list.
    #[default]
    Manual,
    /// A code was read.
    Code,
    /// The patron did it.
    Kiosk,
}

/// What a scan came to. None of these is an error: the scan is kept whatever it came to.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "scan::Outcome")]
pub enum ScanOutcome {
    /// Arrived.
    CheckedIn,
    /// Left.
    CheckedOut,
    /// An earlier scan was undone.
    Reverted,
    /// Came back.
    Reentry,
    /// Was inside already.
    AlreadyCheckedIn,
    /// Was not inside.
    NotCheckedIn,
    /// No room.
    CapacityReached,
    /// The event is called off.
    EventCancelled,
    /// The event is a draft.
    EventNotPublished,
    /// Too early or too late.
    OutsideWindow,
}

/// One arrival or departure at the door.
#[derive(InputObject)]
pub struct CheckInInput {
    /// At which event.
    event_id: ID,
    /// Who.
    patron_id: ID,
    /// A UUID made by the client, best of version 7: sent again, it is answered like the first time.
    scan_id: Option<String>,
    /// When it happened; now when left out.
    occurred_at: Option<Time>,
    /// The device's own name for itself, up to 100 characters.
    device: Option<String>,
    /// How the door knew.
    #[graphql(default)]
    method: ScanMethod,
}

/// The undoing of an arrival or departure.
#[derive(InputObject)]
pub struct RevertCheckInInput {
    /// At which event.
    event_id: ID,
    /// Who.
    patron_id: ID,
    /// A UUID made by the client for the undoing itself, best of version 7: sent again, it is
    /// answered like the first time.
    scan_id: Option<String>,
    /// The id of the scan to undo; the latest that counts, with its repeats, when left out.
    scan_to_revert: Option<String>,
    /// Why, up to 500 characters.
    reason: Option<String>,
}

/// What became of an arrival, a departure or an undoing.
#[derive(SimpleObject)]
pub struct CheckInPayload {
    /// What the door is to show.
    outcome: Option<ScanOutcome>,
    /// The attendance after it; null where nobody was let through.
    attendance: Option<Answer<Attendance>>,
    /// The scan as it is kept.
    scan: Option<Scan>,
    /// Whether the same scan came before, and this is the answer it got then.
    repeated: bool,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Mutations at the door.
#[derive(Default)]
pub struct ScanMutation;

#[Object]
impl ScanMutation {
    /// Records an arrival.
    #[graphql(directive = Requires::apply(AttendanceRecord))]
    async fn check_in(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, and where.")] input: CheckInInput,
    ) -> Option<Result<CheckInPayload>> {
        payload(record(context, input.read(scan::Direction::In))).await
    }

    /// Records a departure.
    #[graphql(directive = Requires::apply(AttendanceRecord))]
    async fn check_out(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, and where.")] input: CheckInInput,
    ) -> Option<Result<CheckInPayload>> {
        payload(record(context, input.read(scan::Direction::Out))).await
    }

    /// Undoes an arrival or a departure, as if it had never happened.
    #[graphql(directive = Requires::apply(AttendanceRecord))]
    async fn revert_check_in(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose, and where.")] input: RevertCheckInInput,
    ) -> Option<Result<CheckInPayload>> {
        payload(record(context, input.read())).await
    }
}

/// The scan id in the input field `field`.
///
/// # Errors
/// A refusal of what is no UUID.
pub fn scan_id(text: Option<&str>, field: &'static str) -> domain::Result<Option<ScanId>> {
    let parse = |text| Uuid::try_parse(text).map(ScanId::from);
    text.map(parse).transpose().map_err(|_| {
        Error::refused(
            Code::InvalidId,
            field,
            "A scan's id is a UUID, made by the client.",
        )
    })
}

async fn record(
    context: &Context<'_>,
    scan: domain::Result<NewScan>,
) -> domain::Result<(Recorded, Option<Answer<Attendance>>)> {
    let operation = Operation::of(context);
    let scope = operation.scope().await?;
    // Who may not record is told that, before anything about the scan.
    scope.require_writable(AttendanceRecord::PERMISSION).await?;
    let recorded = operation.scans().record(scope, scan?).await;
    let recorded = recorded.map_err(|error| match error {
        Error::Refused(problems) => Error::Refused(problems.into_iter().map(of_check_in).collect()),
        error => error,
    })?;
    let attendance = match recorded.attendance.clone() {
        Some(row) => Some(answer(context, row).await),
        None => None,
    };
    Ok((recorded, attendance))
}

/// The attendance as it is shown. What was recorded is told even if nothing can be read just now.
async fn answer(context: &Context<'_>, row: scan::Attendance) -> Answer<Attendance> {
    let operation = Operation::of(context);
    let selected = Selection::of(context).field("attendance");
    match written::row(operation, &selected, row.id, None).await {
        Some(Some(Ok(answer))) => answer,
        _ => Answer::Walked(row.into()),
    }
}

/// A scan's own id is `id` in a batch and `scanId` here.
fn of_check_in(problem: Problem) -> Problem {
    match problem.field {
        "id" => Problem {
            field: "scanId",
            ..problem
        },
        _ => problem,
    }
}

impl CheckInInput {
    fn read(self, direction: scan::Direction) -> domain::Result<NewScan> {
        Ok(NewScan {
            id: scan_id(self.scan_id.as_deref(), "scanId")?,
            event: id::decode(&self.event_id, "eventId")?,
            patron: id::decode(&self.patron_id, "patronId")?,
            direction,
            method: self.method.into(),
            occurred_at: self.occurred_at.map(Into::into),
            device: self.device,
            reason: None,
            supersedes: None,
        })
    }
}

impl RevertCheckInInput {
    fn read(self) -> domain::Result<NewScan> {
        Ok(NewScan {
            id: scan_id(self.scan_id.as_deref(), "scanId")?,
            event: id::decode(&self.event_id, "eventId")?,
            patron: id::decode(&self.patron_id, "patronId")?,
            direction: scan::Direction::Revert,
            method: scan::Method::Manual,
            occurred_at: None,
            device: None,
            reason: self.reason,
            supersedes: scan_id(self.scan_to_revert.as_deref(), "scanToRevert")?,
        })
    }
}

impl From<ScanMethod> for scan::Method {
    fn from(method: ScanMethod) -> Self {
        match method {
            ScanMethod::Manual => Self::Manual,
            ScanMethod::Code => Self::Code,
            ScanMethod::Kiosk => Self::Kiosk,
        }
    }
}

impl From<scan::Scan> for Scan {
    fn from(row: scan::Scan) -> Self {
        Self {
            id: row.id.to_string(),
            occurred_at: row.occurred_at,
            received_at: row.received_at,
            direction: row.direction.into(),
            outcome: row.outcome.into(),
            device: row.device,
        }
    }
}

impl From<Settled<(Recorded, Option<Answer<Attendance>>)>> for CheckInPayload {
    fn from(settled: Settled<(Recorded, Option<Answer<Attendance>>)>) -> Self {
        let errors = settled.errors;
        match settled.value {
            Some((recorded, attendance)) => Self {
                outcome: Some(recorded.scan.outcome.into()),
                attendance,
                scan: Some(recorded.scan.into()),
                repeated: recorded.repeated,
                errors,
            },
            None => Self {
                outcome: None,
                attendance: None,
                scan: None,
                repeated: false,
                errors,
            },
        }
    }
}
