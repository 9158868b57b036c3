//! SIGTERM: what is under way is finished, and whoever holds a socket is told to come back.

use std::time::Duration;

use serde_json::json;
use sqlx::{Connection, Executor, PgConnection};

use crate::harness::{
    Backend, TestDatabase,
    listener::FOLLOW,
    process::Process,
    socket::{Heard, Subscription},
};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn sockets_are_told_to_come_back() {
    let database = TestDatabase::create(Backend::Sqlite)
        .await
        .expect("SQLite needs nothing");
    let process = Process::start(&[("DATABASE_URL", &database.url())]);
    let owner = process.anonymous().founder("stop").await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut stream = Subscription::open(&owner, FOLLOW, json!({})).await;
        assert!(
            matches!(stream.next(PATIENCE).await, Heard::Next(_)),
            "it begins"
        );
        streams.push(stream);
    }
    let events = reqwest::Client::new()
        .post(format!("{}/graphql", process.url))
        .header("accept", "text/event-stream")
        .bearer_auth(owner.token.as_deref().expect("a token"))
        .json(&json!({ "query": FOLLOW }));
    let events = events.send().await.expect("a stream");
    process.ask_to_stop();
    for stream in &mut streams {
        let heard = stream.next(PATIENCE).await;
        // "Service restart", or "going away": codes after which clients connect again. Not a word
        // before it, least of all that the subscription was complete: they would not come back.
        assert!(matches!(heard, Heard::Closed(1012 | 1001)), "{heard:?}");
    }
    let events = events.text().await.expect("an end");
    assert!(!events.contains("complete"), "{events}");
    assert!(ends_well(process).await);
}

/// A check-in that waits for a lock while the process is told to stop is answered, and kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_under_way_is_answered() {
    let Some(database) = TestDatabase::create(Backend::Postgres).await else {
        return;
    };
    let process = Process::start(&[("DATABASE_URL", &database.url())]);
    let owner = process.anonymous().founder("drain").await;
    let (event, patron) = (
        owner.event("Jazz night", json!({})).await,
        owner.patron("Ada").await,
    );
    let mut blocker = PgConnection::connect(&database.url())
        .await
        .expect("the database");
    blocker
        .execute("BEGIN; SELECT 1 FROM patrons FOR UPDATE")
        .await
        .expect("a lock");
    let checking_in = tokio::spawn({
        let (owner, event, patron) = (owner.clone(), event.clone(), patron.clone());
        async move { owner.check_in(&event, &patron).await }
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(async || database.number(waiting).await == 1).await;
    process.ask_to_stop();
    let address = process.url.trim_start_matches("http://").to_owned();
    until(async || tokio::net::TcpStream::connect(&address).await.is_err()).await;
    assert!(!checking_in.is_finished(), "the control: it still waits");
    blocker
        .execute("ROLLBACK")
        .await
        .expect("the lock is given back");
    assert_eq!(checking_in.await.expect("an answer"), "CHECKED_IN");
    assert!(ends_well(process).await);
    assert_eq!(database.scan_ids().await.len(), 1);
}

async fn ends_well(process: Process) -> bool {
    tokio::time::timeout(PATIENCE, process.ended())
        .await
        .expect("it ends within its drain")
}

/// Waits until something is so.
async fn until(condition: impl AsyncFn() -> bool) {
    let so = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, so)
        .await
        .expect("it becomes so");
}
