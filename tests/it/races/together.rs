//! Many doors of one organization at once: their scans are written together, and stay apart.

use serde_json::json;

use crate::harness::{
    App,
    door::{CHECK_IN, at_once},
    on_each_database,
};

on_each_database!(scans_that_are_written_together_keep_their_authors);

/// Scans of each of the two who may.
const SCANS: usize = 30;

async fn scans_that_are_written_together_keep_their_authors(app: App) {
    let owner = app.owner("together").await;
    let door = app.member(&owner, "checkin").await;
    let viewer = app.member(&owner, "viewer").await;
    let event = owner.event("Jazz night", json!({})).await;
    let patrons = owner.patrons(2 * SCANS).await;
    let stranger = app.owner("elsewhere").await.patron("Nobody").await;

    let scan = |client: &crate::harness::Client, patron: &String| {
        let client = client.again();
        let variables = json!({ "input": { "eventId": event, "patronId": patron } });
        async move { client.send(CHECK_IN, variables).await }
    };
    let mut scans = Vec::new();
    for (number, patron) in patrons.iter().enumerate() {
        scans.push(scan([&owner, &door][number % 2], patron));
        if number % 10 == 0 {
            scans.push(scan(&door, &stranger));
            scans.push(scan(&viewer, patron));
        }
    }
    let answers = at_once(scans).await;

    let told = |wanted: &str| {
        let answers = answers.iter().map(|answer| answer.body.to_string());
        answers.filter(|answer| answer.contains(wanted)).count()
    };
    assert_eq!(told("\"CHECKED_IN\""), 2 * SCANS);
    assert_eq!(told("\"NOT_FOUND\""), 2 * SCANS / 10);
    assert_eq!(told("\"FORBIDDEN\""), 2 * SCANS / 10);
    let count = async |sql: &str| app.database.number(sql).await;
    assert_eq!(count("SELECT count(*) FROM attendance_scans").await, 60);
    // Each scan, its change and its audit entry name the same person.
    let agreed = "SELECT count(*) FROM changes
        JOIN attendance_scans ON attendance_scans.patron_id = changes.patron_id AND attendance_scans.actor_id = changes.actor_id
        JOIN audit_logs ON audit_logs.sequence = changes.sequence AND audit_logs.organization_id = changes.organization_id
            AND audit_logs.actor_id = changes.actor_id AND audit_logs.target_id = changes.subject_id
        WHERE changes.kind = 'attendance.checked_in' AND audit_logs.changes = 1";
    assert_eq!(count(agreed).await, 60);
    let authors = "SELECT count(*) FROM (SELECT actor_id FROM changes
        WHERE kind = 'attendance.checked_in' GROUP BY actor_id HAVING count(*) = 30) AS authors";
    assert_eq!(count(authors).await, 2);
    // Those of one transaction are recorded at one moment.
    let moments =
        "SELECT count(DISTINCT recorded_at) FROM changes WHERE kind = 'attendance.checked_in'";
    assert!(count(moments).await < 60);
    app.database.must_be_consistent().await;
    app.stop().await;
}
