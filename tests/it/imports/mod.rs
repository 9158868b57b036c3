//! Files of people, and of what they attended.

mod commit;
mod file;
mod interruption;
mod permission;
mod verdict;

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::harness::{App, Client};

/// Starts an import of `content`, with `more` in its input, and gives its id.
async fn start(client: &Client, content: &[u8], more: Value) -> String {
    let mut input = json!({ "fileName": "people.csv", "content": STANDARD.encode(content) });
    input
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    let payload = client
        .done("startImport", "import { id status }", input)
        .await;
    assert_eq!(payload["import"]["status"], "READING");
    payload["import"]["id"].as_str().expect("an id").to_owned()
}

/// The import once nothing is under way: its status, what it is, and its counts.
async fn settled(client: &Client, id: &str) -> Value {
    let query = "query($id: ID!) { import(id: $id) { status failure fileName rowsTotal rowsDone toCreate toLink toSuggest toSkip withError
        file { encoding separator columns preset detectedPreset confidence mapping { column field } } } }";
    loop {
        let import = client.ok(query, json!({ "id": id })).await["import"].clone();
        if import["status"] != "READING" && import["status"] != "COMMITTING" {
            return import;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Starts an import and waits for its dry run.
async fn preview(client: &Client, content: &[u8], more: Value) -> (String, Value) {
    let id = start(client, content, more).await;
    let import = settled(client, &id).await;
    (id, import)
}

/// Has it written and waits for that.
async fn commit(client: &Client, id: &str) -> Value {
    client
        .done("commitImport", "__typename", json!({ "importId": id }))
        .await;
    settled(client, id).await
}

/// The counts of verdicts: create, link, suggest, skip, error.
fn verdicts(import: &Value) -> [i64; 5] {
    ["toCreate", "toLink", "toSuggest", "toSkip", "withError"]
        .map(|name| import[name].as_i64().expect("a count"))
}

/// What an import may write, and a dry run must not.
async fn people(app: &App) -> BTreeMap<String, Vec<String>> {
    let tables = [
        "patrons",
        "patron_external_ids",
        "attendances",
        "attendance_scans",
        "loyalty_entries",
        "events",
    ];
    app.database.rows_of(&tables).await
}

/// The names and addresses of all patrons, in their order.
async fn names(client: &Client) -> Vec<String> {
    let data = client
        .ok(
            "{ patrons(first: 100) { nodes { name email phone } } }",
            json!({}),
        )
        .await;
    let nodes = data["patrons"]["nodes"]
        .as_array()
        .expect("patrons")
        .clone();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    nodes
        .iter()
        .map(|node| {
            format!(
                "{} {} {}",
                text(&node["name"]),
                text(&node["email"]),
                text(&node["phone"])
            )
        })
        .collect()
}
