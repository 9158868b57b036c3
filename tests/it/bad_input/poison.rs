//! Bad values in place of the good ones of a sample.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    samples::World,
    schema::{Schema, Type},
};

/// The input with each of its values spoiled in each way, and what was done to it.
pub fn poisons(schema: &Schema, world: &World, name: &str, input: &Value) -> Vec<(String, Value)> {
    let mut spoiled = Vec::new();
    let fields = schema.fields(name);
    assert!(!fields.is_empty(), "no input type {name}");
    for (field, of) in fields {
        let good = input.get(field);
        let good = good.unwrap_or_else(|| panic!("the sample of {name} has no {field}"));
        // Of two that exclude each other, the other one.
        if good.is_null() {
            continue;
        }
        let mut values = values(field, of, good, world);
        if of.is_list {
            values.push(("a list of 10,000".to_owned(), many(&good[0])));
            let nested = poisons_of_item(schema, world, of, &good[0]);
            values.extend(nested.into_iter().map(|(path, item)| (path, json!([item]))));
        }
        for (what, value) in values {
            let mut bad = input.clone();
            bad[field] = value;
            spoiled.push((format!("{name}.{field}: {what}"), bad));
        }
    }
    spoiled.extend(turned_around(name, input));
    spoiled
}

/// 10,000 items like this one, each a little different.
fn many(item: &Value) -> Value {
    let numbered = (0..10_000).map(|number| {
        let mut item = item.clone();
        if let Some(column) = item.get_mut("column") {
            *column = json!(format!("Column {number}"));
        }
        item
    });
    numbered.collect()
}

fn poisons_of_item(
    schema: &Schema,
    world: &World,
    of: &Type,
    item: &Value,
) -> Vec<(String, Value)> {
    if schema.fields(&of.name).is_empty() {
        return Vec::new();
    }
    poisons(schema, world, &of.name, item)
}

fn values(field: &str, of: &Type, good: &Value, world: &World) -> Vec<(String, Value)> {
    if of.is_list {
        return vec![("no list".to_owned(), json!("text"))];
    }
    if of.is_enumeration {
        return vec![("no such value".to_owned(), json!("NONSENSE"))];
    }
    match of.name.as_str() {
        "ID" => ids(good.as_str().expect("an id"), world),
        "String" => texts(field, good.as_str().expect("a text")),
        "Int" => [-1, i64::from(i32::MAX) + 1]
            .map(|number| (number.to_string(), json!(number)))
            .into(),
        "Boolean" => vec![("no boolean".to_owned(), json!("maybe"))],
        "DateTime" => [
            "10000-01-01T00:00:00Z",
            "+10000-01-01T00:00:00Z",
            "0000-12-31T00:00:00Z",
            "never",
            "",
        ]
        .map(|time| (time.to_owned(), json!(time)))
        .into(),
        "JSON" => vec![
            ("no object".to_owned(), json!("text")),
            ("NUL".to_owned(), json!({ "a": "\0" })),
            ("NUL in a name".to_owned(), json!({ "\0": 1 })),
            ("1 MB".to_owned(), json!({ "a": long() })),
        ],
        other => panic!("{field} is a {other}: say here what is bad for one"),
    }
}

fn ids(good: &str, world: &World) -> Vec<(String, Value)> {
    let bytes = URL_SAFE_NO_PAD.decode(good).expect("an id");
    let foreign = world
        .foreign
        .iter()
        .find(|id| URL_SAFE_NO_PAD.decode(id).expect("an id")[0] == bytes[0]);
    let foreign = foreign.unwrap_or_else(|| panic!("no other organization has one like {good}"));
    let mut other_kind = bytes.clone();
    other_kind[0] = if bytes[0] == b'E' { b'P' } else { b'E' };
    let mut nothing = bytes;
    nothing[1..].fill(7);
    vec![
        ("another tenant's".to_owned(), json!(foreign)),
        (
            "another kind".to_owned(),
            json!(URL_SAFE_NO_PAD.encode(other_kind)),
        ),
        (
            "nobody's".to_owned(),
            json!(URL_SAFE_NO_PAD.encode(nothing)),
        ),
        ("blank".to_owned(), json!("")),
        ("NUL".to_owned(), json!("\0")),
        ("1 MB".to_owned(), json!(long())),
        ("a list".to_owned(), json!([good, good])),
    ]
}

fn texts(field: &str, good: &str) -> Vec<(String, Value)> {
    let mut texts = vec![("a number".to_owned(), json!(7))];
    // A file may be as long as that, and what is in it is told by the dry run.
    if field != "content" {
        texts.push(("1 MB".to_owned(), json!(long())));
    }
    // A password is never stored as it is.
    if !["password", "currentPassword", "newPassword"].contains(&field) {
        texts.push(("NUL".to_owned(), json!(format!("{good}\0"))));
    }
    // These may be empty: a patron without an address, a device without a name.
    let may_be_blank = [
        "lastName",
        "description",
        "location",
        "phone",
        "avatarUrl",
        "device",
        "reason",
    ];
    let patrons_email = field == "email" && ["bo@example.org", "ada@example.org"].contains(&good);
    if !may_be_blank.contains(&field) && !patrons_email {
        texts.push(("blank".to_owned(), json!(" ")));
        texts.push(("empty".to_owned(), json!("")));
    }
    if field == "timeZone" {
        texts.push(("no zone".to_owned(), json!("Mars/Olympus_Mons")));
    }
    texts
}

/// Two values that are good alone and bad together.
fn turned_around(name: &str, input: &Value) -> Vec<(String, Value)> {
    if !name.ends_with("EventInput") || input["startsAt"].is_null() {
        return Vec::new();
    }
    [
        ("startsAt", "endsAt"),
        ("checkInOpensAt", "checkInClosesAt"),
    ]
    .into_iter()
    .flat_map(|(first, last)| {
        let mut turned = input.clone();
        turned[first] = input[last].clone();
        turned[last] = input[first].clone();
        let mut empty = input.clone();
        empty[last] = input[first].clone();
        [
            (format!("{name}: {last} before {first}"), turned),
            (format!("{name}: {last} is {first}"), empty),
        ]
    })
    .collect()
}

fn long() -> String {
    "x".repeat(1 << 20)
}
