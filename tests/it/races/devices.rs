//! Devices that were offline, all back at the same time, with much of the same to tell.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::json;

use crate::harness::{
    App,
    door::{RECORD_SCANS, Scan, at_once, batch},
    on_each_database,
};

on_each_database!(batches_that_overlap_are_kept_once_without_a_deadlock);

const DEVICES: usize = 8;
const BATCHES: usize = 6;
const SIZE: usize = 40;

async fn batches_that_overlap_are_kept_once_without_a_deadlock(app: App) {
    let owner = app.owner("devices").await;
    let capacity = json!({ "capacity": 1_000, "capacityPolicy": "SEATS", "attendancePoints": 3 });
    // One event whose row is locked while its seats are given away, two whose counts only move.
    let events = [
        owner.event("Hall", capacity).await,
        owner.event("Foyer", json!({})).await,
        owner.event("Garden", json!({})).await,
    ];
    let patrons = owner.patrons(40).await;
    let scans = scans(&events, &patrons, app.clock.now());

    let answers = at_once((0..DEVICES).map(|device| {
        let (client, scans) = (owner.again(), scans.clone());
        async move {
            let mut answers = Vec::new();
            for number in 0..BATCHES {
                // Strides that have no divisor in common with the whole: each device goes through
                // all of it in an order of its own, so that locks are asked for in every order.
                let stride = [1, 7, 11, 13, 17, 19, 23, 29][device];
                let sent = (0..SIZE).map(|index| {
                    &scans[(device * 31 + (number * SIZE + index) * stride) % scans.len()]
                });
                answers.push(client.send(RECORD_SCANS, batch(sent)).await);
            }
            answers
        }
    }))
    .await;

    // What each scan was told: by whichever device it was first, and the same again by the others.
    let mut told: BTreeMap<String, (usize, BTreeSet<String>)> = BTreeMap::new();
    for answer in answers.iter().flatten() {
        assert!(answer.body.get("errors").is_none(), "{:#}", answer.body);
        let results = answer.body["data"]["recordScans"]["results"]
            .as_array()
            .expect("results");
        assert_eq!(results.len(), SIZE, "{:#}", answer.body);
        for result in results {
            assert!(result["error"].is_null(), "{result:#}");
            let (first, outcomes) = told
                .entry(result["scanId"].as_str().expect("an id").to_owned())
                .or_default();
            *first += usize::from(result["repeated"] == false);
            outcomes.insert(result["outcome"].to_string());
        }
    }
    for (id, (first, outcomes)) in &told {
        assert_eq!((*first, outcomes.len()), (1, 1), "{id}: {outcomes:?}");
    }
    assert_eq!(told.len(), scans.len(), "the strides leave something out");
    assert_eq!(
        app.database.scan_ids().await,
        told.into_keys().collect::<Vec<_>>()
    );
    app.database.must_be_consistent().await;
    app.stop().await;
}

/// Arrivals and departures of everybody at every event, in the order in which they happened.
fn scans(events: &[String], patrons: &[String], now: chrono::DateTime<chrono::Utc>) -> Vec<Scan> {
    let mut scans = Vec::new();
    for (event, (number, patron)) in events.iter().flat_map(|event| {
        patrons
            .iter()
            .enumerate()
            .map(move |patron| (event, patron))
    }) {
        let at = |minute: usize| {
            now - TimeDelta::minutes(90)
                + TimeDelta::seconds(i64::try_from(minute * 60 + number).expect("few"))
        };
        scans.push(Scan::new(event, patron, "IN", at(0)));
        if number % 2 == 0 {
            scans.push(Scan::new(event, patron, "OUT", at(30)));
        }
    }
    scans.truncate(scans.len() / 2 * 2 - 1);
    scans
}
