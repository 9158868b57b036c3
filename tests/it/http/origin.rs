//! Reading with the cookie that a browser adds by itself, and which origin is ours.

use reqwest::{RequestBuilder, header::COOKIE};
use serde_json::{Value, json};

use crate::harness::{App, Backend, TestDatabase};

const PARTNER: &str = "https://partner.example.org";

async fn app(variables: &[(&str, &str)]) -> (App, String) {
    let database = TestDatabase::create(Backend::Sqlite)
        .await
        .expect("SQLite needs nothing");
    let app = App::start_with(database, domain::Clock::system(), variables).await;
    let owner = app.owner("reader").await;
    (app, owner.token.expect("a token"))
}

fn get(app: &App, query: &str) -> RequestBuilder {
    reqwest::Client::new().get(format!(
        "{}/graphql?query={}",
        app.url,
        query.replace(' ', "%20")
    ))
}

async fn send(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    (
        answer.status().as_u16(),
        answer.json().await.unwrap_or_default(),
    )
}

/// The status, and the code of the first error if there is one.
fn told(answer: &(u16, Value)) -> (u16, &str) {
    let code = answer.1["errors"][0]["extensions"]["code"].as_str();
    (answer.0, code.unwrap_or_default())
}

const REFUSED: (u16, &str) = (403, "FORBIDDEN_ORIGIN");

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_page_cannot_read_with_the_cookie() {
    let (app, token) = app(&[("ROLLCALL_ALLOWED_ORIGINS", PARTNER)]).await;
    let cookie = format!("rollcall={token}");
    let read = |headers: &[(&str, &str)]| {
        let request = get(&app, "{ viewer { user { username } } }").header(COOKIE, &cookie);
        headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        })
    };
    for headers in [
        [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ]
        .as_slice(),
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", &format!("{}1", app.url))],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ] {
        let answer = send(read(headers)).await;
        assert_eq!(told(&answer), REFUSED, "{headers:?}");
        assert!(answer.1.get("data").is_none());
        let stream = read(headers).header("accept", "text/event-stream");
        assert_eq!(told(&send(stream).await), REFUSED, "{headers:?}");
    }
    for headers in [
        [].as_slice(),
        &[("sec-fetch-site", "none")],
        &[("sec-fetch-site", "same-origin")],
        &[("origin", app.url.as_str())],
        &[("origin", PARTNER), ("sec-fetch-site", "cross-site")],
    ] {
        let (status, body) = send(read(headers)).await;
        assert_eq!(status, 200, "{headers:?}");
        assert!(body["data"]["viewer"]["user"].is_object(), "{body}");
    }
    // No browser adds a token by itself, and without a credential there is nothing to keep.
    let evil = |request: RequestBuilder| request.header("origin", "https://evil.example");
    let viewer = || get(&app, "{ viewer { user { username } } }");
    assert_eq!(send(evil(viewer().bearer_auth(&token))).await.0, 200);
    let (status, body) = send(evil(viewer())).await;
    assert_eq!((status, &body["data"]), (200, &json!({ "viewer": null })));
    // A stream that would stay open is refused before it begins.
    let follow = get(&app, "subscription { attendanceChanged { cursor } }");
    let follow = evil(follow.header(COOKIE, &cookie)).header("accept", "text/event-stream");
    assert_eq!(told(&send(follow).await), REFUSED);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_origin_is_the_configured_one_whatever_the_host() {
    for (public, own, cookie) in [
        (
            "https://rollcall.example",
            "https://rollcall.example",
            "__Host-rollcall",
        ),
        (
            "https://rollcall.example:443/",
            "https://rollcall.example",
            "__Host-rollcall",
        ),
        (
            "http://rollcall.example:8000",
            "http://rollcall.example:8000",
            "rollcall",
        ),
    ] {
        let variables = [
            ("ROLLCALL_PUBLIC_URL", public),
            ("ROLLCALL_ALLOWED_ORIGINS", PARTNER),
        ];
        let (app, token) = app(&variables).await;
        let from = |host: &str, origin: String| {
            reqwest::Client::new()
                .post(format!("{}/graphql", app.url))
                .json(&json!({ "query": "{ viewer { user { username } } }" }))
                .header(COOKIE, format!("{cookie}={token}"))
                .header("host", host)
                .header("origin", origin)
        };
        for scheme in ["https", "http"] {
            let answer = send(from("evil.example", format!("{scheme}://evil.example"))).await;
            assert_eq!(told(&answer), REFUSED, "{public}");
        }
        for host in ["rollcall.example", "127.0.0.1"] {
            for origin in [own, PARTNER] {
                let (status, body) = send(from(host, origin.to_owned())).await;
                assert_eq!(status, 200, "{public} {origin}: {body}");
                assert!(body["data"]["viewer"]["user"].is_object(), "{body}");
            }
        }
        app.stop().await;
    }
}
