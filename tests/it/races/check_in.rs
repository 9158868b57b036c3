//! One patron, everybody's scanner.

use serde_json::json;

use super::tally;
use crate::harness::{
    App,
    door::{CHECK_IN, at_once},
    on_each_database,
};

on_each_database!(a_patron_whom_everybody_scans_at_once_arrives_once);

/// Requests, from this many clients with connections of their own.
const SCANS: usize = 200;
const CLIENTS: usize = 8;

async fn a_patron_whom_everybody_scans_at_once_arrives_once(app: App) {
    let owner = app.owner("door").await;
    let event = owner
        .event("Jazz night", json!({ "attendancePoints": 10 }))
        .await;
    let patron = owner.patron("Ada").await;
    let clients: Vec<_> = (0..CLIENTS).map(|_| owner.again()).collect();
    let answers = at_once((0..SCANS).map(|number| {
        let client = clients[number % CLIENTS].clone();
        let variables = json!({ "input": { "eventId": event, "patronId": patron } });
        async move { client.send(CHECK_IN, variables).await }
    }))
    .await;

    for answer in &answers {
        assert_eq!(answer.status, 200, "{:#}", answer.body);
        assert!(answer.body.get("errors").is_none(), "{:#}", answer.body);
    }
    let told = |pointer: &str| {
        tally(
            answers
                .iter()
                .map(|answer| answer.body.pointer(pointer).expect(pointer).to_string()),
        )
    };
    let outcomes = told("/data/checkIn/outcome");
    assert_eq!(outcomes.get("\"CHECKED_IN\""), Some(&1), "{outcomes:?}");
    assert_eq!(
        outcomes.get("\"ALREADY_CHECKED_IN\""),
        Some(&(SCANS - 1)),
        "{outcomes:?}"
    );
    // Whoever was late is told when the patron came in, and not when the late scan was made.
    assert_eq!(told("/data/checkIn/attendance/checkInTime").len(), 1);

    let query = "query($event: ID!, $patron: ID!) { event(id: $event) { checkedInCount insideCount } patron(id: $patron) { points } }";
    let data = owner
        .ok(query, json!({ "event": event, "patron": patron }))
        .await;
    assert_eq!(
        data,
        json!({ "event": { "checkedInCount": 1, "insideCount": 1 }, "patron": { "points": 10 } })
    );
    // Every scan is evidence and kept; one of them moved something.
    assert_eq!(app.database.scan_ids().await.len(), SCANS);
    assert_eq!(
        app.database
            .number("SELECT count(*) FROM changes WHERE kind = 'attendance.checked_in'")
            .await,
        1
    );
    assert_eq!(
        app.database
            .number("SELECT count(*) FROM loyalty_entries")
            .await,
        1
    );
    app.database.must_be_consistent().await;
    app.stop().await;
}
