//! Batches of scans, from devices that were offline.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use domain::{
    Code, Error, Problem,
    attendance::scan::{self, BATCH, NewScan, Recorded},
    permission::AttendanceRecord,
};

use super::{
    attendance::Attendance,
    scan::{ScanMethod, ScanOutcome, scan_id},
};
use crate::{
    error::Result,
    id,
    operation::Operation,
    requires::Requires,
    selection::{Rows, Selection},
    time::Time,
    user_error::{Settled, UserError, payload},
};

/// Which way somebody went.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum DoorDirection {
    /// Arrival.
    In,
    /// Departure.
    Out,
}

/// One scan as a device reports it.
#[derive(InputObject)]
pub struct ScanInput {
    /// A UUID made by the client, best of version 7: sent again, it is answered like the first time.
    id: String,
    /// At which event.
    event_id: ID,
    /// Who.
    patron_id: ID,
    /// Which way.
    direction: DoorDirection,
    /// When the device says it happened.
    occurred_at: Time,
    /// How the door knew.
    #[graphql(default)]
    method: ScanMethod,
    /// The device's own name for itself, up to 100 characters.
    device: Option<String>,
}

/// The scans that a device kept.
#[derive(InputObject)]
pub struct RecordScansInput {
    /// Up to 500, in any order: they are applied in the order in which they happened.
    scans: Vec<ScanInput>,
}

/// What became of one scan of a batch.
#[derive(SimpleObject)]
pub struct ScanResult {
    /// The scan's id, as it was given.
    scan_id: String,
    /// What it came to; null when it could not be kept.
    outcome: Option<ScanOutcome>,
    /// The attendance after it; null where nobody was let through.
    attendance: Option<Attendance>,
    /// Whether the same scan came before, and this is the answer it got then.
    repeated: bool,
    /// What is wrong with this scan; it kept none of the others back.
    error: Option<UserError>,
}

/// What became of a batch.
#[derive(SimpleObject)]
pub struct RecordScansPayload {
    /// What became of each scan, in the order given.
    results: Vec<ScanResult>,
    /// What is wrong with the batch as a whole.
    errors: Vec<UserError>,
}

/// Mutations of many scans at once.
#[derive(Default)]
pub struct BatchMutation;

#[Object]
impl BatchMutation {
    /// Records up to 500 scans, each on its own.
    #[graphql(directive = Requires::apply(AttendanceRecord))]
    async fn record_scans(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The scans.")] input: RecordScansInput,
    ) -> Option<Result<RecordScansPayload>> {
        payload(async {
            let results = record(context, input.scans).await?;
            let rows = results
                .iter()
                .filter_map(|result| result.attendance.clone());
            let selected = Selection::of(context).field("results").field("attendance");
            Attendance::prefetch(rows.collect(), Operation::of(context), selected).await;
            Ok(results)
        })
        .await
    }
}

async fn record(context: &Context<'_>, inputs: Vec<ScanInput>) -> domain::Result<Vec<ScanResult>> {
    let writer = Operation::of(context).writer().await?;
    if inputs.len() > BATCH {
        let message = format!("A batch has at most {BATCH} scans. Send several.");
        return Err(Error::refused(Code::TooLong, "scans", message));
    }
    let ids: Vec<String> = inputs.iter().map(|input| input.id.clone()).collect();
    let (mut scans, mut refused) = (Vec::new(), Vec::new());
    for input in inputs {
        let read = input.read();
        refused.push(read.as_ref().err().cloned());
        scans.extend(read.ok());
    }
    let mut recorded = scan::record(writer, scans).await?.into_iter();
    let answers = refused.into_iter().map(|refused| match refused {
        Some(problem) => Some(Err(problem)),
        None => recorded.next(),
    });
    let results = ids.into_iter().zip(answers).enumerate();
    results
        .map(|(index, (id, answer))| match answer {
            Some(answer) => Ok(ScanResult::new(index, id, answer)),
            None => Err(Error::Internal("a scan without an answer".to_owned())),
        })
        .collect()
}

impl ScanInput {
    fn read(self) -> Result<NewScan, Problem> {
        let scan = || -> domain::Result<NewScan> {
            Ok(NewScan {
                id: scan_id(Some(&self.id), "id")?,
                event: id::decode(&self.event_id, "eventId")?,
                patron: id::decode(&self.patron_id, "patronId")?,
                direction: self.direction.into(),
                method: self.method.into(),
                occurred_at: Some(self.occurred_at.into()),
                device: self.device,
                reason: None,
                supersedes: None,
            })
        };
        scan().map_err(|error| match error {
            Error::Refused(mut problems) if !problems.is_empty() => problems.remove(0),
            other => Problem::new(Code::Invalid, "", other.to_string()),
        })
    }
}

impl ScanResult {
    fn new(index: usize, scan_id: String, answer: Result<Recorded, Problem>) -> Self {
        match answer {
            Ok(recorded) => Self {
                scan_id,
                outcome: Some(recorded.scan.outcome.into()),
                attendance: recorded.attendance.map(Attendance::from),
                repeated: recorded.repeated,
                error: None,
            },
            Err(problem) => Self {
                scan_id,
                outcome: None,
                attendance: None,
                repeated: false,
                error: Some(UserError::at(
                    &["input", "scans", &index.to_string()],
                    problem,
                )),
            },
        }
    }
}

impl From<DoorDirection> for scan::Direction {
    fn from(direction: DoorDirection) -> Self {
        match direction {
            DoorDirection::In => Self::In,
            DoorDirection::Out => Self::Out,
        }
    }
}

impl From<Settled<Vec<ScanResult>>> for RecordScansPayload {
    fn from(settled: Settled<Vec<ScanResult>>) -> Self {
        Self {
            results: settled.value.unwrap_or_default(),
            errors: settled.errors,
        }
    }
}
