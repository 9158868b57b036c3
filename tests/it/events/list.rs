//! Lists of events: pages, filters, and cursors.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{App, Client, evening::at, on_each_database};

on_each_database!(at crate::harness::evening::at(12, 0);
    pages_in_both_directions_show_each_event_once,
    a_cursor_is_good_for_its_own_list,
    made_up_cursors_are_refused,
    filters_take_whatever_they_are_given,
);

const PAGE: &str = "query($first: Int, $after: String, $last: Int, $before: String, $filter: EventFilter) {
    events(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
        totalCount edges { cursor node { id startsAt } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

/// 45 events, of which every third begins with the one before it.
async fn make(owner: &Client) {
    let fields: Vec<String> = (0..45_i32)
        .map(|number| {
            let starts_at = at(13, 0) + TimeDelta::minutes(i64::from(number - i32::from(number % 3 == 0)));
            format!("e{number}: createEvent(input: {{ title: \"{number}\", startsAt: \"{}\", endsAt: \"{}\" }}) {{ errors {{ code }} }}", starts_at.to_rfc3339(), at(20, 0).to_rfc3339())
        })
        .collect();
    for fields in fields.chunks(15) {
        owner
            .ok(&format!("mutation {{ {} }}", fields.join(" ")), json!({}))
            .await;
    }
}

async fn pages_in_both_directions_show_each_event_once(app: App) {
    let owner = app.owner("jazz").await;
    make(&owner).await;
    let whole = owner.ok(PAGE, json!({ "first": 100 })).await["events"].clone();
    let order: Vec<Value> = whole["edges"]
        .as_array()
        .expect("edges")
        .iter()
        .map(|edge| edge["node"]["id"].clone())
        .collect();
    let times: Vec<&str> = whole["edges"]
        .as_array()
        .expect("edges")
        .iter()
        .filter_map(|edge| edge["node"]["startsAt"].as_str())
        .collect();
    assert!(
        times.is_sorted_by(|one, other| one >= other),
        "latest start first"
    );
    assert_eq!(
        order
            .iter()
            .map(Value::to_string)
            .collect::<BTreeSet<_>>()
            .len(),
        45
    );
    for size in [1, 7, 15, 44, 45, 100] {
        for (count, cursor, end, more, forward) in [
            ("first", "after", "endCursor", "hasNextPage", true),
            ("last", "before", "startCursor", "hasPreviousPage", false),
        ] {
            let (mut seen, mut variables) = (Vec::new(), json!({ count: size }));
            loop {
                let page = owner.ok(PAGE, variables.clone()).await["events"].clone();
                assert_eq!(page["totalCount"], 45);
                let ids: Vec<Value> = page["edges"]
                    .as_array()
                    .expect("edges")
                    .iter()
                    .map(|edge| edge["node"]["id"].clone())
                    .collect();
                assert!(!ids.is_empty() && ids.len() <= size);
                if forward {
                    seen.extend(ids);
                } else {
                    seen.splice(0..0, ids).for_each(drop);
                }
                variables[cursor] = page["pageInfo"][end].clone();
                if page["pageInfo"][more] == false {
                    break;
                }
            }
            assert_eq!(seen, order, "{count} {size}");
        }
    }
    app.stop().await;
}

async fn refused(client: &Client, variables: Value) {
    let answer = client.send(PAGE, variables.clone()).await;
    assert_eq!(
        (&answer.body["data"], answer.codes()),
        (&Value::Null, vec!["INVALID".to_owned()]),
        "{variables}: {:#}",
        answer.body
    );
}

async fn a_cursor_is_good_for_its_own_list(app: App) {
    let (owner, foreigner) = (app.owner("jazz").await, app.owner("chess").await);
    for client in [&owner, &foreigner] {
        client.evening(json!({})).await;
        client.patron("Ada").await;
    }
    let own = owner.ok(PAGE, json!({})).await["events"]["pageInfo"]["endCursor"].clone();
    let foreign = foreigner.ok(PAGE, json!({})).await["events"]["pageInfo"]["endCursor"].clone();
    let patrons = owner
        .ok("{ patrons { pageInfo { endCursor } } }", json!({}))
        .await["patrons"]["pageInfo"]["endCursor"]
        .clone();
    let filtered = json!({ "statuses": ["SCHEDULED"] });
    owner.ok(PAGE, json!({ "after": own })).await;
    for variables in [
        json!({ "after": foreign }),
        json!({ "before": patrons }),
        json!({ "after": own, "filter": filtered }),
        json!({ "first": 1, "before": own }),
        json!({ "last": 1, "after": own }),
        json!({ "first": 1, "last": 1 }),
        json!({ "first": 0 }),
        json!({ "last": -1 }),
        json!({ "first": 101 }),
    ] {
        refused(&owner, variables).await;
    }
    app.stop().await;
}

/// Whoever looks into a cursor can write another: it is refused, or harmless.
async fn made_up_cursors_are_refused(app: App) {
    let owner = app.owner("jazz").await;
    owner.evening(json!({})).await;
    let cursor = owner.ok(PAGE, json!({})).await["events"]["pageInfo"]["endCursor"].clone();
    let bytes = URL_SAFE_NO_PAD
        .decode(cursor.as_str().expect("a cursor"))
        .expect("base64");
    let inside: Value = serde_json::from_slice(&bytes).expect("JSON");
    for key in [
        json!({ "s": "x" }),
        json!({ "s": "\0" }),
        json!({ "n": 7 }),
        json!({ "t": "never" }),
        json!(7),
        json!({}),
    ] {
        let mut other = inside.clone();
        other["k"] = key;
        refused(
            &owner,
            json!({ "after": URL_SAFE_NO_PAD.encode(other.to_string()) }),
        )
        .await;
    }
    for garbage in ["", "x", "====", "e30", &"A".repeat(1 << 20)] {
        refused(&owner, json!({ "before": garbage })).await;
    }
    for time in [
        "-200000-01-01T00:00:00Z",
        "+200000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
    ] {
        let mut other = inside.clone();
        other["k"] = json!({ "t": time });
        let answer = owner
            .send(
                PAGE,
                json!({ "after": URL_SAFE_NO_PAD.encode(other.to_string()) }),
            )
            .await;
        assert!(answer.status == 200, "{time}: {:#}", answer.body);
    }
    app.stop().await;
}

async fn filters_take_whatever_they_are_given(app: App) {
    let owner = app.owner("jazz").await;
    owner.evening(json!({})).await;
    let count = |filter: Value| {
        let owner = owner.clone();
        async move { owner.ok(PAGE, json!({ "filter": filter })).await["events"]["totalCount"].clone() }
    };
    // The start belongs to what begins then, and not to what ends then.
    assert_eq!(count(json!({ "from": at(19, 0) })).await, 1);
    assert_eq!(count(json!({ "from": at(19, 1) })).await, 0);
    assert_eq!(count(json!({ "until": at(19, 0) })).await, 0);
    assert_eq!(
        count(json!({ "until": at(19, 1), "from": at(18, 0), "statuses": ["SCHEDULED"] })).await,
        1
    );
    assert_eq!(count(json!({ "statuses": [] })).await, 1);
    for year in ["-200000", "-0001", "0001"] {
        let time = format!("{year}-01-01T00:00:00Z");
        assert_eq!(
            (
                count(json!({ "from": time })).await,
                count(json!({ "until": time })).await
            ),
            (json!(1), json!(0)),
            "{time}"
        );
    }
    for year in ["9999", "+10000", "+200000"] {
        let time = format!("{year}-01-01T00:00:00Z");
        assert_eq!(
            (
                count(json!({ "from": time })).await,
                count(json!({ "until": time })).await
            ),
            (json!(0), json!(1)),
            "{time}"
        );
    }
    let many: Vec<&str> = ["SCHEDULED", "DRAFT"]
        .into_iter()
        .cycle()
        .take(20_000)
        .collect();
    assert_eq!(count(json!({ "statuses": many })).await, 1);
    app.stop().await;
}
