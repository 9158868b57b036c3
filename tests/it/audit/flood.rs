//! Whoever is denied things without end fills no disk.

use chrono::TimeDelta;
use serde_json::json;

use crate::harness::{App, on_each_database};

on_each_database!(at domain::Clock::system().now(); a_flood_of_denials_is_cut_off);

/// Ten in a minute are written down, of each person.
async fn a_flood_of_denials_is_cut_off(app: App) {
    let owner = app.owner("jazz").await;
    let (one, other) = (
        app.member(&owner, "viewer").await,
        app.member(&owner, "member").await,
    );
    let failures = "SELECT count(*) FROM audit_logs WHERE result = 'failure'";
    for _ in 0..25 {
        one.denied("createPatron", json!({ "firstName": "Eve" }))
            .await;
    }
    assert_eq!(app.database.number(failures).await, 10);
    other
        .denied("createPatron", json!({ "firstName": "Eve" }))
        .await;
    assert_eq!(app.database.number(failures).await, 11);
    app.clock.set(app.clock.now() + TimeDelta::seconds(60));
    one.denied("createPatron", json!({ "firstName": "Eve" }))
        .await;
    assert_eq!(app.database.number(failures).await, 12);
    app.database.must_be_consistent().await;
    app.stop().await;
}
