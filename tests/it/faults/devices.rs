//! Devices at the doors of an evening: each keeps its scans until they are acknowledged.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::{sync::watch, task::JoinSet};

use crate::harness::{
    Client,
    door::{CHECK_IN, RECORD_SCANS, Scan, batch},
};

/// Scans of one message.
const BATCH: usize = 40;

/// Devices that send what they hold, again and again until it is acknowledged, to wherever the
/// server is at the time.
pub struct Devices {
    tasks: JoinSet<()>,
    acknowledged: Arc<AtomicUsize>,
    moved: watch::Receiver<usize>,
}

impl Devices {
    /// Starts one device for each list of scans. The last one checks in one by one.
    pub fn start(
        client: &Client,
        address: &watch::Receiver<String>,
        scans: Vec<Vec<Scan>>,
    ) -> Self {
        let (progress, moved) = watch::channel(0);
        let (progress, acknowledged) = (Arc::new(progress), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        let devices = scans.len();
        for (number, scans) in scans.into_iter().enumerate() {
            let (client, mut address) = (client.again(), address.clone());
            let (progress, acknowledged) = (progress.clone(), acknowledged.clone());
            tasks.spawn(async move {
                let size = if number + 1 == devices { 1 } else { BATCH };
                for message in scans.chunks(size) {
                    loop {
                        let here = address.borrow_and_update().clone();
                        if send(&client.at(&here), message).await {
                            break;
                        }
                        // Back when there is news of the server; until then now and then.
                        let patience = std::time::Duration::from_millis(100);
                        let _ = tokio::time::timeout(patience, address.changed()).await;
                    }
                    let now =
                        acknowledged.fetch_add(message.len(), Ordering::SeqCst) + message.len();
                    progress.send_replace(now);
                }
            });
        }
        Self {
            tasks,
            acknowledged,
            moved,
        }
    }

    /// Waits until so many scans are acknowledged.
    pub async fn acknowledged(&mut self, count: usize) {
        let reached = self
            .moved
            .wait_for(|_| self.acknowledged.load(Ordering::SeqCst) >= count);
        reached.await.expect("the devices are at work");
    }

    /// Waits until everything is acknowledged.
    pub async fn done(mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("no panic");
        }
    }
}

/// An evening's scans, dealt out to so many devices: patrons come, go and come back.
pub fn evening(
    events: &[String],
    patrons: &[String],
    count: usize,
    devices: usize,
    now: DateTime<Utc>,
) -> Vec<Vec<Scan>> {
    let mut dealt = vec![Vec::new(); devices];
    for number in 0..count {
        let (patron, round) = (number % patrons.len(), number / patrons.len());
        let direction = if round % 2 == 0 { "IN" } else { "OUT" };
        // The device that checks in one by one knows arrivals only, and fewer of them.
        let device = match number % (devices * 4) {
            0 if direction == "IN" => devices - 1,
            other => other % (devices - 1),
        };
        let at =
            now - TimeDelta::minutes(90) + TimeDelta::seconds(i64::try_from(number).expect("few"));
        dealt[device].push(Scan::new(
            &events[number % events.len()],
            &patrons[patron],
            direction,
            at,
        ));
    }
    dealt
}

/// Whether the message was acknowledged. Only two kinds of failure are expected: no answer, and an
/// answer that says to try again.
async fn send(client: &Client, scans: &[Scan]) -> bool {
    let answer = match scans {
        [scan] => client.try_send(CHECK_IN, scan.of_check_in()).await,
        scans => client.try_send(RECORD_SCANS, batch(scans)).await,
    };
    let Ok(answer) = answer else { return false };
    if answer.body == Value::Null {
        // The connection broke in the middle of the answer.
        return false;
    }
    let codes = answer.codes();
    if !codes.is_empty() {
        assert_eq!(codes, ["UNAVAILABLE"], "{:#}", answer.body);
        return false;
    }
    let data = &answer.body["data"];
    let refusals = [answer.refusals("checkIn"), answer.refusals("recordScans")].concat();
    assert!(refusals.is_empty(), "{data:#}");
    for result in data["recordScans"]["results"]
        .as_array()
        .into_iter()
        .flatten()
    {
        assert!(result["error"].is_null(), "{result:#}");
    }
    true
}
