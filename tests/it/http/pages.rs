//! What is served beside GraphQL: health, metrics, the explorer's page.

use serde_json::json;

use crate::harness::{
    App, Backend, TestDatabase, on_each_database, process::Process, services::PostgresServer,
};

on_each_database!(health_says_ready_and_metrics_count);

async fn health_says_ready_and_metrics_count(app: App) {
    let get = async |path: &str| {
        let answer = reqwest::get(format!("{}{path}", app.url))
            .await
            .expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    assert_eq!(get("/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(get("/readyz").await, (200, "ready\n".to_owned()));
    let (status, _) = get("/there/is/nothing").await;
    assert_eq!(status, 404);

    let owner = app.owner("pages").await;
    owner.ok("{ events { nodes { id } } }", json!({})).await;
    let (status, metrics) = get("/metrics").await;
    assert_eq!(status, 200);
    for name in [
        "rollcall_http_requests_total{path=\"/graphql\",status=\"200\"}",
        "rollcall_http_requests_total{path=\"other\",status=\"404\"}",
        "rollcall_http_request_seconds_bucket{path=\"/graphql\",le=\"0.1\"}",
        "rollcall_database_statements_total",
    ] {
        assert!(metrics.contains(name), "{name} is missing in:\n{metrics}");
    }
    // A path is ours or `other`: whoever scans us cannot make metrics without end.
    assert!(!metrics.contains("nothing"), "{metrics}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_guarded_and_cached_by_its_tag() {
    let app = App::start(Backend::Sqlite)
        .await
        .expect("SQLite needs nothing");
    let answer = reqwest::get(&app.url).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let header = |name: &str| {
        answer
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    assert!(header("content-type").starts_with("text/html"));
    let policy = header("content-security-policy");
    for rule in [
        "default-src 'none'",
        "script-src 'self';",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(rule), "{rule} is missing in {policy}");
    }
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("cache-control"), "no-cache");
    let again = reqwest::Client::new()
        .get(&app.url)
        .header("if-none-match", header("etag"))
        .send()
        .await;
    assert_eq!(again.expect("an answer").status(), 304);
    app.stop().await;
}

/// An instance whose database is away is alive and not ready, and is ready again by itself.
#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_the_database() {
    let Some(postgres) = PostgresServer::start().await else {
        return;
    };
    let database = TestDatabase::on(&postgres).await;
    let process = Process::start(&[("DATABASE_URL", &database.url())]);
    let status = async |path: &str| {
        reqwest::get(format!("{}{path}", process.url))
            .await
            .expect("an answer")
            .status()
            .as_u16()
    };
    assert_eq!(status("/readyz").await, 200);
    postgres.kill();
    assert_eq!(status("/readyz").await, 503);
    assert_eq!(status("/healthz").await, 200);
    postgres.up().await;
    // A connection that broke may have to be found broken first.
    let ready = async {
        while status("/readyz").await != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), ready)
        .await
        .expect("ready again");
}
