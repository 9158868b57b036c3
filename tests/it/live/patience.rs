//! A reader that stops reading, and a stream on which nothing happens. Both take their time; so one
//! test waits for both at once.

use std::time::Duration;

use serde_json::json;
use tokio::net::TcpSocket;

use super::{FOLLOW, PATIENCE};
use crate::harness::{
    App, Backend, Client,
    door::{RECORD_SCANS, Scan, batch},
    listener::{assert_same, logged, now, number},
    socket::{Heard, Subscription},
};

/// Longer than anything here waits: the deadline of a send is 10 s, a heartbeat comes every 20 s.
const LONG: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn slow_readers_are_closed_and_quiet_streams_beat() {
    let app = App::start(Backend::Sqlite)
        .await
        .expect("SQLite needs nothing");
    let (quiet, busy) = (app.owner("quiet").await, app.owner("busy").await);
    tokio::join!(
        a_quiet_stream_beats(&quiet),
        a_slow_reader_is_closed_and_loses_nothing(&app, &busy)
    );
    app.stop().await;
}

async fn a_quiet_stream_beats(owner: &Client) {
    let mut stream = Subscription::open(owner, FOLLOW, json!({})).await;
    for what in ["a beginning", "a heartbeat"] {
        let Heard::Next(payload) = stream.next(LONG).await else {
            panic!("{what}")
        };
        let batch = &payload["data"]["attendanceChanged"];
        assert_eq!(
            (&batch["changes"], &batch["caughtUp"]),
            (&json!([]), &json!(true)),
            "{what}"
        );
    }
}

/// Some megabytes wait for somebody who asked for them and then does not read.
async fn a_slow_reader_is_closed_and_loses_nothing(app: &App, owner: &Client) {
    // Each change repeats its event's long title, so that few changes are many bytes.
    let titles: Vec<String> = (0..40)
        .map(|number| format!("t{number}: event {{ title }}"))
        .collect();
    let titles = titles.join(" ");
    let follow = format!(
        "subscription($after: String) {{ attendanceChanged(after: $after) {{ changes {{ sequence {titles} }} cursor }} }}"
    );
    let event = owner.event(&"x".repeat(200), json!({})).await;
    let patrons = owner.patrons(100).await;
    let start = now(owner, &event).await;
    for round in 0..10 {
        let direction = if round % 2 == 0 { "IN" } else { "OUT" };
        let at = app.clock.now() - chrono::TimeDelta::minutes(20 - round);
        let scans: Vec<Scan> = patrons
            .iter()
            .map(|patron| Scan::new(&event, patron, direction, at))
            .collect();
        owner.ok(RECORD_SCANS, batch(&scans)).await;
    }
    let logged = logged(&app.database).await;
    assert_eq!(logged.len(), 1_000);

    let operation = json!({ "query": follow, "variables": { "after": start } });
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let address = owner
        .url
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    let stream = socket.connect(address).await.expect("a connection");
    let mut slow = Subscription::over(stream, owner, &operation)
        .await
        .expect("a socket");
    let closed = async {
        // It is there and says so, and still does not read.
        while slow.ping().await {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(LONG, closed)
        .await
        .expect("a reader that does not read is closed");

    // What it can still read ends with a cursor, and that is where it goes on.
    let (mut heard, mut cursor) = (Vec::new(), start);
    while let Heard::Next(payload) = slow.next(PATIENCE).await {
        let batch = &payload["data"]["attendanceChanged"];
        heard.extend(
            batch["changes"]
                .as_array()
                .expect("changes")
                .iter()
                .map(number),
        );
        batch["cursor"]
            .as_str()
            .expect("a cursor")
            .clone_into(&mut cursor);
    }
    assert!(
        heard.len() < logged.len(),
        "the control: it was closed before it had everything"
    );
    let mut again = Subscription::open(owner, &follow, json!({ "after": cursor })).await;
    while heard.len() < logged.len() {
        heard.extend(
            again
                .changes("attendanceChanged", PATIENCE)
                .await
                .0
                .iter()
                .map(number),
        );
    }
    assert_same(&heard, &logged);
}
