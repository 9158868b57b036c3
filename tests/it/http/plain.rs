//! Requests as a browser, or somebody who would like to be taken for one, sends them.

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::harness::{App, Backend};

/// A page that may call, beside our own.
const PARTNER: &str = "https://partner.example.org";

async fn app() -> App {
    let variables = [("ROLLCALL_ALLOWED_ORIGINS", PARTNER)];
    let database = crate::harness::TestDatabase::create(Backend::Sqlite)
        .await
        .expect("SQLite needs nothing");
    App::start_with(database, domain::Clock::system(), &variables).await
}

fn request(app: &App, method: Method) -> RequestBuilder {
    reqwest::Client::new().request(method, format!("{}/graphql", app.url))
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

async fn code(answer: Response) -> String {
    let body: Value = answer.json().await.expect("JSON");
    body["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_needs_post_and_json() {
    let app = app().await;
    let sign_out = "mutation { signOut { errors { message } } }";
    let by_get = async |query: &str| {
        let url = format!("{}/graphql?query={}", app.url, query.replace(' ', "%20"));
        reqwest::get(url).await.expect("an answer")
    };
    let answer = by_get(sign_out).await;
    assert_eq!(
        (answer.status().as_u16(), header(&answer, "allow")),
        (405, "POST")
    );
    for media in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        let body = json!({ "query": sign_out }).to_string();
        let answer = request(&app, Method::POST)
            .header("content-type", media)
            .body(body)
            .send()
            .await;
        assert_eq!(answer.expect("an answer").status(), 415, "{media}");
    }
    let answer = request(&app, Method::POST)
        .body(json!({ "query": sign_out }).to_string())
        .send()
        .await;
    assert_eq!(
        answer.expect("an answer").status(),
        415,
        "no media type at all"
    );
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = request(&app, method).send().await.expect("an answer");
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "allow")),
            (405, "GET, POST, OPTIONS")
        );
    }
    // The control: a query is fine by GET.
    assert_eq!(by_get("{ __typename }").await.status(), 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_others_are_told_apart() {
    let app = app().await;
    let preflight = async |origin: &'static str| {
        let request = request(&app, Method::OPTIONS).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let request = request.header(
            "access-control-request-headers",
            "content-type, authorization, rollcall-organization",
        );
        request.send().await.expect("an answer")
    };
    let answer = preflight(PARTNER).await;
    assert!(answer.status().is_success(), "{answer:?}");
    assert_eq!(header(&answer, "access-control-allow-origin"), PARTNER);
    for name in ["content-type", "authorization", "rollcall-organization"] {
        assert!(
            header(&answer, "access-control-allow-headers")
                .to_lowercase()
                .contains(name),
            "{name}: {answer:?}"
        );
    }
    let answer = preflight("https://stranger.example.org").await;
    assert_eq!(
        header(&answer, "access-control-allow-origin"),
        "",
        "{answer:?}"
    );

    // A cookie comes along whoever's page it is; so it counts only from ours.
    let owner = app.owner("pages").await;
    let token = owner.token.clone().expect("a token");
    let by = async |origin: &'static str| {
        let request = request(&app, Method::POST)
            .header("cookie", format!("rollcall={token}"))
            .header("origin", origin);
        request
            .json(&json!({ "query": "{ viewer { user { username } } }" }))
            .send()
            .await
            .expect("an answer")
    };
    let answer = by("https://stranger.example.org").await;
    assert_eq!(answer.status(), 403, "{answer:?}");
    assert_eq!(by(PARTNER).await.status(), 200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_told_so_with_a_code() {
    let app = app().await;
    for (body, status) in [
        ("", 400),
        ("{", 400),
        ("[]", 400),
        ("null", 400),
        ("{}", 400),
        (r#"{"query":1}"#, 400),
        (r#"{"query":"{ nothing }"}"#, 400),
    ] {
        let request = request(&app, Method::POST).header("content-type", "application/json");
        let request = request.header("accept", "application/graphql-response+json");
        let answer = request.body(body).send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{body}");
        assert_ne!(code(answer).await, "", "{body}");
    }
    let wrong = request(&app, Method::POST)
        .bearer_auth("nonsense")
        .json(&json!({ "query": "{ viewer { user { id } } }" }));
    let answer = wrong
        .header("accept", "application/graphql-response+json")
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 401);
    assert_eq!(code(answer).await, "UNAUTHENTICATED");
    app.stop().await;
}
