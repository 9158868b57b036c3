//! Sessions: which there are, how they end, and how little is kept of them.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{App, Client, door::at_once, evening::at, on_each_database, people::PASSWORD};

on_each_database!(at crate::harness::evening::at(12, 0);
    a_person_sees_and_ends_their_own_sessions,
    nobody_ends_another_persons_session,
    all_other_sessions_end_at_once,
    of_two_who_end_each_other_one_stays,
    a_session_ends_by_itself,
    a_session_in_use_ends_all_the_same,
    no_token_is_kept_as_it_is,
    a_garbage_credential_is_refused,
);

async fn sessions(client: &Client) -> Vec<Value> {
    let data = client.ok("{ viewer { sessions { id current userAgent address createdAt lastUsedAt expiresAt } } }", json!({})).await;
    data["viewer"]["sessions"]
        .as_array()
        .expect("sessions")
        .clone()
}

async fn username(client: &Client) -> Value {
    let data = client
        .ok("{ viewer { user { username } } }", json!({}))
        .await;
    data["viewer"]["user"]["username"].clone()
}

async fn sign_in(app: &App, login: &Value) -> Client {
    let input = json!({ "login": login, "password": PASSWORD });
    let payload = app.anonymous().done("signIn", "token", input).await;
    let token = payload["token"].as_str().expect("a token");
    app.anonymous().with_token(token)
}

async fn sign_in_again(app: &App, client: &Client) -> Client {
    sign_in(app, &username(client).await).await
}

async fn is_signed_in(client: &Client) -> bool {
    let answer = client
        .send("{ viewer { user { username } } }", json!({}))
        .await;
    if answer.body.get("errors").is_none() {
        return answer.body["data"]["viewer"].is_object();
    }
    assert_eq!(
        (answer.status, answer.codes()),
        (401, vec!["UNAUTHENTICATED".to_owned()])
    );
    false
}

async fn a_person_sees_and_ends_their_own_sessions(app: App) {
    let first = app.sign_up("ada").await;
    app.clock.set(at(13, 0));
    let second = sign_in_again(&app, &first).await;
    let listed = sessions(&second).await;
    let current: Vec<&Value> = listed.iter().map(|session| &session["current"]).collect();
    assert_eq!(current, [true, false], "newest first");
    assert_eq!(listed[0]["address"], "127.0.0.1");
    assert_eq!(sessions(&first).await[1]["current"], true);

    let ended = second
        .done(
            "revokeSession",
            "sessionId",
            json!({ "sessionId": listed[1]["id"] }),
        )
        .await;
    assert_eq!(ended["sessionId"], listed[1]["id"]);
    assert!(!is_signed_in(&first).await);
    assert_eq!(sessions(&second).await.len(), 1);
    assert_eq!(
        second
            .refused("revokeSession", json!({ "sessionId": listed[1]["id"] }))
            .await,
        ["NOT_FOUND input.sessionId"]
    );
    // Ending the one in use is signing out.
    second
        .done(
            "revokeSession",
            "sessionId",
            json!({ "sessionId": listed[0]["id"] }),
        )
        .await;
    assert!(!is_signed_in(&second).await);
    app.stop().await;
}

async fn nobody_ends_another_persons_session(app: App) {
    let (ada, bo) = (app.owner("ada").await, app.sign_up("bo").await);
    let session = sessions(&bo).await[0]["id"].clone();
    let before = app.database.everything().await;
    assert_eq!(
        ada.refused("revokeSession", json!({ "sessionId": session }))
            .await,
        ["NOT_FOUND input.sessionId"]
    );
    assert_eq!(
        app.anonymous()
            .denied("revokeSession", json!({ "sessionId": session }))
            .await,
        "UNAUTHENTICATED"
    );
    assert_eq!(app.database.everything().await, before);
    assert!(is_signed_in(&bo).await);
    app.stop().await;
}

const REVOKE_OTHERS: &str =
    "mutation { revokeOtherSessions { revokedCount errors { message code } } }";

async fn all_other_sessions_end_at_once(app: App) {
    let (ada, bo) = (app.sign_up("ada").await, app.sign_up("bo").await);
    let login = username(&ada).await;
    // One that nobody used for so long that it is not listed any more does not count.
    app.clock.set(at(12, 0) + TimeDelta::days(20));
    let second = sign_in(&app, &login).await;
    let third = sign_in(&app, &login).await;
    assert_eq!(sessions(&second).await.len(), 2);
    let before = app.database.everything().await;
    let answer = app.anonymous().send(REVOKE_OTHERS, json!({})).await;
    assert_eq!(answer.codes(), ["UNAUTHENTICATED"]);
    assert_eq!(app.database.everything().await, before);

    let revoked = second.ok(REVOKE_OTHERS, json!({})).await;
    assert_eq!(revoked["revokeOtherSessions"]["revokedCount"], 1);
    for ended in [&ada, &third] {
        assert!(!is_signed_in(ended).await);
    }
    assert_eq!(sessions(&second).await.len(), 1);
    assert_eq!(
        app.database.number("SELECT count(*) FROM sessions").await,
        2
    );
    let revoked = second.ok(REVOKE_OTHERS, json!({})).await;
    assert_eq!(revoked["revokeOtherSessions"]["revokedCount"], 0);
    app.clock.set(at(12, 1));
    assert!(is_signed_in(&bo).await, "another person's");
    app.stop().await;
}

async fn of_two_who_end_each_other_one_stays(app: App) {
    for _ in 0..10 {
        let first = app.sign_up("ada").await;
        let second = sign_in_again(&app, &first).await;
        let clients = [first, second];
        let attempts = clients.clone().map(|client| async move {
            client.again().send(REVOKE_OTHERS, json!({})).await.codes()
        });
        let mut codes = at_once(attempts).await;
        codes.sort_unstable();
        assert_eq!(codes, [vec![], vec!["UNAUTHENTICATED".to_owned()]]);
        let left = [
            is_signed_in(&clients[0]).await,
            is_signed_in(&clients[1]).await,
        ];
        assert!(left[0] != left[1], "{left:?}");
    }
    app.stop().await;
}

async fn a_session_ends_by_itself(app: App) {
    let (idle, moment) = (TimeDelta::days(14), TimeDelta::microseconds(1));
    let ada = app.sign_up("ada").await;
    app.clock.set(at(12, 0) + idle);
    assert!(!is_signed_in(&ada).await, "after 14 days without use");
    app.clock.set(at(12, 0) + idle - moment);
    assert!(is_signed_in(&ada).await, "and not a moment before");
    app.clock.set(at(12, 0) + idle);
    assert!(is_signed_in(&ada).await, "its use was noted");
    assert_eq!(sessions(&ada).await.len(), 1);
    app.stop().await;
}

async fn a_session_in_use_ends_all_the_same(app: App) {
    let ada = app.sign_up("ada").await;
    for day in 1..30 {
        app.clock.set(at(12, 0) + TimeDelta::days(day));
        assert!(is_signed_in(&ada).await, "day {day}");
    }
    app.clock.set(at(12, 0) + TimeDelta::days(30));
    assert!(!is_signed_in(&ada).await);
    assert!(
        is_signed_in(&app.sign_up("bo").await).await,
        "a new one is another thing"
    );
    app.stop().await;
}

async fn no_token_is_kept_as_it_is(app: App) {
    let ada = app.owner("ada").await;
    let again = sign_in_again(&app, &ada).await;
    let everything = app.database.everything().await;
    for client in [&ada, &again] {
        let token = client.token.as_ref().expect("a token");
        let bytes = URL_SAFE_NO_PAD.decode(token).expect("base64");
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(bytes.len(), 32);
        for (table, rows) in &everything {
            for row in rows {
                let found = row.contains(token)
                    || row.to_lowercase().contains(&digits)
                    || row.contains(PASSWORD);
                assert!(!found, "a secret is in {table}: {row}");
            }
        }
    }
    // What a search would find: the rows are there, as text that can be searched.
    assert!(everything["users"][0].contains("ada") && everything["sessions"].len() == 2);
    app.stop().await;
}

async fn a_garbage_credential_is_refused(app: App) {
    let ada = app.sign_up("ada").await;
    let token = ada.token.clone().expect("a token");
    let long = "x".repeat(8000);
    let mut other = token.clone().into_bytes();
    other[5] = if other[5] == b'A' { b'B' } else { b'A' };
    let other = String::from_utf8(other).expect("ASCII");
    for garbage in [
        "x",
        "=",
        "..",
        "%00",
        "null",
        &token[1..],
        &format!("{token}="),
        &format!("{token}A"),
        &other,
        &long,
    ] {
        assert!(
            !is_signed_in(&app.anonymous().with_token(garbage)).await,
            "{garbage}"
        );
    }
    let http = reqwest::Client::new();
    for (value, status) in [
        (format!("Bearer {token}"), 200),
        (format!("bearer   {token}  "), 200),
        ("Bearer".to_owned(), 401),
        ("Basic dXNlcjpwYXNz".to_owned(), 401),
        (token.clone(), 401),
        ("\u{e9}\u{e9} \u{e9}".to_owned(), 401),
        ("Bearer \u{e9}".to_owned(), 401),
        ("Bearer Bearer".to_owned(), 401),
    ] {
        let request = http
            .post(format!("{}/graphql", app.url))
            .json(&json!({ "query": "{ viewer { user { username } } }" }));
        let request = request
            .header("accept", "application/graphql-response+json")
            .header("authorization", value.as_bytes());
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), status, "{value}");
    }
    assert!(is_signed_in(&ada).await);
    app.stop().await;
}
