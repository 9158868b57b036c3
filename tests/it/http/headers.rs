//! Headers that cannot be read: whoever sends one is not taken for somebody who sends none.

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::harness::{App, Client, on_each_database};

on_each_database!(
    an_organization_that_cannot_be_read_is_not_there,
    a_credential_that_cannot_be_read_is_none,
);

const ADD: &str = r#"mutation { createPatron(input: { firstName: "Eve" }) { errors { code } } }"#;
const VIEWER: &str = "{ viewer { user { username } } }";

/// Sends an operation with these headers and nothing else of a credential.
async fn send(app: &App, query: &str, headers: &[(HeaderName, Vec<u8>)]) -> (u16, Value) {
    let mut request = reqwest::Client::new()
        .post(format!("{}/graphql", app.url))
        .header("accept", "application/graphql-response+json")
        .json(&json!({ "query": query }));
    for (name, value) in headers {
        request = request.header(name, HeaderValue::from_bytes(value).expect("a value"));
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.expect("JSON"))
}

fn code(body: &Value) -> &str {
    body["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_default()
}

fn bearer(client: &Client) -> (HeaderName, Vec<u8>) {
    let token = client.token.as_deref().expect("a token");
    (AUTHORIZATION, format!("Bearer {token}").into_bytes())
}

async fn an_organization_that_cannot_be_read_is_not_there(app: App) {
    let owner = app.owner("jazz").await;
    let slug = owner.ok("{ organization { slug } }", json!({})).await["organization"]["slug"]
        .as_str()
        .expect("a slug")
        .to_owned();
    let named = |value: &[u8]| {
        let name = HeaderName::from_static("rollcall-organization");
        (name, value.to_vec())
    };
    let before = app.database.holdings().await;
    let kelvin = slug.replacen('j', "\u{212a}", 1);
    for value in [
        b"no-such\xff".as_slice(),
        "org-é".as_bytes(),
        kelvin.as_bytes(),
        b"\xff",
        b"a\tb",
        b"",
    ] {
        let (_, body) = send(&app, ADD, &[bearer(&owner), named(value)]).await;
        assert_eq!(code(&body), "NOT_FOUND", "{value:?}: {body}");
    }
    let twice = [bearer(&owner), named(slug.as_bytes()), named(b"another")];
    assert_eq!(code(&send(&app, ADD, &twice).await.1), "NOT_FOUND");
    assert_eq!(app.database.holdings().await, before);
    // The control: the same request, where it can be read.
    let (_, body) = send(&app, ADD, &[bearer(&owner), named(slug.as_bytes())]).await;
    assert_eq!(body["data"]["createPatron"]["errors"], json!([]), "{body}");
    app.stop().await;
}

async fn a_credential_that_cannot_be_read_is_none(app: App) {
    let owner = app.owner("jazz").await;
    let token = owner.token.clone().expect("a token");
    let cookie = (COOKIE, format!("rollcall={token}").into_bytes());
    for value in [
        format!("Bearer {token}\u{e9}").into_bytes(),
        [b"Bearer \xff".as_slice(), token.as_bytes()].concat(),
        token.clone().into_bytes(),
        b"Bearer".to_vec(),
        b"Basic YTpi".to_vec(),
        Vec::new(),
        b"\xff".to_vec(),
    ] {
        let header = (AUTHORIZATION, value.clone());
        for headers in [vec![header.clone()], vec![header.clone(), cookie.clone()]] {
            let (status, body) = send(&app, VIEWER, &headers).await;
            assert_eq!((status, code(&body)), (401, "UNAUTHENTICATED"), "{value:?}");
        }
    }
    let twice = [bearer(&owner), bearer(&owner)];
    assert_eq!(send(&app, VIEWER, &twice).await.0, 401);
    for value in [
        [b"rollcall=".as_slice(), token.as_bytes(), b"\xff"].concat(),
        b"a=b; rollcall=\xff".to_vec(),
    ] {
        let (status, body) = send(&app, VIEWER, &[(COOKIE, value)]).await;
        assert_eq!((status, code(&body)), (401, "UNAUTHENTICATED"));
    }
    // Others' cookies, and those of names that only begin like ours, are none of ours.
    for value in [
        b"other=\xff".to_vec(),
        b"rollcall2=\xff".to_vec(),
        b"rollcall".to_vec(),
    ] {
        let (status, body) = send(&app, VIEWER, &[(COOKIE, value)]).await;
        assert_eq!((status, &body["data"]), (200, &json!({ "viewer": null })));
    }
    let beside = [b"other=\xff; ".as_slice(), &cookie.1].concat();
    let (_, body) = send(&app, VIEWER, &[(COOKIE, beside)]).await;
    assert!(body["data"]["viewer"]["user"].is_object(), "{body}");
    app.stop().await;
}
