//! What the database writes is, byte for byte, what the executor would have: operations made up from
//! the schema are run both ways. PostgreSQL only; SQLite leaves every answer to the executor.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{App, Backend, Client};

/// Operations to compare.
const OPERATIONS: u64 = 300;
/// What the schema says of a type: for each field its type's name, and whether it is a page.
type Types = BTreeMap<String, Vec<(String, String, bool)>>;
/// Fields that the executor answers: what is asked beside one is never written.
const UNDECLARED: &[&str] = &[
    "changeCursor",
    "metadata",
    "permissions",
    "roles",
    "state",
    "targetId",
    "totalCount",
    "responsible",
];

#[tokio::test(flavor = "multi_thread")]
async fn operations_answer_the_same_both_ways() {
    let Some(app) = App::start(Backend::Postgres).await else {
        return;
    };
    let owner = app.owner("written").await;
    app.member(&owner, "checkin").await;
    let (event, patron) = furnish(&owner).await;
    let types = types(&owner).await;
    let places = "{ auditLog(first: 2) { pageInfo { endCursor } } events(first: 1) { pageInfo { endCursor } } patrons(first: 1) { edges { cursor } } members(first: 1) { pageInfo { startCursor } } }";
    let places = owner.ok(places, json!({})).await;
    let mut variables = json!({ "event": event, "patron": patron, "no": false,
        "events": places["events"]["pageInfo"]["endCursor"],
        "audit": places["auditLog"]["pageInfo"]["endCursor"],
        "patrons": places["patrons"]["edges"][0]["cursor"],
        "members": places["members"]["pageInfo"]["startCursor"] });
    let mut compared = 0;
    for seed in 0..OPERATIONS {
        let mut chance = Chance(seed);
        let page = |list: &str, chance: &mut Chance| match chance.below(4) {
            0 => "last: $size".to_owned(),
            1 => format!("first: $size, after: ${list}"),
            2 => format!("last: $size, before: ${list}"),
            _ => "first: $size".to_owned(),
        };
        let (root, node) = match chance.below(6) {
            5 => (
                format!("auditLog({})", page("audit", &mut chance)),
                "AuditEntryConnection",
            ),
            0 => ("event(id: $event)".to_owned(), "Event"),
            1 => ("patron(id: $patron)".to_owned(), "Patron"),
            2 => (
                format!("events({})", page("events", &mut chance)),
                "EventConnection",
            ),
            3 => (
                format!("patrons({})", page("patrons", &mut chance)),
                "PatronConnection",
            ),
            _ => (
                format!("members({})", page("members", &mut chance)),
                "MemberConnection",
            ),
        };
        let below = selection(&types, node, 3, &mut chance);
        let definitions = [
            "$event: ID!",
            "$patron: ID!",
            "$size: Int",
            "$events: String",
            "$audit: String",
            "$patrons: String",
            "$members: String",
            "$yes: Boolean = true",
            "$no: Boolean!",
        ];
        let operation = format!("{root} {{ {below} __typename }}");
        let used = definitions
            .into_iter()
            .filter(|definition| {
                let name = definition.split(':').next().expect("a name");
                operation
                    .split(|letter: char| !letter.is_alphanumeric() && letter != '$')
                    .any(|word| word == name)
            })
            .collect::<Vec<_>>()
            .join(", ");
        let head = if used.is_empty() {
            used
        } else {
            format!("({used})")
        };
        // The guard refuses more than a hundred aliases.
        if below.matches(": ").count() > 90 {
            continue;
        }
        compared += 1;
        variables["size"] = json!(1 + seed % 3);
        let document = format!("query{head} {{ {operation} }}");
        let written = owner.text(&document, &variables).await;
        assert!(
            written.contains("\"statements\":1}"),
            "not written:\n{document}\n{written}"
        );
        // What is asked for twice is left to the executor.
        let twice = format!("query{head} {{ {operation} {root} {{ __typename }} }}");
        let walked = owner.text(&twice, &variables).await;
        assert_eq!(data(&written), data(&walked), "{document}");
    }
    assert!(compared > OPERATIONS / 2, "{compared} were compared");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_seen_is_not_written() {
    let Some(app) = App::start(Backend::Postgres).await else {
        return;
    };
    let owner = app.owner("written").await;
    let (_, patron) = furnish(&owner).await;
    let door = app.member(&owner, "checkin").await;
    let query = "query($id: ID!) { patron(id: $id) { firstName points tier loyaltyEntries { nodes { points } } } }";
    let answer = door.send(query, json!({ "id": patron })).await;
    assert_eq!(answer.codes(), ["FORBIDDEN"; 3], "{:#}", answer.body);
    let found = &answer.body["data"]["patron"];
    assert_eq!(found["points"], Value::Null);
    assert_eq!(found["loyaltyEntries"], Value::Null);
    assert_eq!(found["firstName"], "O\"Brien\\ \u{1F3B7}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_fields_are_written_of_one_moment() {
    let Some(app) = App::start(Backend::Postgres).await else {
        return;
    };
    let owner = app.owner("written").await;
    let (event, patron) = furnish(&owner).await;
    let query = "query($event: ID!, $patron: ID!) { event(id: $event) { title } patron(id: $patron) { firstName }
        removed: patron(id: $event) { id } }";
    let answer = owner
        .send(query, json!({ "event": event, "patron": patron }))
        .await;
    assert_eq!(answer.codes(), ["INVALID_ID"], "{:#}", answer.body);
    assert_eq!(answer.body["data"]["event"]["title"], "Late \"set\"");
    assert_eq!(answer.body["extensions"]["cost"]["statements"], 2);
    let delete =
        "mutation($id: ID!) { deletePatron(input: { patronId: $id }) { errors { message } } }";
    owner.ok(delete, json!({ "id": patron })).await;
    let gone = owner
        .ok(
            "query($id: ID!) { patron(id: $id) { id } }",
            json!({ "id": patron }),
        )
        .await;
    assert_eq!(gone["patron"], Value::Null);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_twice_is_merged() {
    let Some(app) = App::start(Backend::Postgres).await else {
        return;
    };
    let owner = app.owner("written").await;
    let (event, patron) = furnish(&owner).await;
    let variables = json!({ "event": event, "patron": patron });
    let query = "query($event: ID!) { event(id: $event) { title } ...Again } fragment Again on Query { event(id: $event) { capacity } }";
    let found = owner.ok(query, variables.clone()).await;
    assert_eq!(
        found["event"],
        json!({ "title": "Late \"set\"", "capacity": 3 })
    );
    let check_in = "mutation($event: ID!, $patron: ID!) { checkIn(input: { eventId: $event, patronId: $patron }) {
        attendance { attended } attendance { seats } other: attendance { patron { firstName } } } }";
    let found = owner.ok(check_in, variables.clone()).await;
    assert_eq!(
        found["checkIn"],
        json!({ "attendance": { "attended": true, "seats": 1 }, "other": { "patron": { "firstName": "O\"Brien\\ \u{1F3B7}" } } })
    );
    let twice = "mutation($event: ID!, $patron: ID!) { checkIn(input: { eventId: $event, patronId: $patron }) {
        attendance { attended } other: attendance { seats } } }";
    let found = owner.ok(twice, variables).await;
    assert_eq!(
        found["checkIn"],
        json!({ "attendance": { "attended": true }, "other": { "seats": 1 } })
    );
    app.stop().await;
}

/// Events and patrons with texts that JSON has to escape, nulls, and lists of several rows.
async fn furnish(owner: &Client) -> (String, String) {
    let event = owner
        .event(
            "Late \"set\"",
            json!({ "description": "a\nb\tc</script>", "capacity": 3 }),
        )
        .await;
    let quiet = owner.event("Früh", json!({})).await;
    let patron = owner.patron("O\"Brien\\ \u{1F3B7}").await;
    for patron in [
        &patron,
        &owner.patron("Łukasz").await,
        &owner.patron("Wu").await,
    ] {
        owner.check_in(&event, patron).await;
        owner.check_in(&quiet, patron).await;
    }
    (event, patron)
}

/// Some fields of a type, in some order, under some names, behind fragments and directives.
fn selection(types: &Types, of: &str, depth: usize, chance: &mut Chance) -> String {
    let fields = &types[of];
    let mut parts = Vec::new();
    let is_page = of.ends_with("Connection");
    for _ in 0..=chance.below(6) {
        let (name, of_type, paged) = &fields[chance.below(fields.len())];
        let is_object = types.contains_key(of_type);
        if is_object && depth == 0 {
            continue;
        }
        let mut text = match chance.below(4) {
            _ if is_object => format!("a{}: {name}", chance.below(1_000_000)),
            0 => format!("{name}Again: {name}"),
            _ => name.clone(),
        };
        if *paged && !is_page {
            text += match chance.below(4) {
                0 => "",
                1 => "(first: 2)",
                2 => "(last: 2)",
                _ => "(first: $size)",
            };
        }
        if chance.below(8) == 0 {
            text += ["@include(if: $yes)", "@skip(if: $no)", "@skip(if: true)"][chance.below(3)];
        }
        if is_object {
            let below = selection(types, of_type, depth - 1, chance);
            text = format!("{text} {{ {below} }}");
        }
        parts.push(match chance.below(6) {
            0 => format!("... on {of} {{ {text} }}"),
            1 => format!("... {{ {text} }}"),
            _ => text,
        });
    }
    if is_page {
        let node = of.trim_end_matches("Connection");
        let nodes = selection(types, node, depth, chance);
        parts.push(format!("rows: nodes {{ {nodes} }}"));
    }
    parts.push("__typename".to_owned());
    parts.join(" ")
}

async fn types(owner: &Client) -> Types {
    let query = "{ __schema { types { kind name fields { name type { name ofType { name ofType { name ofType { name } } } } } } } }";
    let schema = owner.ok(query, json!({})).await;
    let types = schema["__schema"]["types"].as_array().expect("types");
    let rows = [
        "Event",
        "Patron",
        "Attendance",
        "LoyaltyEntry",
        "Member",
        "User",
        "AuditEntry",
        "ApiKey",
        "Team",
        "TeamMember",
    ];
    let mut known = Types::new();
    for described in types {
        let name = described["name"].as_str().expect("a name");
        let of_row = |suffix| {
            name.strip_suffix(suffix)
                .is_some_and(|row| rows.contains(&row))
        };
        if !of_row("Connection") && !of_row("Edge") && name != "PageInfo" && !rows.contains(&name) {
            continue;
        }
        let fields = described["fields"].as_array().expect("fields").iter();
        let fields = fields.map(|field| {
            let of = innermost(&field["type"]);
            (text(&field["name"]), of.clone(), of.ends_with("Connection"))
        });
        let declared = |(name, ..): &(String, String, bool)| !UNDECLARED.contains(&name.as_str());
        known.insert(name.to_owned(), fields.filter(declared).collect());
    }
    known
}

fn innermost(of: &Value) -> String {
    match of.get("ofType") {
        Some(inner) if !inner.is_null() => innermost(inner),
        _ => text(&of["name"]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn data(answer: &str) -> &str {
    let (data, _) = answer.split_once(",\"extensions\":").expect("an answer");
    data
}

/// The same numbers for the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let number = (mixed ^ (mixed >> 31)) % bound as u64;
        usize::try_from(number).expect("small")
    }
}
