//! Bad input to every mutation there is, found by introspection: each value is answered with a code,
//! nothing is written, and the service goes on. Each sample is good, so that it is the one bad value
//! that is refused.

mod access;
mod invisible;
mod leap;
mod poison;
mod provider;
mod samples;
mod schema;

use serde_json::{Value, json};

use crate::harness::{Answer, App, mutation::input_type, on_each_database};
use poison::poisons;
use samples::World;

on_each_database!(at crate::harness::evening::at(18, 0); every_mutation_refuses_bad_input);

async fn every_mutation_refuses_bad_input(app: App) {
    let mut world = World::new(&app).await;
    let schema = schema::read(&world.owner).await;
    let mut left = schema.mutations.clone();
    let mut good = world.first_samples();
    let (mut refused, mut wrong) = (0, Vec::new());
    while let Some((field, input)) = good.pop() {
        assert!(
            left.remove(field),
            "{field} is not in the schema, or has two samples"
        );
        let Some(input) = input else { continue };
        let before = app.database.without_refusals().await;
        for (path, poison) in poisons(&schema, &world, &input_type(field), &input) {
            let answer = world.owner.mutate(field, selection(field), poison).await;
            let codes = complaints(&answer, field);
            if codes.is_empty() || codes.iter().any(|code| !EXPECTED.contains(&&**code)) {
                wrong.push(format!("{field}: {path}: {}", brief(&answer)));
            }
            refused += 1;
        }
        let after = app.database.without_refusals().await;
        for (table, rows) in &before {
            if Some(rows) != after.get(table) {
                wrong.push(format!("{field}: bad input changed {table}"));
            }
        }
        let answer = world.owner.mutate(field, selection(field), input).await;
        assert_eq!(
            complaints(&answer, field),
            Vec::<String>::new(),
            "the sample of {field}: {}",
            brief(&answer)
        );
        // The others' samples go on in the same session.
        if let Some(token) = answer.body["data"][field]["token"].as_str() {
            world.owner = world.owner.with_token(token);
        }
        if let Some(next) = world.next_sample(&app, field, &answer).await {
            good.push(next);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(left.is_empty(), "without a sample: {left:?}");
    assert!(refused > 300, "only {refused} values were tried");
    app.stop().await;
}

/// What bad input may be answered with. Anything else is trouble of ours.
const EXPECTED: &[&str] = &[
    "INVALID",
    "REQUIRED",
    "TOO_LONG",
    "INVALID_ID",
    "NOT_FOUND",
    "WEAK_PASSWORD",
    "BAD_CREDENTIALS",
    "INVALID_TOKEN",
    "UNREADABLE_FILE",
    "NOTHING_TO_UNDO",
    "GRAPHQL_VALIDATION_FAILED",
];

fn selection(field: &str) -> &'static str {
    match field {
        "recordScans" => "results { error { code } }",
        "startImport" => "import { id }",
        "confirmPassword" | "changePassword" | "confirmTotp" | "confirmSecondFactor" => "token",
        _ => "__typename",
    }
}

/// Every code in an answer: of the whole, of the payload, or of one scan of a batch.
fn complaints(answer: &Answer, field: &str) -> Vec<String> {
    let mut codes = answer.codes();
    codes.extend(answer.refusals(field));
    let results = answer.body["data"][field]["results"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    codes.extend(
        results
            .iter()
            .filter_map(|result| result["error"]["code"].as_str().map(str::to_owned)),
    );
    if answer.body.get("data").is_none() && codes.is_empty() {
        codes.push(format!("status {}", answer.status));
    }
    codes
}

fn brief(answer: &Answer) -> String {
    let body = if answer.body == Value::Null {
        json!("no JSON")
    } else {
        answer.body.clone()
    };
    format!(
        "{} {}",
        answer.status,
        body.to_string().chars().take(600).collect::<String>()
    )
}
