//! From a cursor on: by socket, by event stream and by pull.

use chrono::TimeDelta;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{FOLLOW, PATIENCE, PULL};
use crate::harness::{
    App, Client,
    door::{RECORD_SCANS, Scan, at_once, batch},
    listener::{assert_same, logged, now, number},
    on_each_database,
    socket::{Heard, Subscription},
};

on_each_database!(
    a_cursor_yields_each_change_once_while_more_are_committed,
    a_hundred_subscribers_hear_each_change_once,
    filters_let_through_what_they_say,
);

const SUBSCRIBERS: usize = 100;

async fn a_cursor_yields_each_change_once_while_more_are_committed(app: App) {
    let owner = app.owner("resume").await;
    let events = [
        owner.event("Early", json!({})).await,
        owner.event("Late", json!({})).await,
    ];
    let patrons = owner.patrons(40).await;
    let start = now(&owner, &events[0]).await;
    let writing = tokio::spawn(scan(
        owner.again(),
        events.to_vec(),
        patrons,
        app.clock.now(),
    ));

    let (mut heard, mut cursor) = (Vec::new(), start.clone());
    loop {
        let written = writing.is_finished();
        let mut subscription = Subscription::open(&owner, FOLLOW, json!({ "after": cursor })).await;
        // What was missed comes at once; what is committed meanwhile, after it.
        for _ in 0..if written { 1 } else { 3 } {
            if let Some(batch) = next(&mut subscription).await {
                heard.extend(batch["changes"].as_array().expect("changes").clone());
                batch["cursor"]
                    .as_str()
                    .expect("a cursor")
                    .clone_into(&mut cursor);
                if written && batch["caughtUp"] == true {
                    break;
                }
            }
        }
        if written {
            break;
        }
    }
    writing.await.expect("no panic");
    let logged = logged(&app.database).await;
    assert!(logged.len() >= 160, "{} changes", logged.len());
    assert_same(&heard.iter().map(number).collect::<Vec<_>>(), &logged);
    assert_eq!(
        pull(&owner, json!({ "after": start })).await,
        heard,
        "pulled and heard differ"
    );
    assert_eq!(
        stream(&owner, &start, heard.len()).await,
        heard,
        "the event stream and the socket differ"
    );
    app.stop().await;
}

async fn a_hundred_subscribers_hear_each_change_once(app: App) {
    let owner = app.owner("hundred").await;
    let event = owner.event("Jazz night", json!({})).await;
    let patrons = owner.patrons(20).await;
    let mut subscribers = Vec::new();
    for _ in 0..SUBSCRIBERS {
        let mut subscription = Subscription::open(&owner, FOLLOW, json!({})).await;
        assert!(next(&mut subscription).await.is_some(), "it begins");
        subscribers.push(subscription);
    }
    at_once(patrons.iter().map(|patron| {
        let (owner, event, patron) = (owner.clone(), event.clone(), patron.clone());
        async move { owner.check_in(&event, &patron).await }
    }))
    .await;
    let logged = logged(&app.database).await;
    for subscription in &mut subscribers {
        let mut heard = Vec::new();
        while heard.len() < logged.len() {
            let (changes, _) = subscription.changes("attendanceChanged", PATIENCE).await;
            heard.extend(changes.iter().map(number));
        }
        assert_same(&heard, &logged);
    }
    app.stop().await;
}

async fn filters_let_through_what_they_say(app: App) {
    let owner = app.owner("filters").await;
    let (here, there) = (
        owner.event("Here", json!({})).await,
        owner.event("There", json!({})).await,
    );
    let patron = owner.patron("Ada").await;
    let start = now(&owner, &here).await;
    let filter = json!({ "event": here, "types": ["CHECKED_OUT"], "after": start });
    let mut live = Subscription::open(&owner, FOLLOW, filter.clone()).await;
    assert_eq!(
        next(&mut live).await.expect("a beginning")["changes"],
        json!([])
    );

    let at = |minutes| app.clock.now() - TimeDelta::minutes(minutes);
    for (event, direction, minutes) in [
        (&here, "IN", 20),
        (&there, "IN", 15),
        (&there, "OUT", 10),
        (&here, "OUT", 5),
    ] {
        owner
            .ok(
                RECORD_SCANS,
                batch([&Scan::new(event, &patron, direction, at(minutes))]),
            )
            .await;
    }
    let (heard, cursor) = live.changes("attendanceChanged", PATIENCE).await;
    assert_eq!(heard.len(), 1, "{heard:#?}");
    assert_eq!(
        (&heard[0]["type"], &heard[0]["event"]["id"]),
        (&json!("CHECKED_OUT"), &json!(here))
    );
    assert_eq!(pull(&owner, filter).await, heard);
    // The cursor is past what the filter kept back, too.
    assert_eq!(
        pull(&owner, json!({ "after": cursor })).await,
        Vec::<Value>::new()
    );
    // The control: without a filter there are four.
    assert_eq!(pull(&owner, json!({ "after": start })).await.len(), 4);
    app.stop().await;
}

/// Everybody comes to and leaves each event, a few scans at a time.
async fn scan(
    client: Client,
    events: Vec<String>,
    patrons: Vec<String>,
    now: chrono::DateTime<chrono::Utc>,
) {
    for (direction, minutes) in [("IN", 60), ("OUT", 30)] {
        for event in &events {
            for few in patrons.chunks(4) {
                let scans: Vec<Scan> = few
                    .iter()
                    .map(|patron| {
                        Scan::new(event, patron, direction, now - TimeDelta::minutes(minutes))
                    })
                    .collect();
                client.ok(RECORD_SCANS, batch(&scans)).await;
            }
        }
    }
}

/// The next batch, if one comes soon.
async fn next(subscription: &mut Subscription) -> Option<Value> {
    match subscription.next(PATIENCE).await {
        Heard::Next(payload) => {
            assert!(payload.get("errors").is_none(), "{payload:#}");
            Some(payload["data"]["attendanceChanged"].clone())
        }
        Heard::Silence => None,
        other => panic!("{other:?}"),
    }
}

/// All changes, asked for in pages of seven.
async fn pull(client: &Client, mut variables: Value) -> Vec<Value> {
    let mut changes = Vec::new();
    loop {
        variables["first"] = json!(7);
        let data = client.ok(PULL, variables.clone()).await;
        let batch = &data["attendanceChanges"];
        changes.extend(batch["changes"].as_array().expect("changes").clone());
        if batch["caughtUp"] == true {
            return changes;
        }
        variables["after"] = batch["cursor"].clone();
    }
}

/// So many changes as server-sent events.
async fn stream(client: &Client, after: &str, count: usize) -> Vec<Value> {
    let request = reqwest::Client::new().post(format!("{}/graphql", client.url));
    let request = request
        .header("accept", "text/event-stream")
        .bearer_auth(client.token.as_deref().expect("a token"));
    let answer = request
        .json(&json!({ "query": FOLLOW, "variables": { "after": after } }))
        .send()
        .await
        .expect("an answer");
    assert!(
        answer.headers()["content-type"]
            .as_bytes()
            .starts_with(b"text/event-stream")
    );
    let (mut bytes, mut text, mut changes) = (answer.bytes_stream(), String::new(), Vec::new());
    while changes.len() < count {
        let chunk = tokio::time::timeout(PATIENCE, bytes.next())
            .await
            .expect("more to come")
            .expect("more to come");
        text.push_str(std::str::from_utf8(&chunk.expect("bytes")).expect("text"));
        while let Some((event, rest)) = text.split_once("\n\n") {
            if let Some(json) = event.strip_prefix("event: next\ndata: ") {
                let payload: Value = serde_json::from_str(json).expect("JSON");
                changes.extend(
                    payload["data"]["attendanceChanged"]["changes"]
                        .as_array()
                        .expect("changes")
                        .clone(),
                );
            }
            text = rest.to_owned();
        }
    }
    changes
}
