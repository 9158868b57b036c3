//! The server is killed in the middle of an evening, twice.

use serde_json::json;
use tokio::sync::watch;

use super::devices::{Devices, evening};
use crate::harness::{
    Backend, TestDatabase,
    listener::{Listener, assert_same, logged, now},
    process::Process,
};

const SCANS: usize = 5_000;
const DEVICES: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_on_sqlite() {
    nothing_acknowledged_is_lost(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_on_postgres() {
    nothing_acknowledged_is_lost(Backend::Postgres).await;
}

async fn nothing_acknowledged_is_lost(backend: Backend) {
    let Some(database) = TestDatabase::create(backend).await else {
        return;
    };
    let url = database.url();
    let start = || Process::start(&[("DATABASE_URL", &url)]);
    let mut process = start();
    let owner = process.anonymous().founder("kill").await;
    let events = [
        owner.event("Early", json!({ "attendancePoints": 5 })).await,
        owner.event("Late", json!({})).await,
    ];
    let patrons = owner.patrons(100).await;
    let scans = evening(
        &events,
        &patrons,
        SCANS,
        DEVICES,
        domain::Clock::system().now(),
    );
    let mut ids: Vec<String> = scans
        .iter()
        .flatten()
        .map(|scan| scan.id.to_string())
        .collect();
    ids.sort();

    let (address, moves) = watch::channel(process.url.clone());
    let listener = Listener::start(&owner, &moves, now(&owner, &events[0]).await);
    let mut devices = Devices::start(&owner, &moves, scans);
    for count in [SCANS / 5, SCANS * 3 / 5] {
        devices.acknowledged(count).await;
        process.kill();
        process = start();
        address.send_replace(process.url.clone());
    }
    devices.done().await;

    // Devices send again only what nobody acknowledged: what was lost would be missing here, and
    // what was kept twice would be there twice.
    assert_eq!(database.scan_ids().await, ids);
    database.must_be_consistent().await;
    let logged = logged(&database).await;
    assert!(logged.len() > SCANS / 2, "the evening changed something");
    assert_same(
        &listener.until(*logged.last().expect("a change")).await,
        &logged,
    );
    process.ask_to_stop();
    assert!(process.ended().await, "the server stops in good order");
}
