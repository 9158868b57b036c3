//! In, out, in again, and undone.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    App,
    evening::{at, told},
    on_each_database,
};

on_each_database!(at crate::harness::evening::at(22, 0);
    in_out_and_in_again,
    an_undone_scan_never_happened,
    an_arrival_scanned_twice_is_undone_at_once,
    a_chosen_scan_is_undone,
    late_news_finds_its_place,
    two_doors_let_one_person_in_once,
);

async fn in_out_and_in_again(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let scan = |time: DateTime<Utc>| json!({ "eventId": event, "patronId": ada, "occurredAt": time, "device": " Door 1 ", "method": "CODE" });
    let mut seen = Vec::new();
    for (field, time) in [
        ("checkOut", at(18, 50)),
        ("checkIn", at(19, 0)),
        ("checkIn", at(19, 5)),
        ("checkOut", at(19, 30)),
        ("checkOut", at(19, 40)),
        ("checkIn", at(20, 0)),
        ("checkOut", at(20, 45)),
    ] {
        let payload = owner.door(field, scan(time)).await;
        assert_eq!(payload["scan"]["occurredAt"], told(time));
        assert_eq!(
            (&payload["scan"]["device"], &payload["repeated"]),
            (&json!("Door 1"), &json!(false))
        );
        let attendance = &payload["attendance"];
        seen.push(json!([
            payload["outcome"],
            attendance["state"],
            attendance["checkInTime"],
            attendance["checkOutTime"],
            attendance["secondsPresent"]
        ]));
    }
    let expected = [
        json!(["NOT_CHECKED_IN", null, null, null, null]),
        json!(["CHECKED_IN", "CHECKED_IN", told(at(19, 0)), null, 0]),
        json!(["ALREADY_CHECKED_IN", "CHECKED_IN", told(at(19, 0)), null, 0]),
        json!([
            "CHECKED_OUT",
            "CHECKED_OUT",
            told(at(19, 0)),
            told(at(19, 30)),
            1800
        ]),
        json!([
            "NOT_CHECKED_IN",
            "CHECKED_OUT",
            told(at(19, 0)),
            told(at(19, 30)),
            1800
        ]),
        json!(["REENTRY", "CHECKED_IN", told(at(19, 0)), null, 1800]),
        json!([
            "CHECKED_OUT",
            "CHECKED_OUT",
            told(at(19, 0)),
            told(at(20, 45)),
            4500
        ]),
    ];
    assert_eq!(seen, expected);
    assert_eq!(owner.counts(&event).await, [0, 1, 1, 0]);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn an_undone_scan_never_happened(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let who = json!({ "eventId": event, "patronId": ada });
    let nothing = ["NOTHING_TO_UNDO input.patronId"];
    assert_eq!(owner.refused("revertCheckIn", who.clone()).await, nothing);

    assert_eq!(owner.check_in(&event, &ada).await, "CHECKED_IN");
    owner.door("checkOut", who.clone()).await;
    // The latest that counts goes first: the exit, then the entry.
    let undone = owner
        .door(
            "revertCheckIn",
            json!({ "eventId": event, "patronId": ada, "reason": "Wrong twin" }),
        )
        .await;
    assert_eq!(
        (&undone["outcome"], &undone["attendance"]["state"]),
        (&json!("REVERTED"), &json!("CHECKED_IN"))
    );
    assert_eq!(undone["scan"]["direction"], "REVERT");
    assert_eq!(owner.counts(&event).await, [0, 1, 1, 1]);
    let undone = owner.door("revertCheckIn", who.clone()).await;
    assert_eq!(
        (
            &undone["attendance"]["state"],
            &undone["attendance"]["checkInTime"]
        ),
        (&json!("CANCELLED"), &json!(null))
    );
    assert_eq!(owner.counts(&event).await, [0, 0, 0, 0]);
    let before = app.database.holdings().await;
    assert_eq!(owner.refused("revertCheckIn", who.clone()).await, nothing);
    assert_eq!(app.database.holdings().await, before);
    assert_eq!(owner.check_in(&event, &ada).await, "CHECKED_IN");
    assert_eq!(owner.counts(&event).await, [0, 1, 1, 1]);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn an_arrival_scanned_twice_is_undone_at_once(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let who = json!({ "eventId": event, "patronId": ada });
    for outcome in ["CHECKED_IN", "ALREADY_CHECKED_IN", "ALREADY_CHECKED_IN"] {
        assert_eq!(owner.check_in(&event, &ada).await, outcome);
    }
    let undone = owner.door("revertCheckIn", who.clone()).await;
    assert_eq!(undone["attendance"]["state"], "CANCELLED");
    assert_eq!(owner.counts(&event).await, [0, 0, 0, 0]);
    let nothing = ["NOTHING_TO_UNDO input.patronId"];
    assert_eq!(owner.refused("revertCheckIn", who.clone()).await, nothing);
    // And an exit, without the entry before it.
    owner.check_in(&event, &ada).await;
    owner.door("checkOut", who.clone()).await;
    owner.door("checkOut", who.clone()).await;
    let undone = owner.door("revertCheckIn", who.clone()).await;
    assert_eq!(undone["attendance"]["state"], "CHECKED_IN");
    assert_eq!(owner.counts(&event).await, [0, 1, 1, 1]);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn a_chosen_scan_is_undone(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let bo = owner.patron("Bo").await;
    let scan =
        |time: DateTime<Utc>| json!({ "eventId": event, "patronId": ada, "occurredAt": time });
    let first = owner.door("checkIn", scan(at(19, 0))).await["scan"]["id"].clone();
    owner.door("checkIn", scan(at(19, 10))).await;
    let undo = |patron: &str, scan: &Value| json!({ "eventId": event, "patronId": patron, "scanToRevert": scan });

    // Somebody else's scan, and one that nobody made, are not to be undone here.
    let before = app.database.holdings().await;
    for (patron, scan) in [(&bo, &first), (&ada, &json!(Uuid::now_v7()))] {
        assert_eq!(
            owner.refused("revertCheckIn", undo(patron, scan)).await,
            ["NOTHING_TO_UNDO input.scanToRevert"]
        );
    }
    assert_eq!(
        owner
            .refused("revertCheckIn", undo(&ada, &json!("first")))
            .await,
        ["INVALID_ID input.scanToRevert"]
    );
    assert_eq!(app.database.holdings().await, before);

    // Without the first the second, a repeat until now, is the arrival.
    let undone = owner.door("revertCheckIn", undo(&ada, &first)).await;
    assert_eq!(undone["attendance"]["checkInTime"], told(at(19, 10)));
    assert_eq!(
        owner.refused("revertCheckIn", undo(&ada, &first)).await,
        ["NOTHING_TO_UNDO input.scanToRevert"]
    );
    assert_eq!(owner.counts(&event).await, [0, 1, 1, 1]);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn late_news_finds_its_place(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let scan =
        |time: DateTime<Utc>| json!({ "eventId": event, "patronId": ada, "occurredAt": time });
    owner.door("checkOut", scan(at(20, 0))).await;
    let payload = owner.door("checkIn", scan(at(19, 0))).await;
    assert_eq!(payload["outcome"], "CHECKED_IN");
    let attendance = &payload["attendance"];
    assert_eq!(
        json!([
            attendance["state"],
            attendance["checkInTime"],
            attendance["checkOutTime"],
            attendance["secondsPresent"]
        ]),
        json!(["CHECKED_OUT", told(at(19, 0)), told(at(20, 0)), 3600])
    );
    app.database.must_be_consistent().await;
    app.stop().await;
}

/// Two devices that were both offline: the earlier entry is the arrival, whichever came first here.
async fn two_doors_let_one_person_in_once(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    for times in [[at(19, 0), at(19, 7)], [at(19, 7), at(19, 0)]] {
        let patron = owner.patron("Twin").await;
        let mut outcomes = Vec::new();
        for time in times {
            let input = json!({ "eventId": event, "patronId": patron, "occurredAt": time });
            let payload = owner.door("checkIn", input).await;
            outcomes.push(payload["outcome"].as_str().expect("an outcome").to_owned());
            if time == times[1] {
                assert_eq!(payload["attendance"]["checkInTime"], told(at(19, 0)));
            }
        }
        assert_eq!(outcomes, ["CHECKED_IN", "ALREADY_CHECKED_IN"]);
    }
    assert_eq!(owner.counts(&event).await, [0, 2, 2, 2]);
    app.database.must_be_consistent().await;
    app.stop().await;
}
