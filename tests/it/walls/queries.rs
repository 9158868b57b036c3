//! A list of one row and a list of fifty run the same number of statements, however the rows below
//! them are asked for.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::stage::uuid_of;
use crate::harness::{App, Backend, Client, on_each_database};

const ROWS: usize = 50;
/// Lists, each with the way to its items.
const LISTS: &[(&str, &str)] = &[
    ("query($n: Int!) { events(first: $n) { nodes { title } } }", "/events/nodes"),
    (
        "query($n: Int!) { events(first: $n) { nodes { host { user { email } } attendances(first: 1) { nodes {
            state patron { name tier loyaltyEntries(first: 1) { nodes { points } } } } } } } }",
        "/events/nodes",
    ),
    (
        "query($n: Int!) { events(first: $n) { edges { node { attendances(first: 1) { edges { node {
            patron { points loyaltyEntries(first: 1) { edges { node { points } } } } } } } } } } }",
        "/events/edges",
    ),
    (
        "query($n: Int!) { events(first: $n) { nodes { ...Door } edges { node { ...Door } } } }
         fragment Door on Event { attendances(first: 1) { nodes { ...Guest } } }
         fragment Guest on Attendance { ... on Attendance { patron { ...Person } } }
         fragment Person on Patron { name loyaltyEntries(first: 1) { nodes { points } } }",
        "/events/nodes",
    ),
    (
        "query($n: Int!) { events(first: $n) { nodes {
            one: attendances(first: 1) { nodes { patron { name } } } two: attendances(first: 2) { nodes { patron { points } event { title } } } } } }",
        "/events/nodes",
    ),
    (
        "query($n: Int!) { patrons(first: $n) { totalCount nodes { tier attendances(first: 1) { nodes { state event { title changeCursor } } } } } }",
        "/patrons/nodes",
    ),
    (
        "query($n: Int!) { members(first: $n) { totalCount nodes { role user { email } roles { teamName } permissions
            teams(first: 1) { nodes { team { name roles parent { name } } } } } } }",
        "/members/nodes",
    ),
    (
        "query($n: Int!) { apiKeys(first: $n) { nodes { name permissions event { title } responsible { email } } } }",
        "/apiKeys/nodes",
    ),
    ("query($n: Int!) { auditLog(first: $n) { nodes { eventType targetId actor { email } } } }", "/auditLog/nodes"),
    (
        "query($n: Int!) { attendanceChanges(first: $n) { changes { event { title } patron { points } attendance { state } } } }",
        "/attendanceChanges/changes",
    ),
];

on_each_database!(
    a_list_costs_what_its_levels_cost,
    ids_cost_what_their_kinds_cost,
    a_batch_costs_the_same_for_any_size
);

async fn a_list_costs_what_its_levels_cost(app: App) {
    let (owner, events, _) = club(&app).await;
    for event in &events[..ROWS / 2] {
        owner.machine(&["events:read"]).await;
        owner.device(event).await;
    }
    let mut costs = Vec::new();
    for (query, items) in LISTS {
        let (one, fifty) = (
            cost(&owner, query, 1, items).await,
            cost(&owner, query, ROWS, items).await,
        );
        assert_eq!(one, fifty, "{query}");
        costs.push(one);
    }
    // The control: it is counted at all, and levels do cost.
    assert!(costs[0] > 0 && costs[1] >= costs[0] + 3, "{costs:?}");
    app.stop().await;
}

async fn ids_cost_what_their_kinds_cost(app: App) {
    let (owner, events, patrons) = club(&app).await;
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Event { attendances(first: 1) { nodes { patron { name } } } }
        ... on Patron { name loyaltyEntries(first: 1) { nodes { points } } } } }";
    let mut costs = Vec::new();
    for size in [1, ROWS] {
        let ids: Vec<&String> = events[..size].iter().chain(&patrons[..size]).collect();
        costs.push(statements(&owner, query, json!({ "ids": ids })).await.0);
    }
    assert_eq!(costs[0], costs[1], "{query}");
    app.stop().await;
}

async fn a_batch_costs_the_same_for_any_size(app: App) {
    let owner = app.owner("batch").await;
    let event = owner
        .event("Evening", json!({ "attendancePoints": 10 }))
        .await;
    let mut patrons = Vec::new();
    for number in 0..ROWS {
        patrons.push(owner.patron(&format!("Guest {number}")).await);
    }
    let now = app.clock.now();
    let scan = |number: usize, patron: &String| {
        let at = now - TimeDelta::seconds(i64::try_from(number).expect("a small number"));
        json!({ "id": Uuid::now_v7(), "eventId": event, "patronId": patron, "direction": "IN", "occurredAt": at })
    };
    let record = "mutation($input: RecordScansInput!) { recordScans(input: $input) { results { outcome attendance { patron { name } } } errors { message } } }";
    let mut costs = Vec::new();
    for size in [2, 500] {
        let scans: Vec<Value> = (0..size)
            .map(|number| scan(number, &patrons[number % patrons.len()]))
            .collect();
        let (cost, data) = statements(&owner, record, json!({ "input": { "scans": scans } })).await;
        assert_eq!(
            data["recordScans"]["results"].as_array().map(Vec::len),
            Some(size)
        );
        costs.push(cost);
    }
    assert_eq!(costs[0], costs[1], "a batch of 2 and one of 500");
    app.stop().await;
}

/// An organization of fifty events with a guest each, and fifty members.
async fn club(app: &App) -> (Client, Vec<String>, Vec<String>) {
    let owner = app.owner("club").await;
    let found = owner
        .ok(
            "{ organization { id } members { nodes { id } } }",
            json!({}),
        )
        .await;
    let organization = uuid_of(found["organization"]["id"].as_str().expect("an id"));
    let host = &found["members"]["nodes"][0]["id"];
    let (mut events, mut patrons, mut scans) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..ROWS {
        let event = owner
            .event(
                &format!("Evening {number}"),
                json!({ "attendancePoints": 10, "hostId": host }),
            )
            .await;
        let patron = owner.patron(&format!("Guest {number}")).await;
        scans.push(json!({ "id": Uuid::now_v7(), "eventId": event, "patronId": patron, "direction": "IN", "occurredAt": app.clock.now() }));
        events.push(event);
        patrons.push(patron);
    }
    let record =
        "mutation($input: RecordScansInput!) { recordScans(input: $input) { errors { message } } }";
    owner
        .ok(record, json!({ "input": { "scans": scans } }))
        .await;
    let (id, organization) = match app.database.backend() {
        Backend::Sqlite => ("randomblob(16)", format!("x'{}'", organization.simple())),
        Backend::Postgres => ("gen_random_uuid()", format!("'{organization}'")),
    };
    // Signing fifty people up would hash fifty passwords.
    for sql in [
        format!(
            "INSERT INTO users (id, username, username_key, email, password_hash, first_name, last_name, created_at, updated_at)
             WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {ROWS})
             SELECT {id}, 'copy' || n, 'copy' || n, 'copy' || n || '@example.org', password_hash, first_name, last_name, created_at, updated_at
             FROM series CROSS JOIN (SELECT * FROM users LIMIT 1) AS person"
        ),
        format!(
            "INSERT INTO members (id, organization_id, user_id, role, joined_at, created_at, updated_at)
             SELECT {id}, {organization}, id, 'viewer', created_at, created_at, created_at FROM users WHERE username LIKE 'copy%'"
        ),
    ] {
        app.database.look(&sql).await;
    }
    (owner, events, patrons)
}

/// What a list of that many rows costs; it must have as many.
async fn cost(client: &Client, query: &str, rows: usize, items: &str) -> u64 {
    let (statements, data) = statements(client, query, json!({ "n": rows })).await;
    assert_eq!(
        data.pointer(items).and_then(Value::as_array).map(Vec::len),
        Some(rows),
        "{query}"
    );
    statements
}

async fn statements(client: &Client, query: &str, variables: Value) -> (u64, Value) {
    let answer = client.send(query, variables).await;
    assert_eq!(
        answer.codes(),
        Vec::<String>::new(),
        "{query}\n{:#}",
        answer.body
    );
    let statements = answer.body["extensions"]["cost"]["statements"]
        .as_u64()
        .expect("a number");
    (statements, answer.body["data"].clone())
}
