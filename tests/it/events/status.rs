//! The five statuses, derived from an event's times: on the event, and in filters.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use crate::harness::{App, Client, evening::at, on_each_database};

on_each_database!(at crate::harness::evening::at(0, 0); each_status_at_its_edges, filters_agree_with_every_status);

const STATUSES: [&str; 5] = ["DRAFT", "SCHEDULED", "ONGOING", "COMPLETED", "CANCELLED"];

/// What a client would derive: cancelled before completed, completed before ongoing, and both the
/// start and the end belong to the event.
fn status(plan: &Plan, now: DateTime<Utc>) -> &'static str {
    let (starts_at, ends_at) = plan.times();
    match plan.fate {
        Fate::Cancelled => "CANCELLED",
        Fate::Draft => "DRAFT",
        Fate::Closed => "COMPLETED",
        Fate::Published if now > ends_at => "COMPLETED",
        Fate::Published if now >= starts_at => "ONGOING",
        Fate::Published => "SCHEDULED",
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Draft,
    Published,
    Closed,
    Cancelled,
}

/// An event from one moment to another.
#[derive(Clone, Debug)]
struct Plan {
    start: i64,
    length: i64,
    fate: Fate,
}

impl Plan {
    fn times(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (moment(self.start), moment(self.start + self.length))
    }
}

fn moment(number: i64) -> DateTime<Utc> {
    at(12, 0) + TimeDelta::milliseconds(number * 250)
}

fn plan() -> impl Strategy<Value = Plan> {
    let fate = prop_oneof![1 => Just(Fate::Draft), 3 => Just(Fate::Published), 1 => Just(Fate::Closed), 1 => Just(Fate::Cancelled)];
    (0_i64..8, 1_i64..5, fate).prop_map(|(start, length, fate)| Plan {
        start,
        length,
        fate,
    })
}

async fn make(client: &Client, plan: &Plan) -> String {
    let (starts_at, ends_at) = plan.times();
    let event = client.event("Night", json!({ "startsAt": starts_at, "endsAt": ends_at, "publish": plan.fate != Fate::Draft })).await;
    let step = match plan.fate {
        Fate::Closed => "closeEvent",
        Fate::Cancelled => "cancelEvent",
        Fate::Draft | Fate::Published => return event,
    };
    client
        .done(step, "__typename", json!({ "eventId": event }))
        .await;
    event
}

async fn each_status_at_its_edges(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    let moment = TimeDelta::microseconds(1);
    for (now, expected) in [
        (at(19, 0) - moment, "SCHEDULED"),
        (at(19, 0), "ONGOING"),
        (at(21, 0), "ONGOING"),
        (at(21, 0) + moment, "COMPLETED"),
    ] {
        app.clock.set(now);
        let query = "query($id: ID!, $statuses: [EventStatus!]!) { event(id: $id) { status } events(filter: { statuses: $statuses }) { nodes { status } } }";
        let data = owner
            .ok(query, json!({ "id": event, "statuses": [expected] }))
            .await;
        assert_eq!(data["event"]["status"], expected);
        assert_eq!(data["events"]["nodes"], json!([{ "status": expected }]));
    }
    app.stop().await;
}

async fn filters_agree_with_every_status(app: App) {
    let mut runner = TestRunner::new(Config {
        cases: 6,
        failure_persistence: None,
        ..Config::default()
    });
    let handle = tokio::runtime::Handle::current();
    let result = tokio::task::block_in_place(|| {
        runner.run(&vec(plan(), 1..12), |plans| {
            handle.block_on(async {
                app.clock.set(at(0, 0));
                let owner = app.owner("jazz").await;
                let mut events = Vec::new();
                for plan in plans {
                    events.push((make(&owner, &plan).await, plan));
                }
                for number in -1..14 {
                    app.clock.set(moment(number));
                    must_agree(&owner, &events, moment(number)).await;
                }
            });
            Ok(())
        })
    });
    result.expect("every plan");
    app.stop().await;
}

/// All sets of one or two statuses show exactly the events that have one of them.
async fn must_agree(owner: &Client, events: &[(String, Plan)], now: DateTime<Utc>) {
    for (index, one) in STATUSES.iter().enumerate() {
        for other in &STATUSES[index..] {
            let query = "query($statuses: [EventStatus!]!) { events(first: 100, filter: { statuses: $statuses }) { totalCount nodes { id status } } }";
            let data = owner.ok(query, json!({ "statuses": [one, other] })).await;
            let nodes = data["events"]["nodes"].as_array().expect("events");
            let mut listed: Vec<(&str, &str)> = nodes
                .iter()
                .map(|node| (text(&node["id"]), text(&node["status"])))
                .collect();
            listed.sort_unstable();
            let derived = events
                .iter()
                .map(|(id, plan)| (id.as_str(), status(plan, now)));
            let mut expected: Vec<(&str, &str)> = derived
                .filter(|(_, status)| [one, other].contains(&status))
                .collect();
            expected.sort_unstable();
            assert_eq!(listed, expected, "{one} or {other} at {now}: {events:?}");
            assert_eq!(data["events"]["totalCount"], expected.len());
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
