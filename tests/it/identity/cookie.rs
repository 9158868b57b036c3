//! The browser's way: a cookie, and who may make a browser send it.

use domain::Clock;
use reqwest::{
    RequestBuilder, Response,
    header::{COOKIE, HeaderMap, ORIGIN, SET_COOKIE},
};
use serde_json::{Value, json};

use crate::harness::{App, Backend, TestDatabase, on_each_database, people::PASSWORD};

on_each_database!(
    a_cookie_stands_for_the_token,
    a_foreign_page_cannot_use_the_cookie,
    a_stale_cookie_is_taken_away
);

const SIGN_UP: &str =
    "mutation($input: SignUpInput!) { signUp(input: $input) { token errors { message } } }";
const VIEWER: &str = "{ viewer { user { username } } }";
const OUT: &str = "mutation { signOut { errors { message } } }";

fn request(app: &App, query: &str, variables: &Value) -> RequestBuilder {
    reqwest::Client::new()
        .post(format!("{}/graphql", app.url))
        .json(&json!({ "query": query, "variables": variables }))
}

async fn send(request: RequestBuilder) -> (u16, HeaderMap, Value) {
    let response: Response = request.send().await.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, response.json().await.unwrap_or_default())
}

fn set_cookie(headers: &HeaderMap) -> String {
    headers
        .get(SET_COOKIE)
        .map(|value| value.to_str().expect("text").to_owned())
        .unwrap_or_default()
}

/// Signs somebody up as a browser does: what was set, and the pair that is sent from then on.
async fn browser(app: &App) -> (String, String) {
    let input = json!({ "username": "ada", "email": "ada@example.org", "password": PASSWORD, "firstName": "Ada" });
    let (_, headers, body) = send(request(app, SIGN_UP, &json!({ "input": input }))).await;
    let set = set_cookie(&headers);
    let (pair, _) = set.split_once(';').expect("a cookie");
    assert_eq!(
        pair.split_once('=').expect("a pair").1,
        body["data"]["signUp"]["token"]
    );
    (set.clone(), pair.to_owned())
}

async fn a_cookie_stands_for_the_token(app: App) {
    let (set, pair) = browser(&app).await;
    assert!(
        set.starts_with("rollcall=")
            && set.ends_with("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"),
        "{set}"
    );
    let (_, headers, body) = send(request(&app, VIEWER, &json!({})).header(COOKIE, &pair)).await;
    assert_eq!(body["data"]["viewer"]["user"]["username"], "ada");
    assert!(set_cookie(&headers).is_empty());
    // The header goes before the cookie, for better or worse.
    let (_, _, body) = send(
        request(&app, VIEWER, &json!({}))
            .header(COOKIE, &pair)
            .bearer_auth("garbage"),
    )
    .await;
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");

    let (_, headers, body) = send(request(&app, OUT, &json!({})).header(COOKIE, &pair)).await;
    assert_eq!(body["data"]["signOut"]["errors"], json!([]));
    assert_eq!(
        set_cookie(&headers),
        "rollcall=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    );
    app.stop().await;
}

async fn a_foreign_page_cannot_use_the_cookie(app: App) {
    let (_, pair) = browser(&app).await;
    let with = |name: &'static str, value: String| {
        request(&app, OUT, &json!({}))
            .header(COOKIE, &pair)
            .header(name, value)
    };
    let own = app.url.clone();
    let other_port = format!("{own}1");
    let before = app.database.everything().await;
    for (name, value) in [
        ("origin", "https://evil.example".to_owned()),
        ("origin", "null".to_owned()),
        ("origin", other_port),
        ("origin", own.replacen("http", "https", 1)),
        ("sec-fetch-site", "cross-site".to_owned()),
        ("sec-fetch-site", "same-site".to_owned()),
    ] {
        let (status, headers, body) = send(with(name, value.clone())).await;
        assert_eq!(status, 403, "{name}: {value}: {body}");
        assert_eq!(body["errors"][0]["extensions"]["code"], "FORBIDDEN_ORIGIN");
        assert!(headers.get("access-control-allow-origin").is_none());
    }
    assert_eq!(
        app.database.everything().await,
        before,
        "nobody was signed out"
    );
    for (name, value) in [
        ("origin", own.clone()),
        ("sec-fetch-site", "same-origin".to_owned()),
    ] {
        let viewer = request(&app, VIEWER, &json!({}))
            .header(COOKIE, &pair)
            .header(name, value);
        assert_eq!(
            send(viewer).await.2["data"]["viewer"]["user"]["username"],
            "ada",
            "{name}"
        );
    }
    // A page that has a token of its own says so itself: no browser adds that by itself.
    let token = pair.split_once('=').expect("a pair").1;
    let (status, ..) = send(
        request(&app, VIEWER, &json!({}))
            .bearer_auth(token)
            .header(ORIGIN, "https://spa.example"),
    )
    .await;
    assert_eq!(status, 200);
    app.stop().await;
}

/// A browser sends its cookie whether or not it holds, and has to be able to sign in again.
async fn a_stale_cookie_is_taken_away(app: App) {
    let (_, pair) = browser(&app).await;
    send(request(&app, OUT, &json!({})).header(COOKIE, &pair)).await;
    for pair in [pair.as_str(), "rollcall=garbage"] {
        let (status, headers, _) =
            send(request(&app, VIEWER, &json!({})).header(COOKIE, pair)).await;
        // Asked for plain JSON, the answer's status is 200 whatever it says.
        assert!(status == 200 || status == 401, "{status}");
        assert!(set_cookie(&headers).starts_with("rollcall=; Path=/; Max-Age=0"));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_cookie_is_bound_to_this_host() {
    let database = TestDatabase::create(Backend::Sqlite)
        .await
        .expect("SQLite needs nothing");
    let variables = [("ROLLCALL_PUBLIC_URL", "https://rollcall.example")];
    let app = App::start_with(database, Clock::system(), &variables).await;
    let (set, pair) = browser(&app).await;
    assert!(
        set.starts_with("__Host-rollcall=") && set.ends_with("; HttpOnly; SameSite=Lax; Secure"),
        "{set}"
    );
    assert!(
        set.contains("; Path=/;") && !set.contains("Domain"),
        "{set}"
    );
    let (_, _, body) = send(request(&app, VIEWER, &json!({})).header(COOKIE, &pair)).await;
    assert_eq!(body["data"]["viewer"]["user"]["username"], "ada");
    let plain = pair.replacen("__Host-", "", 1);
    let (_, _, body) = send(request(&app, VIEWER, &json!({})).header(COOKIE, plain)).await;
    assert_eq!(
        body["data"]["viewer"],
        Value::Null,
        "a cookie that any subdomain may set is none"
    );
    let public = request(&app, VIEWER, &json!({}))
        .header(COOKIE, &pair)
        .header(ORIGIN, "https://rollcall.example");
    assert_eq!(send(public).await.0, 200);
    app.stop().await;
}
