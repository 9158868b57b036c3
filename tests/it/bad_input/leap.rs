//! Leap seconds, which clients may send and no database keeps: each is the full second after it.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{App, evening::at, on_each_database};

on_each_database!(at crate::harness::evening::at(18, 0);
    an_event_may_begin_and_end_in_one,
    a_scan_in_one_is_the_same_when_it_comes_again,
    a_list_is_asked_for_by_one,
);

const TIMES: &str = "event { id startsAt endsAt checkInOpensAt checkInClosesAt }";

async fn an_event_may_begin_and_end_in_one(app: App) {
    let owner = app.owner("leap").await;
    let event =
        |starts: &str, ends: &str| json!({ "title": "Leap", "startsAt": starts, "endsAt": ends });
    let before = app.database.holdings().await;
    for starts in ["2026-12-31T23:59:60Z", "2026-12-31T23:59:60.5Z"] {
        let input = event(starts, "2027-01-01T00:00:00Z");
        assert_eq!(
            owner.refused("createEvent", input).await,
            ["INVALID input.endsAt"],
            "{starts}"
        );
    }
    assert_eq!(app.database.holdings().await, before);
    let mut input = event("2026-12-31T23:59:60Z", "2027-01-01T01:59:60.999Z");
    input["checkInOpensAt"] = json!("2026-12-31T22:59:60Z");
    input["checkInClosesAt"] = json!("2027-01-01T03:59:60+01:00");
    let payload = owner.done("createEvent", TIMES, input).await;
    let expected = json!({
        "id": payload["event"]["id"], "startsAt": "2027-01-01T00:00:00+00:00", "endsAt": "2027-01-01T02:00:00+00:00",
        "checkInOpensAt": "2026-12-31T23:00:00+00:00", "checkInClosesAt": "2027-01-01T03:00:00+00:00",
    });
    assert_eq!(payload["event"], expected);
    let update = json!({
        "eventId": expected["id"], "startsAt": "2027-01-01T00:59:60Z", "endsAt": "2027-01-01T01:00:00Z",
    });
    assert_eq!(
        owner.refused("updateEvent", update).await,
        ["INVALID input.endsAt"]
    );
    app.stop().await;
}

async fn a_scan_in_one_is_the_same_when_it_comes_again(app: App) {
    let owner = app.owner("leap").await;
    let (event, patron) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let time = at(18, 0);
    let input = json!({
        "eventId": event, "patronId": patron, "scanId": Uuid::now_v7(),
        "occurredAt": time.format("%Y-%m-%dT17:59:60Z").to_string(),
    });
    let first = owner
        .done("checkIn", "outcome scan { occurredAt }", input.clone())
        .await;
    assert_eq!(first["scan"]["occurredAt"], json!(time.to_rfc3339()));
    let again = owner
        .done(
            "checkIn",
            "repeated outcome scan { occurredAt }",
            input.clone(),
        )
        .await;
    assert_eq!(again["repeated"], true);
    assert_eq!(again["scan"], first["scan"]);
    // In a batch, and as the second that it is, it is the same scan.
    for occurred in [input["occurredAt"].clone(), json!(time)] {
        let scan = json!({
            "id": input["scanId"], "eventId": event, "patronId": patron, "direction": "IN", "occurredAt": occurred,
        });
        let selection = "results { outcome error { code } }";
        let payload = owner
            .done("recordScans", selection, json!({ "scans": [scan] }))
            .await;
        assert_eq!(payload["results"][0]["error"], Value::Null, "{payload}");
    }
    assert_eq!(app.database.scan_ids().await.len(), 1);
    app.stop().await;
}

async fn a_list_is_asked_for_by_one(app: App) {
    let owner = app.owner("leap").await;
    owner
        .event(
            "Morning",
            json!({ "startsAt": "2026-05-01T10:00:00Z", "endsAt": "2026-05-01T11:00:00Z" }),
        )
        .await;
    for (filter, count) in [
        (json!({ "from": "2026-05-01T09:59:60Z" }), 1),
        (json!({ "until": "2026-05-01T09:59:60Z" }), 0),
    ] {
        let data = owner
            .ok(
                "query($filter: EventFilter) { events(filter: $filter) { totalCount } }",
                json!({ "filter": filter }),
            )
            .await;
        assert_eq!(data["events"]["totalCount"], count, "{filter}");
    }
    // In the document's own text, too.
    let text = r#"{ events(filter: { from: "2026-05-01T09:59:60Z" }) { totalCount } }"#;
    assert_eq!(owner.ok(text, json!({})).await["events"]["totalCount"], 1);
    app.stop().await;
}

/// A time that comes in is a `Time`, which knows leap seconds, and never a bare `DateTime`.
#[test]
fn every_time_comes_in_the_same_way() {
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/api/src");
    let mut folders = vec![std::path::PathBuf::from(sources)];
    let mut inputs = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a file");
            for (start, _) in text.match_indices("InputObject)]") {
                let body = text[start..].split("\n}").next().unwrap_or_default();
                assert!(!body.contains("DateTime<"), "{}: {body}", path.display());
                inputs += 1;
            }
        }
    }
    assert!(inputs > 20, "only {inputs} inputs were found");
}
