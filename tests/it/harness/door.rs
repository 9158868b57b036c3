//! What doors and devices do: check-ins one by one, and batches of scans with ids of their own.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use serde_json::{Value, json};
use tokio::sync::Barrier;
use uuid::Uuid;

use super::Client;

/// A check-in whose answer says everything that a door shows.
pub const CHECK_IN: &str = "mutation($input: CheckInInput!) { checkIn(input: $input) {
    outcome repeated scan { id } attendance { checkInTime } errors { message code } } }";

/// A batch of scans.
pub const RECORD_SCANS: &str = "mutation($input: RecordScansInput!) { recordScans(input: $input) {
    results { scanId outcome repeated error { message code } } errors { message code } } }";

/// A scan that a device keeps until it is acknowledged.
#[derive(Clone, Debug)]
pub struct Scan {
    pub id: Uuid,
    pub event: String,
    pub patron: String,
    pub direction: &'static str,
    pub occurred_at: DateTime<Utc>,
}

impl Scan {
    /// A scan with an id that only it has.
    pub fn new(event: &str, patron: &str, direction: &'static str, at: DateTime<Utc>) -> Self {
        Self {
            id: Uuid::now_v7(),
            event: event.to_owned(),
            patron: patron.to_owned(),
            direction,
            occurred_at: at.trunc_subsecs(6),
        }
    }

    /// As an item of `recordScans`.
    pub fn of_batch(&self) -> Value {
        json!({
            "id": self.id, "eventId": self.event, "patronId": self.patron,
            "direction": self.direction, "occurredAt": self.occurred_at,
        })
    }

    /// As the input of `checkIn`.
    pub fn of_check_in(&self) -> Value {
        json!({ "input": {
            "scanId": self.id, "eventId": self.event, "patronId": self.patron,
            "occurredAt": self.occurred_at,
        } })
    }
}

/// The variables of a batch.
pub fn batch<'a>(scans: impl IntoIterator<Item = &'a Scan>) -> Value {
    let scans: Vec<Value> = scans.into_iter().map(Scan::of_batch).collect();
    json!({ "input": { "scans": scans } })
}

/// Runs all jobs from the same moment on, each in a task of its own, and gives their results in
/// order.
pub async fn at_once<F>(jobs: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let jobs: Vec<F> = jobs.into_iter().collect();
    let barrier = Arc::new(Barrier::new(jobs.len()));
    let tasks: Vec<_> = jobs
        .into_iter()
        .map(|job| {
            let barrier = barrier.clone();
            tokio::spawn(async move {
                barrier.wait().await;
                job.await
            })
        })
        .collect();
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await.expect("no panic"));
    }
    results
}

impl Client {
    /// The same credential at the same instance, over connections of its own.
    pub fn again(&self) -> Self {
        let mut client = Self::new(&self.url);
        client.token.clone_from(&self.token);
        client.organization.clone_from(&self.organization);
        client
    }

    /// Adds so many patrons and gives their ids.
    pub async fn patrons(&self, count: usize) -> Vec<String> {
        let mut ids = Vec::with_capacity(count);
        // As many as one operation may have root fields.
        for start in (0..count).step_by(20) {
            let end = count.min(start + 20);
            let field = |number| {
                format!(
                    "p{number}: createPatron(input: {{ firstName: \"P{number}\", lastName: \"Patron\" }}) {{ patron {{ id }} errors {{ message code }} }}"
                )
            };
            let fields: Vec<String> = (start..end).map(field).collect();
            let fields = fields.join(" ");
            let data = self
                .ok(&format!("mutation {{ {fields} }}"), json!({}))
                .await;
            ids.extend((start..end).map(|number| {
                let id = &data[format!("p{number}")]["patron"]["id"];
                id.as_str().expect("an id").to_owned()
            }));
        }
        ids
    }
}
