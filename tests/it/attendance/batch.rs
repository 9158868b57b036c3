//! What devices kept while they were offline, sent 500 at a time.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    App, Client,
    door::{Scan, batch},
    evening::at,
    on_each_database,
};

on_each_database!(at crate::harness::evening::at(22, 0);
    poisoned_scans_keep_none_of_the_others_back,
    a_batch_is_applied_in_the_order_of_its_times,
    five_hundred_and_no_more,
    the_same_batch_again_changes_nothing,
);

async fn send(client: &Client, input: Value) -> Vec<Value> {
    let selection = "results { scanId outcome repeated attendance { state } error { code path } }";
    let payload = client.done("recordScans", selection, input).await;
    payload["results"].as_array().expect("results").clone()
}

async fn poisoned_scans_keep_none_of_the_others_back(app: App) {
    let (owner, foreigner) = (app.owner("jazz").await, app.owner("chess").await);
    let (event, patrons) = (owner.evening(json!({})).await, owner.patrons(100).await);
    let (foreign_event, foreign_patron) = (
        foreigner.evening(json!({})).await,
        foreigner.patron("Eve").await,
    );
    let mut scans: Vec<Value> = (0..500)
        .map(|number| {
            let patron = &patrons[number % 100];
            let time = at(19, 0) + TimeDelta::seconds(i64::try_from(number).expect("small"));
            Scan::new(&event, patron, "IN", time).of_batch()
        })
        .collect();
    let poison = [
        (7, "patronId", json!(foreign_patron), "NOT_FOUND"),
        (8, "eventId", json!(foreign_event), "NOT_FOUND"),
        (99, "eventId", json!(patrons[0]), "INVALID_ID"),
        (100, "patronId", json!("nobody"), "INVALID_ID"),
        (250, "id", json!("no-uuid"), "INVALID_ID"),
        (251, "occurredAt", json!("1066-10-14T09:00:00Z"), "INVALID"),
        (499, "device", json!("x".repeat(101)), "TOO_LONG"),
    ];
    for (index, field, value, _) in &poison {
        scans[*index][*field] = value.clone();
    }
    // One id for two scans: the earlier has it.
    scans[401]["id"] = scans[400]["id"].clone();
    let foreign = foreigner_rows(&foreigner, &foreign_event).await;
    let results = send(&owner, json!({ "scans": scans })).await;
    assert_eq!(results.len(), 500);
    for (index, result) in results.iter().enumerate() {
        assert_eq!(
            result["scanId"], scans[index]["id"],
            "answered in its place"
        );
        let expected = poison
            .iter()
            .find(|(place, ..)| *place == index)
            .map(|(_, field, _, code)| (*field, *code));
        let expected = if index == 401 {
            Some(("id", "IDEMPOTENCY_CONFLICT"))
        } else {
            expected
        };
        if let Some((field, code)) = expected {
            let path = json!(["input", "scans", index.to_string(), field]);
            assert_eq!(
                result["error"],
                json!({ "code": code, "path": path }),
                "{index}"
            );
            assert_eq!(
                (&result["outcome"], &result["attendance"]),
                (&Value::Null, &Value::Null)
            );
        } else {
            assert_eq!(result["error"], Value::Null, "{index}");
            // Patrons 7, 8 and 99 come with their second scan, as their first was spoiled; 0 is scanned at 0.
            let arrives = index < 100 || [107, 108, 199].contains(&index);
            let outcome = if arrives {
                "CHECKED_IN"
            } else {
                "ALREADY_CHECKED_IN"
            };
            assert_eq!(result["outcome"], outcome, "{index}");
        }
    }
    assert_eq!(owner.counts(&event).await, [0, 100, 100, 100]);
    assert_eq!(
        app.database
            .number("SELECT count(*) FROM attendance_scans")
            .await,
        492
    );
    assert_eq!(foreigner_rows(&foreigner, &foreign_event).await, foreign);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn foreigner_rows(client: &Client, event: &str) -> ([i64; 4], Vec<String>) {
    (client.counts(event).await, client.states(event).await)
}

async fn a_batch_is_applied_in_the_order_of_its_times(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let scans = [
        ("OUT", at(20, 0)),
        ("IN", at(20, 10)),
        ("IN", at(19, 0)),
        ("OUT", at(18, 0)),
        ("IN", at(16, 59)),
    ];
    let scans: Vec<Scan> = scans
        .into_iter()
        .map(|(direction, time)| Scan::new(&event, &ada, direction, time))
        .collect();
    let results = send(&owner, batch(&scans)["input"].clone()).await;
    let outcomes: Vec<&str> = results
        .iter()
        .filter_map(|result| result["outcome"].as_str())
        .collect();
    assert_eq!(
        outcomes,
        [
            "CHECKED_OUT",
            "REENTRY",
            "CHECKED_IN",
            "NOT_CHECKED_IN",
            "OUTSIDE_WINDOW"
        ]
    );
    assert_eq!(owner.states(&event).await, ["Ada CHECKED_IN"]);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn five_hundred_and_no_more(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (owner.evening(json!({})).await, owner.patron("Ada").await);
    let scans: Vec<Scan> = (0..501)
        .map(|_| Scan::new(&event, &ada, "IN", at(19, 0)))
        .collect();
    let before = app.database.holdings().await;
    assert_eq!(
        owner
            .refused("recordScans", batch(&scans)["input"].clone())
            .await,
        ["TOO_LONG input.scans"]
    );
    assert_eq!(
        send(&owner, json!({ "scans": [] })).await,
        Vec::<Value>::new()
    );
    assert_eq!(app.database.holdings().await, before);
    assert_eq!(
        send(&owner, batch(&scans[..500])["input"].clone())
            .await
            .len(),
        500
    );
    assert_eq!(owner.counts(&event).await, [0, 1, 1, 1]);
    app.stop().await;
}

async fn the_same_batch_again_changes_nothing(app: App) {
    let owner = app.owner("jazz").await;
    let (event, patrons) = (
        owner
            .evening(json!({ "capacity": 3, "capacityPolicy": "OCCUPANCY" }))
            .await,
        owner.patrons(5).await,
    );
    let mut scans: Vec<Scan> = patrons
        .iter()
        .map(|patron| Scan::new(&event, patron, "IN", at(19, 0)))
        .collect();
    scans.push(Scan::new(&event, &patrons[0], "OUT", at(20, 0)));
    let first = send(&owner, batch(&scans)["input"].clone()).await;
    let before = app.database.holdings().await;
    // With a new scan among the old, only that one counts.
    for extra in [
        None,
        Some(Scan {
            id: Uuid::now_v7(),
            ..scans[0].clone()
        }),
    ] {
        let sent: Vec<Scan> = scans.iter().cloned().chain(extra.clone()).collect();
        let again = send(&owner, batch(&sent)["input"].clone()).await;
        for (first, again) in first.iter().zip(&again) {
            assert_eq!(
                (&first["outcome"], &again["repeated"]),
                (&again["outcome"], &json!(true))
            );
        }
        match extra {
            None => assert_eq!(app.database.holdings().await, before),
            Some(_) => assert_eq!(again[6]["repeated"], false),
        }
    }
    assert_eq!(
        app.database
            .number("SELECT count(*) FROM attendance_scans")
            .await,
        7
    );
    app.database.must_be_consistent().await;
    app.stop().await;
}
