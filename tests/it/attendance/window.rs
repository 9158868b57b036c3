//! Which scans an event takes, by when they happened.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{
    App, Client,
    evening::{at, told},
    on_each_database,
};

on_each_database!(at crate::harness::evening::at(16, 0);
    the_door_is_judged_by_the_scans_own_time,
    only_a_published_event_lets_anybody_in,
    a_late_report_turns_a_no_show_into_a_visit,
    a_device_ahead_of_time_is_set_right,
);

async fn report(client: &Client, event: &str, patron: &str, time: DateTime<Utc>) -> Value {
    let input = json!({ "eventId": event, "patronId": patron, "occurredAt": time });
    client.door("checkIn", input).await
}

async fn the_door_is_judged_by_the_scans_own_time(app: App) {
    let (second, day) = (TimeDelta::seconds(1), TimeDelta::days(1));
    let (opens, closes) = (at(17, 0), at(23, 0));
    // Signed in at the end of this story, so that the session lasts until then.
    app.clock.set(closes + day * 30);
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    app.clock.set(closes + day);
    for (time, outcome) in [
        (opens - second, "OUTSIDE_WINDOW"),
        (opens, "CHECKED_IN"),
        (closes, "CHECKED_IN"),
        (closes + second, "OUTSIDE_WINDOW"),
    ] {
        let patron = owner.patron("Ada").await;
        let payload = report(&owner, &event, &patron, time).await;
        assert_eq!(payload["outcome"], outcome, "{time}");
        assert_eq!(payload["attendance"].is_null(), outcome == "OUTSIDE_WINDOW");
    }
    assert_eq!(owner.counts(&event).await, [0, 2, 2, 2]);

    // Reports are taken for 30 days after the door closed, to the moment.
    for (now, outcome) in [
        (closes + day * 30, "CHECKED_IN"),
        (closes + day * 30 + second, "OUTSIDE_WINDOW"),
    ] {
        app.clock.set(now);
        let patron = owner.patron("Bo").await;
        assert_eq!(
            report(&owner, &event, &patron, at(19, 0)).await["outcome"],
            outcome,
            "{now}"
        );
    }
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn only_a_published_event_lets_anybody_in(app: App) {
    let owner = app.owner("jazz").await;
    let ada = owner.patron("Ada").await;
    let draft = owner.evening(json!({ "publish": false })).await;
    app.clock.set(at(19, 30));
    let payload = report(&owner, &draft, &ada, at(19, 0)).await;
    assert_eq!(
        (&payload["outcome"], &payload["attendance"]),
        (&json!("EVENT_NOT_PUBLISHED"), &json!(null))
    );
    owner
        .done("publishEvent", "__typename", json!({ "eventId": draft }))
        .await;
    assert_eq!(
        report(&owner, &draft, &ada, at(19, 1)).await["outcome"],
        "CHECKED_IN"
    );
    owner
        .done("cancelEvent", "__typename", json!({ "eventId": draft }))
        .await;
    assert_eq!(
        report(&owner, &draft, &ada, at(19, 2)).await["outcome"],
        "EVENT_CANCELLED"
    );
    assert_eq!(
        owner.counts(&draft).await,
        [0, 1, 1, 1],
        "who was inside was"
    );

    let closed = owner.evening(json!({})).await;
    owner
        .done("closeEvent", "__typename", json!({ "eventId": closed }))
        .await;
    app.clock.set(at(20, 0));
    assert_eq!(
        report(&owner, &closed, &ada, at(19, 31)).await["outcome"],
        "OUTSIDE_WINDOW"
    );
    assert_eq!(
        report(&owner, &closed, &ada, at(19, 30)).await["outcome"],
        "CHECKED_IN",
        "before it was closed"
    );
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn a_late_report_turns_a_no_show_into_a_visit(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    for name in ["Ada", "Bo"] {
        let patron = owner.patron(name).await;
        owner
            .done(
                "register",
                "__typename",
                json!({ "eventId": event, "patronId": patron }),
            )
            .await;
        app.clock.set(at(21, 0));
        assert!(
            owner
                .states(&event)
                .await
                .contains(&format!("{name} REGISTERED")),
            "until the very end"
        );
        app.clock.set(at(18, 0));
    }
    app.clock.set(at(21, 0) + TimeDelta::microseconds(1));
    assert_eq!(owner.states(&event).await, ["Ada NO_SHOW", "Bo NO_SHOW"]);
    app.clock.set(at(18, 0));
    owner
        .done("closeEvent", "__typename", json!({ "eventId": event }))
        .await;
    assert_eq!(
        owner.states(&event).await,
        ["Ada NO_SHOW", "Bo NO_SHOW"],
        "closing is the end, too"
    );

    app.clock.set(at(23, 59));
    let query = "query { patrons(search: \"Ada\") { nodes { id } } }";
    let ada = owner.ok(query, json!({})).await["patrons"]["nodes"][0]["id"].clone();
    let payload = report(&owner, &event, ada.as_str().expect("an id"), at(17, 45)).await;
    assert_eq!(
        (&payload["outcome"], &payload["attendance"]["state"]),
        (&json!("CHECKED_IN"), &json!("CHECKED_IN"))
    );
    assert_eq!(owner.states(&event).await, ["Ada CHECKED_IN", "Bo NO_SHOW"]);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn a_device_ahead_of_time_is_set_right(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    app.clock.set(at(19, 0));
    for (claimed, kept) in [
        (at(19, 5), at(19, 5)),
        (at(19, 5) + TimeDelta::microseconds(1), at(19, 0)),
        (at(19, 0) + TimeDelta::days(365), at(19, 0)),
    ] {
        let patron = owner.patron("Ada").await;
        let payload = report(&owner, &event, &patron, claimed).await;
        assert_eq!(payload["outcome"], "CHECKED_IN", "{claimed}");
        assert_eq!(payload["scan"]["occurredAt"], told(kept), "{claimed}");
        assert_eq!(
            payload["attendance"]["checkInTime"],
            told(kept),
            "{claimed}"
        );
    }
    app.stop().await;
}
