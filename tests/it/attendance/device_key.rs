//! The key of a device at one event's door: it works there, until a day after the event's end, and
//! nothing of any other event is there for it.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{
    App, Client,
    door::{RECORD_SCANS, Scan, at_once, batch},
    evening::at,
    on_each_database,
    people::PASSWORD,
    socket::{Heard, Subscription},
};

on_each_database!(at crate::harness::evening::at(18, 0);
    a_device_checks_in_at_its_event_alone,
    a_device_sees_its_event_alone,
    a_device_ends_a_day_after_its_event,
);
mod live {
    crate::harness::on_each_database!(
        a_device_hears_its_event_alone,
        devices_beside_people_stay_at_their_event
    );
    use super::{a_device_hears_its_event_alone, devices_beside_people_stay_at_their_event};
}

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(15);

async fn results(client: &Client, scans: &[&Scan]) -> Vec<String> {
    let answer = client.ok(RECORD_SCANS, batch(scans.iter().copied())).await;
    let results = answer["recordScans"]["results"]
        .as_array()
        .expect("results")
        .clone();
    let told = |result: &Value| {
        let told = result["outcome"]
            .as_str()
            .or(result["error"]["code"].as_str());
        told.expect("an outcome or a code").to_owned()
    };
    results.iter().map(told).collect()
}

async fn a_device_checks_in_at_its_event_alone(app: App) {
    let owner = app.owner("jazz").await;
    let (own, other) = (
        owner.evening(json!({})).await,
        owner.evening(json!({})).await,
    );
    let patrons = owner.patrons(3).await;
    let (device, id) = owner.device(&own).await;
    let used = Scan::new(&other, &patrons[0], "IN", at(18, 0));
    assert_eq!(results(&owner, &[&used]).await, ["CHECKED_IN"]);
    let before = app
        .database
        .rows_of(&["attendance_scans", "attendances", "changes"])
        .await;
    // The other event is none, also for a scan that was recorded there.
    assert_eq!(results(&device, &[&used]).await, ["NOT_FOUND"]);
    let input = json!({ "eventId": other, "patronId": patrons[1] });
    for field in ["checkIn", "checkOut", "revertCheckIn"] {
        assert_eq!(
            device.refused(field, input.clone()).await,
            ["NOT_FOUND input.eventId"]
        );
    }
    let undo = json!({ "eventId": own, "patronId": patrons[0], "scanToRevert": used.id });
    assert_eq!(device.refused("revertCheckIn", undo).await.len(), 1);
    assert_eq!(device.denied("register", input).await, "FORBIDDEN");
    assert_eq!(
        device.denied("closeEvent", json!({ "eventId": own })).await,
        "FORBIDDEN"
    );
    assert_eq!(
        app.database
            .rows_of(&["attendance_scans", "attendances", "changes"])
            .await,
        before
    );
    let mixed = [
        Scan::new(&own, &patrons[0], "IN", at(18, 0)),
        Scan::new(&other, &patrons[1], "IN", at(18, 0)),
        Scan {
            id: used.id,
            ..Scan::new(&own, &patrons[1], "IN", at(18, 0))
        },
        Scan::new(&own, &patrons[2], "IN", at(18, 0)),
    ];
    let mixed: Vec<&Scan> = mixed.iter().collect();
    let told = [
        "CHECKED_IN",
        "NOT_FOUND",
        "IDEMPOTENCY_CONFLICT",
        "CHECKED_IN",
    ];
    assert_eq!(results(&device, &mixed).await, told);
    assert_eq!(
        results(&device, &mixed[..2]).await,
        ["CHECKED_IN", "NOT_FOUND"]
    );
    assert_eq!(owner.counts(&own).await, [0, 2, 2, 2]);
    assert_eq!(owner.counts(&other).await, [0, 1, 1, 1]);
    // It is known which device it was.
    let by_key =
        "SELECT count(*) FROM attendance_scans WHERE key_id IS NOT NULL AND actor_id IS NULL";
    assert_eq!(app.database.number(by_key).await, 2);
    let query = "query($id: ID!) { auditLog(filter: { apiKeyId: $id, result: SUCCESS }) { nodes { eventType changes } } }";
    let entries = owner.ok(query, json!({ "id": id })).await;
    let expected = json!([{ "eventType": "attendance.checked_in", "changes": 2 }]);
    assert_eq!(entries["auditLog"]["nodes"], expected);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn a_device_sees_its_event_alone(app: App) {
    let owner = app.owner("jazz").await;
    let (own, other) = (
        owner.evening(json!({ "title": "Own" })).await,
        owner.evening(json!({ "title": "Other" })).await,
    );
    let patron = owner.patron("Ada").await;
    for event in [&own, &other] {
        owner.check_in(event, &patron).await;
    }
    let (device, _) = owner.device(&own).await;
    let query = "query($own: ID!, $other: ID!, $patron: ID!, $ids: [ID!]!) {
        events { totalCount nodes { id } edges { node { title } } pageInfo { hasNextPage } }
        own: event(id: $own) { id attendances { nodes { patron { firstName } event { title } state } } }
        other: event(id: $other) { id }
        patron(id: $patron) { attendances { nodes { event { title } } } }
        patrons { nodes { attendances(first: 5) { nodes { event { title } } } } }
        nodes(ids: $ids) { id ... on Patron { attendances(last: 5) { nodes { event { title } } } } }
        attendanceChanges { changes { type event { title } } }
        ofOther: attendanceChanges(eventId: $other) { changes { type } }
        currentApiKey { event { title } expiresAt }
    }";
    let attendance = "query($id: ID!) { event(id: $id) { attendances { nodes { id } } } }";
    let theirs = owner.ok(attendance, json!({ "id": other })).await;
    let theirs = theirs["event"]["attendances"]["nodes"][0]["id"].clone();
    let variables = json!({ "own": own, "other": other, "patron": patron, "ids": [other, theirs, own, patron] });
    let told = device.ok(query, variables.clone()).await;
    let there = json!({ "nodes": [{ "event": { "title": "Own" } }] });
    assert_eq!(
        told,
        json!({
            "events": { "totalCount": 1, "nodes": [{ "id": own }], "edges": [{ "node": { "title": "Own" } }], "pageInfo": { "hasNextPage": false } },
            "own": { "id": own, "attendances": { "nodes": [{ "patron": { "firstName": "Ada" }, "event": { "title": "Own" }, "state": "CHECKED_IN" }] } },
            "other": null,
            "patron": { "attendances": there },
            "patrons": { "nodes": [{ "attendances": there }] },
            "nodes": [null, null, { "id": own }, { "id": patron, "attendances": there }],
            "attendanceChanges": { "changes": [{ "type": "CHECKED_IN", "event": { "title": "Own" } }] },
            "ofOther": { "changes": [] },
            "currentApiKey": { "event": { "title": "Own" }, "expiresAt": null },
        })
    );
    // Each by itself, which one statement answers where it can.
    for (query, place) in [
        ("query($id: ID!) { event(id: $id) { title } }", "/event"),
        ("query($id: ID!) { node(id: $id) { id } }", "/node"),
    ] {
        let data = device.ok(query, json!({ "id": other })).await;
        assert_eq!(data.pointer(place), Some(&Value::Null));
        let data = device.ok(query, json!({ "id": own })).await;
        assert_ne!(data.pointer(place), Some(&Value::Null));
    }
    let single = device.ok("{ events { nodes { title } } }", json!({})).await;
    assert_eq!(single["events"]["nodes"], json!([{ "title": "Own" }]));
    // The control: to the owner both are there.
    let told = owner
        .ok(
            &query.replace("currentApiKey { event { title } expiresAt }", ""),
            variables,
        )
        .await;
    assert_eq!(told["events"]["totalCount"], 2);
    assert_eq!(
        told["patron"]["attendances"]["nodes"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    for (query, permission) in [
        ("{ members { nodes { id } } }", "members:read"),
        ("{ imports { nodes { id } } }", "imports:read"),
        ("{ auditLog { nodes { id } } }", "audit:read"),
        ("{ apiKeys { nodes { id } } }", "api_keys:read"),
    ] {
        let answer = device.send(query, json!({})).await;
        assert_eq!(
            answer.body.pointer("/errors/0/extensions/permission"),
            Some(&json!(permission))
        );
    }
    app.stop().await;
}

async fn a_device_ends_a_day_after_its_event(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    let (device, _) = owner.device(&event).await;
    let works = async || {
        device
            .send("{ events { nodes { id } } }", json!({}))
            .await
            .codes()
            .is_empty()
    };
    let end = at(21, 0) + TimeDelta::hours(24);
    app.clock.set(end - TimeDelta::microseconds(1));
    assert!(works().await);
    app.clock.set(end);
    assert!(!works().await);
    // The event is moved, and the key with it.
    let update = json!({ "eventId": event, "endsAt": at(22, 0) });
    owner.done("updateEvent", "__typename", update).await;
    assert!(works().await);
    app.clock.set(end + TimeDelta::hours(1));
    assert!(!works().await);
    let payload = owner
        .done("confirmPassword", "token", json!({ "password": PASSWORD }))
        .await;
    let owner = owner.with_token(payload["token"].as_str().expect("a token"));
    let input = json!({ "name": "Door", "eventId": event });
    assert_eq!(
        owner.refused("createDeviceKey", input).await,
        ["WRONG_STATE input.eventId"]
    );
    app.stop().await;
}

async fn a_device_hears_its_event_alone(app: App) {
    let owner = app.owner("jazz").await;
    let (own, other) = (
        owner.event("Own", json!({})).await,
        owner.event("Other", json!({})).await,
    );
    let patrons = owner.patrons(3).await;
    let (device, _) = owner.device(&own).await;
    owner.check_in(&other, &patrons[0]).await;
    owner.check_in(&own, &patrons[0]).await;
    let start = "query($id: ID!) { event(id: $id) { changeCursor } }";
    let end = owner.ok(start, json!({ "id": own })).await["event"]["changeCursor"].clone();
    let query = "subscription($event: ID, $after: String) { attendanceChanged(eventId: $event, after: $after) {
        changes { event { title } patron { attendances { nodes { event { title } } } } } cursor } }";
    let zero = device
        .ok("{ attendanceChanges(first: 1) { cursor } }", json!({}))
        .await;
    // Replayed, then live; the owner asks the same beside it, and is told of both.
    let mut all = Subscription::open(
        &device,
        query,
        json!({ "after": zero["attendanceChanges"]["cursor"] }),
    )
    .await;
    let mut live = Subscription::open(&device, query, json!({ "after": end })).await;
    let mut of_other =
        Subscription::open(&device, query, json!({ "event": other, "after": end })).await;
    let mut owners = Subscription::open(&owner, query, json!({ "after": end })).await;
    for stream in [&mut all, &mut live, &mut of_other, &mut owners] {
        assert!(
            matches!(stream.next(PATIENCE).await, Heard::Next(payload) if payload.get("errors").is_none())
        );
    }
    for event in [&other, &own] {
        owner.check_in(event, &patrons[1]).await;
    }
    let titles = |changes: &[Value]| -> Vec<String> {
        changes
            .iter()
            .map(|change| {
                change["event"]["title"]
                    .as_str()
                    .expect("a title")
                    .to_owned()
            })
            .collect()
    };
    for stream in [&mut all, &mut live] {
        let (changes, _) = stream.changes("attendanceChanged", PATIENCE).await;
        assert_eq!(titles(&changes), ["Own"]);
        assert_eq!(
            changes[0]["patron"]["attendances"]["nodes"],
            json!([{ "event": { "title": "Own" } }])
        );
    }
    let (changes, _) = owners.changes("attendanceChanged", PATIENCE).await;
    assert_eq!(titles(&changes)[0], "Other");
    assert_eq!(
        of_other.next(std::time::Duration::from_secs(2)).await,
        Heard::Silence
    );
    app.stop().await;
}

/// Single scans of people and devices come at once, and are written together: each by what it may.
async fn devices_beside_people_stay_at_their_event(app: App) {
    let owner = app.owner("jazz").await;
    let (own, other) = (
        owner.event("Own", json!({})).await,
        owner.event("Other", json!({})).await,
    );
    let patrons = owner.patrons(30).await;
    let (device, _) = owner.device(&own).await;
    let job = |client: Client, event: String, patron: String| async move {
        let input = json!({ "eventId": event, "patronId": patron });
        let answer = client.mutate("checkIn", "outcome", input).await;
        let payload = &answer.body["data"]["checkIn"];
        let told = payload["outcome"]
            .as_str()
            .or(payload["errors"][0]["code"].as_str());
        told.unwrap_or_default().to_owned()
    };
    let jobs = patrons.iter().flat_map(|patron| {
        [(&owner, &other), (&device, &own), (&device, &other)]
            .map(|(client, event)| job(client.again(), event.clone(), patron.clone()))
    });
    let told = at_once(jobs).await;
    for told in told.chunks(3) {
        assert_eq!(told, ["CHECKED_IN", "CHECKED_IN", "NOT_FOUND"]);
    }
    let strays = "SELECT count(*) FROM attendance_scans WHERE key_id IS NOT NULL";
    assert_eq!(app.database.number(strays).await, 30);
    app.database.must_be_consistent().await;
    app.stop().await;
}
