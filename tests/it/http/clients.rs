//! Suites and clients of the JavaScript world, against the real server.

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
use serde_json::{Value, json};

use crate::harness::{App, Backend, node};

#[tokio::test(flavor = "multi_thread")]
async fn all_audits_of_graphql_over_http_are_ok() {
    let app = App::start(Backend::Sqlite)
        .await
        .expect("SQLite needs nothing");
    let Some(result) = run("audits.mjs", vec![format!("{}/graphql", app.url)]).await else {
        return;
    };
    let report: Value =
        serde_json::from_str(&result.expect("every audit is ok")).expect("a report");
    assert_eq!(report, json!({ "total": 61, "ok": 61, "failed": [] }));
    app.stop().await;
}

/// The control: the library's own integration fails some, so the suite can fail.
#[tokio::test(flavor = "multi_thread")]
async fn the_stock_integration_fails_some_audits() {
    let schema = Schema::new(Toy, EmptyMutation, EmptySubscription);
    let service = async_graphql_axum::GraphQL::new(schema);
    let router = axum::Router::new().route_service("/graphql", service);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!(
        "http://{}/graphql",
        listener.local_addr().expect("an address")
    );
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let Some(result) = run("audits.mjs", vec![url]).await else {
        return;
    };
    let report: Value =
        serde_json::from_str(&result.expect_err("some audits fail")).expect("a report");
    let failed: Vec<&str> = report["failed"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|audit| audit["id"].as_str())
        .collect();
    // One of them is a MUST: application/json is answered with another media type.
    assert!(failed.contains(&"4655"), "{report:#}");
    serving.abort();
}

struct Toy;

#[Object]
impl Toy {
    async fn hello(&self) -> &str {
        "hello"
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_usual_clients_hear_the_same() {
    let app = App::start(Backend::Sqlite)
        .await
        .expect("SQLite needs nothing");
    let owner = app.owner("clients").await;
    let (event, patron) = (
        owner.event("Jazz night", json!({})).await,
        owner.patron("Ada").await,
    );
    let token = owner.token.clone().expect("a token");
    let Some(result) = run(
        "transport.mjs",
        vec![format!("{}/graphql", app.url), token, event, patron],
    )
    .await
    else {
        return;
    };
    let heard: Value =
        serde_json::from_str(&result.expect("both clients hear both changes")).expect("JSON");
    assert_eq!(heard["socket"].as_array().map(Vec::len), Some(2));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn relay_compiles_an_application_for_the_schema() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (good, bad) = (
        directory.path().join("schema.graphql"),
        directory.path().join("bad.graphql"),
    );
    std::fs::write(&good, api::sdl()).expect("a file");
    let text = |path: &std::path::Path| vec![path.to_str().expect("a path").to_owned()];
    let Some(result) = run("relay.mjs", text(&good)).await else {
        return;
    };
    let report: Value =
        serde_json::from_str(&result.expect("the compiler takes the schema")).expect("JSON");
    assert_eq!(report["artifacts"], 9, "{report}");
    // The control: a connection whose edges have no cursor is refused.
    let broken = api::sdl()
        .replace("type EventEdge", "type LostEdge")
        .replace("[EventEdge!]", "[LostEvent!]");
    std::fs::write(&bad, broken + "\n\"\"\"An edge without a cursor.\"\"\"\ntype LostEvent { \"\"\"An event.\"\"\" node: Event! }\n").expect("a file");
    let refused = run("relay.mjs", text(&bad)).await.expect("Node, as before");
    assert!(
        refused
            .expect_err("the compiler refuses it")
            .contains("cursor")
    );
}

/// Runs a script without holding up the server, which lives in this process.
async fn run(script: &'static str, arguments: Vec<String>) -> Option<Result<String, String>> {
    let run = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        node::run("node", script, &arguments)
    };
    tokio::task::spawn_blocking(run).await.expect("no panic")
}
