//! A partner that follows an organization's changes and comes back with its cursor.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    Client, TestDatabase,
    socket::{Heard, Subscription},
};

/// What a partner subscribes with.
pub const FOLLOW: &str = "subscription($after: String) { attendanceChanged(after: $after) {
    changes { sequence type } cursor caughtUp } }";

/// Hears changes in the background, across whatever happens to its socket.
pub struct Listener {
    task: JoinHandle<()>,
    heard: watch::Receiver<Vec<i64>>,
}

impl Listener {
    /// Begins after `cursor`, wherever the server is at the time.
    pub fn start(client: &Client, address: &watch::Receiver<String>, cursor: String) -> Self {
        let (sender, heard) = watch::channel(Vec::new());
        let task = tokio::spawn(follow(client.clone(), address.clone(), cursor, sender));
        Self { task, heard }
    }

    /// Waits until the change with this number was heard.
    pub async fn reached(&mut self, sequence: i64) {
        let reached = self.heard.wait_for(|heard| heard.last() >= Some(&sequence));
        let reached = tokio::time::timeout(Duration::from_secs(30), reached).await;
        reached
            .expect("the change is heard")
            .expect("the listener is at work");
    }

    /// The same, and gives the numbers of all changes that were heard, in order.
    pub async fn until(mut self, sequence: i64) -> Vec<i64> {
        self.reached(sequence).await;
        self.task.abort();
        self.heard.borrow().clone()
    }
}

/// Now, as a cursor.
pub async fn now(client: &Client, event: &str) -> String {
    let data = client
        .ok(
            "query($id: ID!) { event(id: $id) { changeCursor } }",
            json!({ "id": event }),
        )
        .await;
    data["event"]["changeCursor"]
        .as_str()
        .expect("a cursor")
        .to_owned()
}

/// The numbers of all changes of attendance, as the log has them.
pub async fn logged(database: &TestDatabase) -> Vec<i64> {
    let kinds = "'attendance.registered', 'registration.cancelled', 'attendance.checked_in', 'attendance.checked_out',
        'attendance.check_in_reverted', 'attendance.corrected'";
    let sql = format!(
        "SELECT CAST(sequence AS text) FROM changes WHERE kind IN ({kinds}) ORDER BY changes.sequence"
    );
    let numbers = database.look(&sql).await;
    numbers
        .iter()
        .map(|number| number.parse().expect("a number"))
        .collect()
}

/// Fails at the first difference: nothing missed, nothing twice, nothing out of turn.
pub fn assert_same(heard: &[i64], logged: &[i64]) {
    for (index, logged) in logged.iter().enumerate() {
        assert_eq!(heard.get(index), Some(logged), "after {index} changes");
    }
    assert_eq!(heard.len(), logged.len(), "more was heard than is logged");
}

async fn follow(
    client: Client,
    mut address: watch::Receiver<String>,
    mut cursor: String,
    heard: watch::Sender<Vec<i64>>,
) {
    loop {
        let here = address.borrow_and_update().clone();
        let here = client.at(&here);
        if let Some(mut subscription) =
            Subscription::try_open(&here, FOLLOW, json!({ "after": cursor })).await
        {
            loop {
                match subscription.next(Duration::from_secs(30)).await {
                    Heard::Next(payload) if payload.get("errors").is_none() => {
                        let batch = &payload["data"]["attendanceChanged"];
                        let numbers = batch["changes"].as_array().expect("changes").iter();
                        let numbers: Vec<i64> = numbers.map(number).collect();
                        heard.send_modify(|heard| heard.extend(numbers));
                        batch["cursor"]
                            .as_str()
                            .expect("a cursor")
                            .clone_into(&mut cursor);
                    }
                    // Whatever it was: the cursor knows where to go on.
                    _ => break,
                }
            }
        }
        let _ = tokio::time::timeout(Duration::from_millis(100), address.changed()).await;
    }
}

/// The number of a change.
pub fn number(change: &Value) -> i64 {
    change["sequence"].as_i64().expect("a number")
}
