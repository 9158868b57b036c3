//! Registering for an event, and giving the registration back.

use serde_json::json;

use crate::harness::{App, evening, on_each_database};

on_each_database!(at crate::harness::evening::at(18, 0);
    a_registration_holds_seats_until_it_is_given_back,
    only_an_open_event_takes_registrations,
    seats_have_bounds,
);

async fn a_registration_holds_seats_until_it_is_given_back(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let who = json!({ "eventId": event, "patronId": ada });
    let seats = |seats: i32| json!({ "eventId": event, "patronId": ada, "seats": seats });

    let payload = owner
        .done(
            "register",
            "attendance { state seats registeredAt attended }",
            seats(3),
        )
        .await;
    let attendance = &payload["attendance"];
    assert_eq!(
        (
            &attendance["state"],
            &attendance["seats"],
            &attendance["attended"]
        ),
        (&json!("REGISTERED"), &json!(3), &json!(false))
    );
    assert_eq!(
        attendance["registeredAt"],
        evening::told(evening::at(18, 0))
    );
    assert_eq!(owner.counts(&event).await, [1, 3, 0, 0]);

    owner.done("register", "__typename", seats(5)).await;
    assert_eq!(owner.counts(&event).await, [1, 5, 0, 0]);
    let before = app.database.holdings().await;
    owner.done("register", "__typename", seats(5)).await;
    assert_eq!(
        app.database.holdings().await,
        before,
        "the same registration again changes nothing"
    );

    let payload = owner
        .done(
            "cancelRegistration",
            "attendance { state seats }",
            who.clone(),
        )
        .await;
    assert_eq!(payload["attendance"]["state"], "CANCELLED");
    assert_eq!(owner.counts(&event).await, [0, 0, 0, 0]);
    let before = app.database.holdings().await;
    assert_eq!(
        owner.refused("cancelRegistration", who.clone()).await,
        ["NOTHING_TO_UNDO input.patronId"]
    );
    assert_eq!(app.database.holdings().await, before);

    // Seats are one when none are named, and whoever came keeps one when the rest are given back.
    owner.done("register", "__typename", who.clone()).await;
    assert_eq!(owner.counts(&event).await, [1, 1, 0, 0]);
    owner.done("register", "__typename", seats(4)).await;
    assert_eq!(owner.check_in(&event, &ada).await, "CHECKED_IN");
    assert_eq!(owner.counts(&event).await, [1, 4, 1, 1]);
    let payload = owner
        .done("cancelRegistration", "attendance { state seats }", who)
        .await;
    assert_eq!(
        payload["attendance"],
        json!({ "state": "CHECKED_IN", "seats": 1 })
    );
    assert_eq!(owner.counts(&event).await, [0, 1, 1, 1]);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn only_an_open_event_takes_registrations(app: App) {
    let owner = app.owner("jazz").await;
    let ada = owner.patron("Ada").await;
    let input = |event: &str| json!({ "eventId": event, "patronId": ada });
    let refusal = ["EVENT_NOT_OPEN input.eventId"];

    let draft = owner.evening(json!({ "publish": false })).await;
    let cancelled = owner.evening(json!({})).await;
    owner
        .done("cancelEvent", "__typename", json!({ "eventId": cancelled }))
        .await;
    let closed = owner.evening(json!({})).await;
    owner
        .done("closeEvent", "__typename", json!({ "eventId": closed }))
        .await;
    let open = owner.evening(json!({})).await;
    let before = app.database.holdings().await;
    for event in [&draft, &cancelled, &closed] {
        assert_eq!(owner.refused("register", input(event)).await, refusal);
    }
    app.clock.set(evening::at(21, 1));
    assert_eq!(
        owner.refused("register", input(&open)).await,
        refusal,
        "it is over"
    );
    assert_eq!(app.database.holdings().await, before);
    app.clock.set(evening::at(21, 0));
    owner.done("register", "__typename", input(&open)).await;
    app.stop().await;
}

async fn seats_have_bounds(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let before = app.database.holdings().await;
    for seats in [i32::MIN, -1, 0, 51, i32::MAX] {
        let input = json!({ "eventId": event, "patronId": ada, "seats": seats });
        assert_eq!(
            owner.refused("register", input).await,
            ["INVALID input.seats"],
            "{seats}"
        );
    }
    assert_eq!(app.database.holdings().await, before);
    owner
        .done(
            "register",
            "__typename",
            json!({ "eventId": event, "patronId": ada, "seats": 50 }),
        )
        .await;
    app.stop().await;
}
