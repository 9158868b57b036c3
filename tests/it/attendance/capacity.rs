//! What a full event does, by its policy.

use serde_json::json;

use crate::harness::{App, on_each_database};

on_each_database!(at crate::harness::evening::at(19, 0);
    advisory_lets_everybody_in,
    seats_are_given_once,
    occupancy_counts_who_is_inside,
    a_closed_hand_on_the_policy_later,
);

async fn advisory_lets_everybody_in(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({ "capacity": 1 })).await;
    let patrons = owner.patrons(3).await;
    owner
        .done(
            "register",
            "__typename",
            json!({ "eventId": event, "patronId": patrons[0], "seats": 9 }),
        )
        .await;
    for patron in &patrons {
        assert_eq!(owner.check_in(&event, patron).await, "CHECKED_IN");
    }
    assert_eq!(owner.counts(&event).await, [1, 11, 3, 3]);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn seats_are_given_once(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner
        .evening(json!({ "capacity": 3, "capacityPolicy": "SEATS" }))
        .await;
    let [ada, bo, cy, di] = &owner.patrons(4).await[..] else {
        panic!()
    };
    let register =
        |patron: &str, seats: i32| json!({ "eventId": event, "patronId": patron, "seats": seats });
    let full = ["CAPACITY_REACHED input.seats"];

    owner.done("register", "__typename", register(ada, 2)).await;
    assert_eq!(owner.refused("register", register(bo, 2)).await, full);
    assert_eq!(
        owner.refused("register", register(ada, 4)).await,
        full,
        "nor a larger party"
    );
    owner.done("register", "__typename", register(bo, 1)).await;
    assert_eq!(owner.counts(&event).await, [2, 3, 0, 0]);

    // Whoever holds a seat comes in; a walk-in does not, and the door keeps the scan.
    assert_eq!(owner.check_in(&event, ada).await, "CHECKED_IN");
    let turned_away = owner
        .door("checkIn", json!({ "eventId": event, "patronId": cy }))
        .await;
    assert_eq!(turned_away["outcome"], "CAPACITY_REACHED");
    assert_eq!(
        (&turned_away["attendance"], &turned_away["errors"]),
        (&json!(null), &json!([]))
    );
    assert_eq!(owner.counts(&event).await, [2, 3, 1, 1]);
    assert_eq!(
        app.database
            .number("SELECT count(*) FROM attendance_scans")
            .await,
        2
    );

    // A seat given back is the next one's.
    owner
        .done(
            "cancelRegistration",
            "__typename",
            json!({ "eventId": event, "patronId": bo }),
        )
        .await;
    assert_eq!(owner.check_in(&event, cy).await, "CHECKED_IN");
    assert_eq!(owner.check_in(&event, di).await, "CAPACITY_REACHED");
    // So is that of a walk-in who was never there, though not of one who left.
    owner
        .door("checkOut", json!({ "eventId": event, "patronId": cy }))
        .await;
    assert_eq!(owner.check_in(&event, di).await, "CAPACITY_REACHED");
    for _ in 0..2 {
        owner
            .door("revertCheckIn", json!({ "eventId": event, "patronId": cy }))
            .await;
    }
    assert_eq!(owner.check_in(&event, di).await, "CHECKED_IN");
    assert_eq!(owner.counts(&event).await, [1, 3, 2, 2]);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn occupancy_counts_who_is_inside(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner
        .evening(json!({ "capacity": 2, "capacityPolicy": "OCCUPANCY" }))
        .await;
    let [ada, bo, cy] = &owner.patrons(3).await[..] else {
        panic!()
    };
    // Registrations are not counted by this policy.
    owner
        .done(
            "register",
            "__typename",
            json!({ "eventId": event, "patronId": cy, "seats": 9 }),
        )
        .await;
    assert_eq!(owner.check_in(&event, ada).await, "CHECKED_IN");
    assert_eq!(owner.check_in(&event, bo).await, "CHECKED_IN");
    assert_eq!(owner.check_in(&event, cy).await, "CAPACITY_REACHED");
    assert_eq!(owner.check_in(&event, ada).await, "ALREADY_CHECKED_IN");
    owner
        .door("checkOut", json!({ "eventId": event, "patronId": ada }))
        .await;
    assert_eq!(owner.check_in(&event, cy).await, "CHECKED_IN");
    assert_eq!(
        owner.check_in(&event, ada).await,
        "CAPACITY_REACHED",
        "who left has to wait"
    );
    assert_eq!(owner.counts(&event).await, [1, 11, 3, 2]);
    app.database.must_be_consistent().await;
    app.stop().await;
}

/// A policy that is set, or tightened, while people are inside turns nobody out and breaks nothing.
async fn a_closed_hand_on_the_policy_later(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    let [ada, bo, cy] = &owner.patrons(3).await[..] else {
        panic!()
    };
    for patron in [ada, bo] {
        assert_eq!(owner.check_in(&event, patron).await, "CHECKED_IN");
    }
    let tighten = json!({ "eventId": event, "capacity": 1, "capacityPolicy": "SEATS" });
    owner.done("updateEvent", "__typename", tighten).await;
    assert_eq!(owner.check_in(&event, cy).await, "CAPACITY_REACHED");
    owner
        .door("checkOut", json!({ "eventId": event, "patronId": ada }))
        .await;
    assert_eq!(owner.check_in(&event, ada).await, "REENTRY");
    assert_eq!(owner.counts(&event).await, [0, 2, 2, 2]);
    owner
        .done(
            "updateEvent",
            "__typename",
            json!({ "eventId": event, "capacity": null }),
        )
        .await;
    assert_eq!(owner.check_in(&event, cy).await, "CHECKED_IN");
    app.database.must_be_consistent().await;
    app.stop().await;
}
