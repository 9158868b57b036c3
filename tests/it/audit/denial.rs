//! What somebody was denied is in the audit log, too.

use serde_json::{Value, json};

use super::{entries, told};
use crate::harness::{App, on_each_database};

on_each_database!(
    what_is_denied_is_written_down_and_changes_nothing,
    an_organization_that_can_only_be_read_says_who_tried,
    what_is_refused_or_read_is_no_denial,
);

async fn what_is_denied_is_written_down_and_changes_nothing(app: App) {
    let owner = app.owner("jazz").await;
    let (event, patron) = (
        owner.event("Evening", json!({})).await,
        owner.patron("Ada").await,
    );
    let viewer = app.member(&owner, "viewer").await;
    let before = app.database.holdings().await;
    let sequence = "SELECT last_sequence FROM change_counters";
    let end = app.database.number(sequence).await;
    for (field, input) in [
        ("createPatron", json!({ "firstName": "Eve" })),
        // Single scans are written by others.
        ("checkIn", json!({ "eventId": event, "patronId": patron })),
        (
            "addMember",
            json!({ "email": "eve@example.org", "role": "owner" }),
        ),
    ] {
        assert_eq!(viewer.denied(field, input).await, "FORBIDDEN");
    }
    assert_eq!(app.database.holdings().await, before);
    assert_eq!(app.database.number(sequence).await, end);
    let filter = json!({ "result": "FAILURE" });
    let fields = "eventType reason action targetId changes address actorId";
    let told = entries(&owner, filter, fields).await;
    let who =
        viewer.ok("{ viewer { user { id } } }", json!({})).await["viewer"]["user"]["id"].clone();
    let denied = |permission: &str| {
        json!({ "eventType": permission, "reason": "FORBIDDEN", "action": null, "targetId": null, "changes": 0,
            "address": "127.0.0.1", "actorId": who })
    };
    assert_eq!(
        told,
        [
            denied("members:create"),
            denied("attendance:record"),
            denied("patrons:create")
        ]
    );
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn an_organization_that_can_only_be_read_says_who_tried(app: App) {
    let owner = app.owner("jazz").await;
    app.database
        .look("UPDATE organizations SET status = 'suspended'")
        .await;
    assert_eq!(
        owner
            .refused("createPatron", json!({ "firstName": "Ada" }))
            .await,
        ["ORGANIZATION_INACTIVE "]
    );
    let told = entries(&owner, json!({ "result": "FAILURE" }), "eventType reason").await;
    assert_eq!(
        told,
        [json!({ "eventType": "patrons:create", "reason": "ORGANIZATION_INACTIVE" })]
    );
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn what_is_refused_or_read_is_no_denial(app: App) {
    let owner = app.owner("jazz").await;
    let door = app.member(&owner, "checkin").await;
    owner
        .refused("createPatron", json!({ "firstName": "" }))
        .await;
    let answer = door.send("{ members { nodes { id } } }", json!({})).await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    let failures = told(&owner, json!({ "result": "FAILURE" }), "eventType").await;
    assert_eq!(failures, Vec::<Value>::new());
    app.stop().await;
}
