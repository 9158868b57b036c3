//! PostgreSQL is killed under load, and later stopped: a server of the test's own, on both counts.

use std::time::Duration;

use serde_json::json;
use tokio::{sync::watch, time::timeout};

use super::devices::{Devices, evening};
use crate::harness::{
    Client, TestDatabase,
    door::CHECK_IN,
    listener::{Listener, assert_same, logged, now},
    process::Process,
    services::PostgresServer,
};

const SCANS: usize = 1_500;
/// How long a request may be left without an answer while the database is away, on a slow machine:
/// a turn to write and a connection are waited for, and neither for ever.
const BOUND: Duration = Duration::from_secs(20);
const READ: &str = "query($id: ID!) { event(id: $id) { checkedInCount } }";

#[tokio::test(flavor = "multi_thread")]
async fn requests_fail_cleanly_while_postgres_is_away_and_recover_by_themselves() {
    let Some(server) = PostgresServer::start().await else {
        return;
    };
    let database = TestDatabase::on(&server).await;
    let process = Process::start(&[("DATABASE_URL", &database.url())]);
    let owner = process.anonymous().founder("away").await;
    let event = owner
        .event("Jazz night", json!({ "attendancePoints": 5 }))
        .await;
    let patrons = owner.patrons(60).await;
    let scans = evening(
        std::slice::from_ref(&event),
        &patrons,
        SCANS,
        5,
        domain::Clock::system().now(),
    );
    let mut ids: Vec<String> = scans
        .iter()
        .flatten()
        .map(|scan| scan.id.to_string())
        .collect();
    ids.sort();

    // The one instance is never restarted, so its address never changes.
    let (_address, moves) = watch::channel(process.url.clone());
    let listener = Listener::start(&owner, &moves, now(&owner, &event).await);
    let mut devices = Devices::start(&owner, &moves, scans);
    let readers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(read_on(owner.again(), event.clone())))
        .collect();
    for (round, count) in [SCANS / 4, SCANS / 2].into_iter().enumerate() {
        devices.acknowledged(count).await;
        if round == 0 {
            server.kill();
        } else {
            server.stop();
        }
        is_unavailable(&owner, READ, json!({ "id": event })).await;
        is_unavailable(
            &owner,
            CHECK_IN,
            json!({ "input": { "eventId": event, "patronId": patrons[0] } }),
        )
        .await;
        server.up().await;
    }
    timeout(Duration::from_mins(1), devices.done())
        .await
        .expect("everything is acknowledged in the end");
    for reader in readers {
        reader.abort();
        if let Err(failed) = reader.await {
            assert!(failed.is_cancelled(), "{failed}");
        }
    }

    assert_eq!(database.scan_ids().await, ids);
    database.must_be_consistent().await;
    let logged = logged(&database).await;
    assert_same(
        &listener.until(*logged.last().expect("a change")).await,
        &logged,
    );
    drop(process);
}

async fn is_unavailable(client: &Client, operation: &str, variables: serde_json::Value) {
    let answer = timeout(BOUND, client.send(operation, variables))
        .await
        .expect("an answer in time");
    assert_eq!(
        (answer.status, answer.codes()),
        (503, vec!["UNAVAILABLE".to_owned()]),
        "{:#}",
        answer.body
    );
}

/// Reads again and again, and meets nothing but an answer or a refusal that says to try again.
async fn read_on(client: Client, event: String) {
    loop {
        let answer = timeout(BOUND, client.send(READ, json!({ "id": event })))
            .await
            .expect("an answer in time");
        let codes = answer.codes();
        assert!(
            codes.is_empty() || codes == ["UNAVAILABLE"],
            "{:#}",
            answer.body
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
