//! Single scans on their way to the database. Those of an organization that come while others are
//! being written wait, and are then written together: one transaction and one flush for all of them.
//!
//! An organization's commits follow one another anyway, as each holds its change counter up to its
//! end. So a rush at the doors waits for few commits instead of many, and whoever comes alone waits
//! for nobody.

use std::{
    collections::{HashMap, hash_map::Entry},
    slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use tokio::sync::oneshot;

use super::scan::{self, BATCH, NewScan, Recorded};
use crate::{
    Error, Grant, Problem, Result, Scope, events::event::EventId,
    organizations::organization::OrganizationId, permission::AttendanceRecord,
};

/// Scans of one line that wait, at most.
const MOST: usize = 10 * BATCH;

/// The scans that wait, by line. A line is in it while its scans are being written.
#[derive(Clone, Default)]
pub struct Queue(Arc<Mutex<HashMap<Line, Vec<Waiting>>>>);

/// Whose scans are written together: an organization's, and by themselves those of who is limited to
/// one event, because whoever writes sees no other.
type Line = (OrganizationId, Option<EventId>);

struct Waiting {
    scope: Scope,
    scan: NewScan,
    answer: oneshot::Sender<Answer>,
}

type Answer = Result<Result<Recorded, Problem>>;

impl Queue {
    /// Records a scan on behalf of the scope's actor, and tells what became of it. It is recorded
    /// even if nobody waits for the answer.
    ///
    /// # Errors
    /// Those of [`Scope::writer`], a refusal of the scan, or [`Error::Unavailable`] when too many
    /// wait.
    pub async fn record(&self, scope: Scope, scan: NewScan) -> Result<Recorded> {
        scope.require_writable(AttendanceRecord::PERMISSION).await?;
        // A request holds one connection at a time, or a full pool waits for itself.
        scope.close_snapshot().await;
        let (answer, answered) = oneshot::channel();
        self.join(Waiting {
            scope,
            scan,
            answer,
        })?;
        let answer = answered.await;
        let answer = answer.map_err(|_| Error::Internal("a scan without an answer".to_owned()))?;
        answer?.map_err(|problem| Error::Refused(vec![problem]))
    }

    fn join(&self, waiting: Waiting) -> Result<()> {
        let line: Line = (waiting.scope.organization(), waiting.scope.event());
        match self.lock().entry(line) {
            Entry::Occupied(present) if present.get().len() >= MOST => {
                return Err(Error::Unavailable("Too many scans at once."));
            }
            Entry::Occupied(mut present) => present.get_mut().push(waiting),
            Entry::Vacant(absent) => {
                absent.insert(vec![waiting]);
                let task = Writing(self.clone(), line);
                tokio::spawn(async move {
                    while let Some(next) = task.next() {
                        record_together(next).await;
                    }
                });
            }
        }
        Ok(())
    }

    /// No code panics while it holds this lock.
    fn lock(&self) -> MutexGuard<'_, HashMap<Line, Vec<Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that writes the scans of a line.
struct Writing(Queue, Line);

impl Writing {
    /// Those that wait now; none, and the line is gone from the queue, if nobody does.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut lines = self.0.lock();
        let line = lines.get_mut(&self.1)?;
        let size = line.len().min(BATCH);
        if size == 0 {
            lines.remove(&self.1);
            return None;
        }
        Some(line.drain(..size).collect())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // After a defect: whoever waits is told, and whoever comes next begins anew.
        if thread::panicking() {
            self.0.lock().remove(&self.1);
        }
    }
}

async fn record_together(waiting: Vec<Waiting>) {
    let together = record(&waiting).await;
    if matches!(together, Err(Error::Internal(_))) && waiting.len() > 1 {
        // A defect that one of them meets keeps none of the others back.
        for one in waiting {
            let alone = record(slice::from_ref(&one)).await;
            tell(vec![one], alone);
        }
        return;
    }
    tell(waiting, together);
}

async fn record(waiting: &[Waiting]) -> Result<Vec<Result<Recorded, Problem>>> {
    let Some(first) = waiting.first() else {
        return Ok(Vec::new());
    };
    let scope = first.scope.fresh();
    let report = |one: &Waiting| (one.scope.author(), vec![one.scan.clone()]);
    let reports = waiting.iter().map(report).collect();
    let answers = Box::pin(scan::record_each(scope.writer().await?, reports)).await?;
    for one in waiting {
        one.scope.follow(&scope);
    }
    Ok(answers.into_iter().flatten().collect())
}

fn tell(waiting: Vec<Waiting>, answers: Result<Vec<Result<Recorded, Problem>>>) {
    let answers: Vec<Answer> = match answers {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error); waiting.len()],
    };
    for (one, answer) in waiting.into_iter().zip(answers) {
        // Whoever asked may be gone.
        let _ = one.answer.send(answer);
    }
}
