//! Removing a patron gives back what they hold of events that are not over.

use serde_json::json;

use crate::harness::{App, door::at_once, evening::at, on_each_database};

on_each_database!(at crate::harness::evening::at(18, 30);
    a_seat_of_an_event_to_come_is_free_again,
    who_is_inside_leaves,
    what_is_over_stays_on_record,
    nobody_registers_while_they_are_removed,
);

async fn a_seat_of_an_event_to_come_is_free_again(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner
        .evening(json!({ "capacity": 1, "capacityPolicy": "SEATS" }))
        .await;
    let (ada, bo) = (owner.patron("Ada").await, owner.patron("Bo").await);
    let register = |patron: &str| json!({ "eventId": event, "patronId": patron });
    owner.done("register", "__typename", register(&ada)).await;
    assert_eq!(
        owner.refused("register", register(&bo)).await,
        ["CAPACITY_REACHED input.seats"]
    );
    owner
        .done("deletePatron", "__typename", json!({ "patronId": ada }))
        .await;
    assert_eq!(owner.counts(&event).await, [0, 0, 0, 0]);
    assert_eq!(owner.states(&event).await, ["Ada CANCELLED"]);
    owner.done("register", "__typename", register(&bo)).await;
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn who_is_inside_leaves(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner
        .evening(json!({ "capacity": 1, "capacityPolicy": "OCCUPANCY" }))
        .await;
    let (ada, bo) = (owner.patron("Ada").await, owner.patron("Bo").await);
    assert_eq!(owner.check_in(&event, &ada).await, "CHECKED_IN");
    assert_eq!(owner.check_in(&event, &bo).await, "CAPACITY_REACHED");
    app.clock.set(at(19, 0));
    owner
        .done("deletePatron", "__typename", json!({ "patronId": ada }))
        .await;
    assert_eq!(owner.counts(&event).await, [0, 1, 1, 0]);
    assert_eq!(owner.check_in(&event, &bo).await, "CHECKED_IN");
    assert_eq!(
        owner.states(&event).await,
        ["Ada CHECKED_OUT", "Bo CHECKED_IN"]
    );
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn what_is_over_stays_on_record(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    let (ada, bo) = (owner.patron("Ada").await, owner.patron("Bo").await);
    let register = json!({ "eventId": event, "patronId": ada });
    owner.done("register", "__typename", register).await;
    assert_eq!(owner.check_in(&event, &bo).await, "CHECKED_IN");
    app.clock.set(at(23, 59));
    for patron in [ada, bo] {
        owner
            .done("deletePatron", "__typename", json!({ "patronId": patron }))
            .await;
    }
    assert_eq!(owner.states(&event).await, ["Ada NO_SHOW", "Bo CHECKED_IN"]);
    app.database.must_be_consistent().await;
    app.stop().await;
}

/// Whichever comes first: a registration is cancelled by the removal, or refused after it.
async fn nobody_registers_while_they_are_removed(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    let patrons = owner.patrons(30).await;
    let both = patrons.iter().map(|patron| {
        let (client, event, patron) = (owner.again(), event.clone(), patron.clone());
        async move {
            let register = json!({ "eventId": event, "patronId": patron });
            let remove = json!({ "patronId": patron });
            let (registered, removed) = tokio::join!(
                client.mutate("register", "__typename", register),
                client.mutate("deletePatron", "__typename", remove)
            );
            assert!(registered.codes().is_empty(), "{registered:?}");
            let refusals = [
                removed.refusals("deletePatron"),
                registered.refusals("register"),
            ];
            assert!(
                refusals.concat().iter().all(|code| code == "NOT_FOUND") && refusals[0].is_empty(),
                "{refusals:?}"
            );
        }
    });
    at_once(both.collect::<Vec<_>>()).await;
    assert_eq!(owner.counts(&event).await, [0, 0, 0, 0]);
    app.database.must_be_consistent().await;
    app.stop().await;
}
