//! Whatever happens in whatever order: counts count, and attendances are what the scans say.

use chrono::TimeDelta;
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use crate::harness::{
    App, Client,
    door::{Scan, batch},
    evening::at,
    on_each_database,
};

on_each_database!(at crate::harness::evening::at(20, 0); any_script_leaves_everything_in_order);

/// One thing that happens to one of the patrons.
#[derive(Clone, Debug)]
enum Step {
    Register(usize, i32),
    Cancel(usize),
    /// At so many minutes after the door opened: before that, and too late, as well.
    Scan(usize, &'static str, i64),
    Undo(usize),
    Batch(Vec<(usize, &'static str, i64)>),
    Capacity(Option<i32>, &'static str),
}

const PATRONS: usize = 4;

fn step() -> impl Strategy<Value = Step> {
    let scan = || {
        (
            0..PATRONS,
            prop_oneof![Just("IN"), Just("OUT")],
            -30_i64..400,
        )
    };
    let policy = prop_oneof![Just("ADVISORY"), Just("SEATS"), Just("OCCUPANCY")];
    prop_oneof![
        2 => (0..PATRONS, 1..4).prop_map(|(patron, seats)| Step::Register(patron, seats)),
        1 => (0..PATRONS).prop_map(Step::Cancel),
        4 => scan().prop_map(|(patron, direction, minute)| Step::Scan(patron, direction, minute)),
        3 => (0..PATRONS).prop_map(Step::Undo),
        2 => vec(scan(), 1..6).prop_map(Step::Batch),
        1 => (proptest::option::of(0..5), policy).prop_map(|(capacity, policy)| Step::Capacity(capacity, policy)),
    ]
}

async fn any_script_leaves_everything_in_order(app: App) {
    let owner = app.owner("jazz").await;
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    });
    let handle = tokio::runtime::Handle::current();
    let result = tokio::task::block_in_place(|| {
        runner.run(&vec(step(), 1..25), |script| {
            handle.block_on(async {
                let event = owner.evening(json!({ "attendancePoints": 7 })).await;
                let patrons = owner.patrons(PATRONS).await;
                for step in script {
                    play(&owner, &event, &patrons, step).await;
                }
                must_agree(&owner, &event).await;
                app.database.must_be_consistent().await;
            });
            Ok(())
        })
    });
    result.expect("every script");
    app.stop().await;
}

/// Plays a step. It may be refused, as at a real door, but never break anything.
async fn play(owner: &Client, event: &str, patrons: &[String], step: Step) {
    let who = |patron: usize| json!({ "eventId": event, "patronId": patrons[patron] });
    let scan = |(patron, direction, minute): (usize, &'static str, i64)| {
        Scan::new(
            event,
            &patrons[patron],
            direction,
            at(17, 0) + TimeDelta::minutes(minute),
        )
    };
    let (field, input) = match step {
        Step::Register(patron, seats) => (
            "register",
            json!({ "eventId": event, "patronId": patrons[patron], "seats": seats }),
        ),
        Step::Cancel(patron) => ("cancelRegistration", who(patron)),
        Step::Scan(patron, direction, minute) => {
            let mut input = who(patron);
            input["occurredAt"] = json!(scan((patron, direction, minute)).occurred_at);
            (
                if direction == "IN" {
                    "checkIn"
                } else {
                    "checkOut"
                },
                input,
            )
        }
        Step::Undo(patron) => ("revertCheckIn", who(patron)),
        Step::Batch(scans) => {
            let scans: Vec<Scan> = scans.into_iter().map(scan).collect();
            ("recordScans", batch(&scans)["input"].clone())
        }
        Step::Capacity(capacity, policy) => (
            "updateEvent",
            json!({ "eventId": event, "capacity": capacity, "capacityPolicy": policy }),
        ),
    };
    let answer = owner.mutate(field, "__typename", input).await;
    assert!(
        answer.body.get("errors").is_none(),
        "{field}: {:#}",
        answer.body
    );
    let expected = ["CAPACITY_REACHED", "NOTHING_TO_UNDO"];
    assert!(
        answer
            .refusals(field)
            .iter()
            .all(|code| expected.contains(&&**code)),
        "{field}: {:#}",
        answer.body
    );
}

/// The event's counts are those of the attendances that a client sees, and so are the points.
async fn must_agree(owner: &Client, event: &str) {
    let query = "query($id: ID!) { event(id: $id) { registeredCount seatsTaken checkedInCount insideCount attendances(first: 100) {
        nodes { state seats attended registeredAt checkInTime checkOutTime patron { points loyaltyEntries(first: 100) { nodes { points } } } } } } }";
    let data = owner.ok(query, json!({ "id": event })).await;
    let rows = data["event"]["attendances"]["nodes"]
        .as_array()
        .expect("attendances")
        .clone();
    let count = |holds: &dyn Fn(&Value) -> bool| rows.iter().filter(|row| holds(row)).count();
    assert_eq!(
        data["event"]["checkedInCount"],
        count(&|row| row["attended"] == true),
        "{data:#}"
    );
    assert_eq!(
        data["event"]["insideCount"],
        count(&|row| row["state"] == "CHECKED_IN"),
        "{data:#}"
    );
    let seats: i64 = rows.iter().filter_map(|row| row["seats"].as_i64()).sum();
    assert_eq!(data["event"]["seatsTaken"], seats, "{data:#}");
    for row in &rows {
        assert_eq!(
            row["attended"] == true,
            !row["checkInTime"].is_null(),
            "{row:#}"
        );
        let points = if row["attended"] == true { 7 } else { 0 };
        assert_eq!(row["patron"]["points"], points, "{row:#}");
        let ledger = row["patron"]["loyaltyEntries"]["nodes"]
            .as_array()
            .expect("entries");
        let booked: i64 = ledger
            .iter()
            .filter_map(|entry| entry["points"].as_i64())
            .sum();
        assert_eq!(booked, points, "{row:#}");
    }
}
