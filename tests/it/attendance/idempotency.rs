//! A scan's id, made by the client, is good for one scan, for ever.

use serde_json::json;
use uuid::Uuid;

use crate::harness::{App, evening::at, on_each_database};

on_each_database!(at crate::harness::evening::at(19, 30);
    a_repeated_scan_is_answered_as_before,
    a_repeated_undoing_is_answered_as_before,
    an_id_is_not_for_two_scans,
    two_organizations_may_use_the_same_id,
    times_finer_than_a_microsecond_are_the_same_when_repeated,
);

async fn a_repeated_scan_is_answered_as_before(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let input = json!({ "eventId": event, "patronId": ada, "scanId": Uuid::now_v7(), "occurredAt": at(19, 0) });
    let first = owner.door("checkIn", input.clone()).await;
    assert_eq!(
        (&first["outcome"], &first["repeated"]),
        (&json!("CHECKED_IN"), &json!(false))
    );
    let before = app.database.holdings().await;
    // A week later, too: the event is over, its door closed.
    for now in [at(19, 31), at(23, 30)] {
        app.clock.set(now);
        let again = owner.door("checkIn", input.clone()).await;
        assert_eq!(
            (&again["outcome"], &again["repeated"]),
            (&json!("CHECKED_IN"), &json!(true))
        );
        assert_eq!(
            (&again["scan"], &again["attendance"]["id"]),
            (&first["scan"], &first["attendance"]["id"])
        );
    }
    // Without a time it is the same scan as well: there is nothing that contradicts it.
    let mut timeless = input.clone();
    timeless
        .as_object_mut()
        .expect("an object")
        .remove("occurredAt");
    assert_eq!(owner.door("checkIn", timeless).await["repeated"], true);
    assert_eq!(app.database.holdings().await, before, "nothing was written");
    app.stop().await;
}

async fn a_repeated_undoing_is_answered_as_before(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let mut scans = Vec::new();
    for time in [at(19, 0), at(19, 1)] {
        let input = json!({ "eventId": event, "patronId": ada, "occurredAt": time });
        scans.push(owner.door("checkIn", input).await["scan"]["id"].clone());
    }
    let undo = json!({ "eventId": event, "patronId": ada, "scanId": Uuid::now_v7(), "scanToRevert": scans[0] });
    assert_eq!(
        owner.door("revertCheckIn", undo.clone()).await["repeated"],
        false
    );
    let before = app.database.holdings().await;
    let again = owner.door("revertCheckIn", undo.clone()).await;
    assert_eq!(
        (&again["outcome"], &again["repeated"]),
        (&json!("REVERTED"), &json!(true))
    );
    let mut other = undo;
    other["scanToRevert"] = scans[1].clone();
    assert_eq!(
        owner.refused("revertCheckIn", other).await,
        ["IDEMPOTENCY_CONFLICT input.scanId"]
    );
    assert_eq!(app.database.holdings().await, before);
    assert_eq!(
        owner.counts(&event).await,
        [0, 1, 1, 1],
        "the second scan stands"
    );
    app.stop().await;
}

async fn an_id_is_not_for_two_scans(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let (other_event, bo) = (owner.evening(json!({})).await, owner.patron("Bo").await);
    let input = json!({ "eventId": event, "patronId": ada, "scanId": Uuid::now_v7(), "occurredAt": at(19, 0) });
    owner.door("checkIn", input.clone()).await;
    let before = app.database.holdings().await;
    for (name, value) in [
        ("eventId", json!(other_event)),
        ("patronId", json!(bo)),
        ("occurredAt", json!(at(19, 1))),
    ] {
        let mut other = input.clone();
        other[name] = value;
        assert_eq!(
            owner.refused("checkIn", other).await,
            ["IDEMPOTENCY_CONFLICT input.scanId"],
            "{name}"
        );
    }
    for field in ["checkOut", "revertCheckIn"] {
        let mut other = input.clone();
        if field == "revertCheckIn" {
            other
                .as_object_mut()
                .expect("an object")
                .remove("occurredAt");
        }
        assert_eq!(
            owner.refused(field, other).await,
            ["IDEMPOTENCY_CONFLICT input.scanId"],
            "{field}"
        );
    }
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}

async fn two_organizations_may_use_the_same_id(app: App) {
    let id = Uuid::now_v7();
    for name in ["jazz", "chess"] {
        let owner = app.owner(name).await;
        let (event, ada) = (owner.evening(json!({})).await, owner.patron("Ada").await);
        let payload = owner
            .door(
                "checkIn",
                json!({ "eventId": event, "patronId": ada, "scanId": id }),
            )
            .await;
        assert_eq!(
            (&payload["outcome"], &payload["repeated"]),
            (&json!("CHECKED_IN"), &json!(false))
        );
        assert_eq!(owner.counts(&event).await, [0, 1, 1, 1]);
    }
    assert_eq!(
        app.database
            .number("SELECT count(*) FROM attendance_scans")
            .await,
        2
    );
    app.stop().await;
}

/// Devices that count nanoseconds send more digits than are kept.
async fn times_finer_than_a_microsecond_are_the_same_when_repeated(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let input = json!({ "eventId": event, "patronId": ada, "scanId": Uuid::now_v7(), "occurredAt": "2026-03-01T19:00:00.123456789Z" });
    let first = owner.door("checkIn", input.clone()).await;
    let again = owner.door("checkIn", input).await;
    assert_eq!(again["errors"], json!([]));
    assert_eq!(
        (&again["repeated"], &again["scan"]),
        (&json!(true), &first["scan"])
    );
    app.stop().await;
}
