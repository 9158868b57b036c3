//! Points and tiers.

use serde_json::{Value, json};

use crate::harness::{App, Client, on_each_database};

on_each_database!(
    an_attendance_earns_once_and_its_undoing_takes_that_back,
    what_is_taken_back_is_what_was_given,
    tiers_begin_at_their_thresholds,
    the_longest_title_earns_too,
    who_may_not_see_points_sees_the_rest,
);

/// Points, tier, and the ledger as `KIND points`, newest first.
async fn account(client: &Client, patron: &str) -> (i64, String, Vec<String>) {
    let query = "query($id: ID!) { patron(id: $id) { points tier loyaltyEntries(first: 100) { nodes { kind points reason } } } }";
    let data = client.ok(query, json!({ "id": patron })).await;
    let patron = &data["patron"];
    let entries = patron["loyaltyEntries"]["nodes"]
        .as_array()
        .expect("entries");
    let sum: i64 = entries
        .iter()
        .filter_map(|entry| entry["points"].as_i64())
        .sum();
    assert_eq!(patron["points"], sum, "the balance is the ledger's sum");
    let entry = |entry: &Value| {
        format!(
            "{} {}",
            entry["kind"].as_str().expect("a kind"),
            entry["points"]
        )
    };
    (
        sum,
        patron["tier"].as_str().expect("a tier").to_owned(),
        entries.iter().map(entry).collect(),
    )
}

async fn undo(client: &Client, event: &str, patron: &str) {
    client
        .done(
            "revertCheckIn",
            "__typename",
            json!({ "eventId": event, "patronId": patron }),
        )
        .await;
}

async fn an_attendance_earns_once_and_its_undoing_takes_that_back(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (
        owner
            .event("Night", json!({ "attendancePoints": 25 }))
            .await,
        owner.patron("Ada").await,
    );
    let who = json!({ "eventId": event, "patronId": ada });
    owner.done("register", "__typename", who.clone()).await;
    assert_eq!(
        account(&owner, &ada).await.0,
        0,
        "registering earns nothing"
    );
    for _ in 0..2 {
        owner.check_in(&event, &ada).await;
    }
    owner.done("checkOut", "__typename", who.clone()).await;
    owner.check_in(&event, &ada).await;
    assert_eq!(account(&owner, &ada).await.2, ["EARN 25"], "once an event");
    // Only what makes the attendance undone takes the points back.
    for _ in 0..3 {
        assert_eq!(account(&owner, &ada).await.0, 25);
        undo(&owner, &event, &ada).await;
    }
    assert_eq!(
        account(&owner, &ada).await.0,
        0,
        "the arrival was undone with its repeat"
    );
    owner.check_in(&event, &ada).await;
    let (points, _, mut entries) = account(&owner, &ada).await;
    entries.sort_unstable();
    assert_eq!(
        (points, entries),
        (
            25,
            vec![
                "EARN 25".to_owned(),
                "EARN 25".to_owned(),
                "REVERSE -25".to_owned()
            ]
        )
    );
    // Ten points where none are said, and none where none are wanted.
    let (default, none) = (
        owner.event("Default", json!({})).await,
        owner.event("Free", json!({ "attendancePoints": 0 })).await,
    );
    owner.check_in(&default, &ada).await;
    owner.check_in(&none, &ada).await;
    assert_eq!(account(&owner, &ada).await.0, 35);
    app.database.must_be_consistent().await;
    app.stop().await;
}

/// The event's points may have changed in between, in either direction.
async fn what_is_taken_back_is_what_was_given(app: App) {
    let owner = app.owner("jazz").await;
    for (given, later) in [(10, 50), (50, 10), (10, 0), (0, 10)] {
        let (event, ada) = (
            owner
                .event("Night", json!({ "attendancePoints": given }))
                .await,
            owner.patron("Ada").await,
        );
        owner.check_in(&event, &ada).await;
        owner
            .done(
                "updateEvent",
                "__typename",
                json!({ "eventId": event, "attendancePoints": later }),
            )
            .await;
        assert_eq!(account(&owner, &ada).await.0, given);
        undo(&owner, &event, &ada).await;
        assert_eq!(account(&owner, &ada).await.0, 0, "{given}, then {later}");
        owner.check_in(&event, &ada).await;
        assert_eq!(account(&owner, &ada).await.0, later);
    }
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn tiers_begin_at_their_thresholds(app: App) {
    let owner = app.owner("jazz").await;
    let ada = owner.patron("Ada").await;
    assert_eq!(
        account(&owner, &ada).await,
        (0, "BRONZE".to_owned(), vec![])
    );
    let mut balance = 0;
    for (total, tier) in [
        (99, "BRONZE"),
        (100, "SILVER"),
        (499, "SILVER"),
        (500, "GOLD"),
        (999, "GOLD"),
        (1000, "PLATINUM"),
        (1_001_000, "PLATINUM"),
    ] {
        let event = owner
            .event("Night", json!({ "attendancePoints": total - balance }))
            .await;
        owner.check_in(&event, &ada).await;
        balance = total;
        let (points, held, _) = account(&owner, &ada).await;
        assert_eq!((points, held.as_str()), (total, tier));
    }
    // A reversal takes the tier along.
    let bo = owner.patron("Bo").await;
    let event = owner
        .event("Night", json!({ "attendancePoints": 500 }))
        .await;
    owner.check_in(&event, &bo).await;
    assert_eq!(account(&owner, &bo).await.1, "GOLD");
    undo(&owner, &event, &bo).await;
    assert_eq!(account(&owner, &bo).await.1, "BRONZE");
    app.stop().await;
}

async fn the_longest_title_earns_too(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (
        owner.event(&"ü".repeat(200), json!({})).await,
        owner.patron("Ada").await,
    );
    assert_eq!(owner.check_in(&event, &ada).await, "CHECKED_IN");
    assert_eq!(account(&owner, &ada).await.2, ["EARN 10"]);
    app.stop().await;
}

async fn who_may_not_see_points_sees_the_rest(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (
        owner.event("Night", json!({})).await,
        owner.patron("Ada").await,
    );
    owner.check_in(&event, &ada).await;
    let query = "query($id: ID!) { patron(id: $id) { firstName points tier loyaltyEntries { nodes { points } } attendances { nodes { state } } } }";
    for role in ["organizer", "viewer"] {
        let data = app
            .member(&owner, role)
            .await
            .ok(query, json!({ "id": ada }))
            .await;
        assert_eq!(
            (&data["patron"]["points"], &data["patron"]["tier"]),
            (&json!(10), &json!("BRONZE"))
        );
    }
    let answer = app
        .member(&owner, "checkin")
        .await
        .send(query, json!({ "id": ada }))
        .await;
    let rest = json!({ "firstName": "Ada", "points": null, "tier": null, "loyaltyEntries": null, "attendances": { "nodes": [{ "state": "CHECKED_IN" }] } });
    assert_eq!(
        (answer.status, &answer.body["data"]["patron"]),
        (200, &rest)
    );
    let mut errors: Vec<String> = answer.body["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| {
            format!(
                "{} {} {}",
                error["path"][1].as_str().expect("a path"),
                error["extensions"]["code"].as_str().expect("a code"),
                error["extensions"]["permission"]
            )
        })
        .collect();
    errors.sort_unstable();
    let denied = |field: &str| format!("{field} FORBIDDEN \"loyalty:read\"");
    assert_eq!(
        errors,
        [denied("loyaltyEntries"), denied("points"), denied("tier")]
    );
    app.stop().await;
}
