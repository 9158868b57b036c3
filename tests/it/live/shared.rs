//! What many subscribers ask alike is read once, whatever they ask.

use std::time::Duration;

use serde_json::json;

use crate::harness::{
    App, Backend, TestDatabase, on_each_database,
    process::Process,
    socket::{Heard, Subscription},
};

on_each_database!(nobody_shares_what_they_may_not_see);

const PATIENCE: Duration = Duration::from_secs(20);
const FOLLOW: &str = "subscription($event: ID!) { attendanceChanged(eventId: $event) { cursor caughtUp changes {
    sequence type patron { name points } attendance { state } event { title host { user { username } } } } } }";

/// Statements that a check-in costs beside what forty subscribers read of it: the check-in's own, and
/// the follower's.
#[tokio::test(flavor = "multi_thread")]
async fn forty_subscribers_cost_as_many_statements_as_one() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let Some(database) = TestDatabase::create(backend).await else {
            continue;
        };
        let process = Process::start(&[("DATABASE_URL", &database.url())]);
        let owner = process.anonymous().founder("shared").await;
        let event = owner.event("Jazz night", json!({})).await;
        let mut costs = Vec::new();
        let mut subscribers = Vec::new();
        for count in [1, 40] {
            while subscribers.len() < count {
                let mut subscriber =
                    Subscription::open(&owner, FOLLOW, json!({ "event": event })).await;
                assert!(matches!(subscriber.next(PATIENCE).await, Heard::Next(_)));
                subscribers.push(subscriber);
            }
            let patron = owner.patron("Ada").await;
            let before = process.statements().await;
            assert_eq!(owner.check_in(&event, &patron).await, "CHECKED_IN");
            let mut answers = Vec::new();
            for subscriber in &mut subscribers {
                answers.push(subscriber.changes("attendanceChanged", PATIENCE).await);
            }
            let (changes, _) = &answers[0];
            assert_eq!(
                (
                    &changes[0]["patron"]["name"],
                    &changes[0]["attendance"]["state"]
                ),
                (&json!("Ada Patron"), &json!("CHECKED_IN"))
            );
            assert!(answers.iter().all(|answer| *answer == answers[0]));
            costs.push(process.statements().await - before);
        }
        // The follower looks at the log once a second on its own.
        assert!(
            costs[1] <= costs[0] + 5,
            "{costs:?} statements for 1 and for 40 subscribers"
        );
    }
}

/// Who may see less shares nothing with who may see more.
async fn nobody_shares_what_they_may_not_see(app: App) {
    let owner = app.owner("shared").await;
    let door = app.member(&owner, "checkin").await;
    let event = owner.event("Jazz night", json!({})).await;
    let mut subscribers = Vec::new();
    for client in [&owner, &door] {
        let mut subscriber = Subscription::open(client, FOLLOW, json!({ "event": event })).await;
        assert!(matches!(subscriber.next(PATIENCE).await, Heard::Next(_)));
        subscribers.push(subscriber);
    }
    let patron = owner.patron("Ada").await;
    owner.check_in(&event, &patron).await;
    let mut points = Vec::new();
    for subscriber in &mut subscribers {
        let Heard::Next(payload) = subscriber.next(PATIENCE).await else {
            panic!("a change");
        };
        let change = &payload["data"]["attendanceChanged"]["changes"][0];
        assert_eq!(change["patron"]["name"], "Ada Patron");
        points.push(change["patron"]["points"].clone());
    }
    assert_eq!(json!(points), json!([10, null]), "the door sees no points");
    app.stop().await;
}
