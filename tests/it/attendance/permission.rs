//! Who may register, and who stands at the door.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{App, Client, evening::at, on_each_database};

on_each_database!(at crate::harness::evening::at(19, 0);
    each_role_does_what_it_may_and_no_more,
    another_organizations_event_is_not_there,
    a_suspended_organization_is_only_read,
);

/// The five mutations, each with an input that is in order.
fn mutations(event: &str, patron: &str) -> Vec<(&'static str, Value)> {
    let who = json!({ "eventId": event, "patronId": patron });
    let scan = json!({ "id": Uuid::now_v7(), "eventId": event, "patronId": patron, "direction": "IN", "occurredAt": at(19, 0) });
    vec![
        ("register", who.clone()),
        ("cancelRegistration", who.clone()),
        ("checkIn", who.clone()),
        ("checkOut", who.clone()),
        ("revertCheckIn", who),
        ("recordScans", json!({ "scans": [scan] })),
    ]
}

async fn each_role_does_what_it_may_and_no_more(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    for (role, registers, records) in [
        ("admin", true, true),
        ("organizer", true, true),
        ("checkin", false, true),
        ("viewer", false, false),
        ("member", false, false),
    ] {
        let patron = owner.patron(role).await;
        let member = app.member(&owner, role).await;
        for (field, input) in mutations(&event, &patron) {
            let allowed = if matches!(field, "register" | "cancelRegistration") {
                registers
            } else {
                records
            };
            if allowed {
                member.done(field, "__typename", input).await;
            } else {
                let before = app.database.holdings().await;
                assert_eq!(
                    member.denied(field, input).await,
                    "FORBIDDEN",
                    "{role} {field}"
                );
                assert_eq!(app.database.holdings().await, before, "{role} {field}");
            }
        }
    }
    let patron = owner.patron("nobody").await;
    for (field, input) in mutations(&event, &patron) {
        assert_eq!(
            app.anonymous().denied(field, input).await,
            "UNAUTHENTICATED",
            "{field}"
        );
    }
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn another_organizations_event_is_not_there(app: App) {
    let (owner, foreigner) = (app.owner("jazz").await, app.owner("chess").await);
    let (event, patron) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let (own_event, own_patron) = (
        foreigner.evening(json!({})).await,
        foreigner.patron("Eve").await,
    );
    owner
        .done(
            "register",
            "__typename",
            json!({ "eventId": event, "patronId": patron }),
        )
        .await;
    let before = app.database.holdings().await;
    for (event, patron, path) in [
        (&event, &own_patron, "eventId"),
        (&own_event, &patron, "patronId"),
    ] {
        for (field, input) in mutations(event, patron) {
            let codes = in_place(&foreigner, field, input).await;
            let nothing = ["NOTHING_TO_UNDO input.patronId".to_owned()];
            let missing = format!("NOT_FOUND input.{path}");
            assert!(
                codes == nothing || codes[0].starts_with("NOT_FOUND") && codes[0].ends_with(path),
                "{field} {missing}: {codes:?}"
            );
        }
    }
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}

/// The refusals of a mutation, whether of the whole or of a batch's one scan.
async fn in_place(client: &Client, field: &str, input: Value) -> Vec<String> {
    if field != "recordScans" {
        return client.refused(field, input).await;
    }
    let payload = client
        .done(field, "results { error { code path } }", input)
        .await;
    let error = &payload["results"][0]["error"];
    vec![format!(
        "{} input.{}",
        error["code"].as_str().expect("a code"),
        error["path"][3].as_str().expect("a path")
    )]
}

async fn a_suspended_organization_is_only_read(app: App) {
    let owner = app.owner("jazz").await;
    let (event, patron) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    app.database
        .look("UPDATE organizations SET status = 'suspended'")
        .await;
    let before = app.database.holdings().await;
    for (field, input) in mutations(&event, &patron) {
        assert_eq!(
            owner.refused(field, input).await,
            ["ORGANIZATION_INACTIVE "],
            "{field}"
        );
    }
    assert_eq!(app.database.holdings().await, before);
    assert_eq!(owner.counts(&event).await, [0, 0, 0, 0]);
    app.database
        .look("UPDATE organizations SET status = 'active'")
        .await;
    assert_eq!(owner.check_in(&event, &patron).await, "CHECKED_IN");
    app.stop().await;
}
