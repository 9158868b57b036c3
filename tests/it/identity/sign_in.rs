//! Signing in and out.

use serde_json::{Value, json};

use crate::harness::{App, Client, door::at_once, on_each_database, people::PASSWORD};

on_each_database!(
    by_username_and_by_address_in_any_case,
    a_wrong_password_and_nobody_are_answered_alike,
    who_signs_out_is_out,
    two_hundred_at_once_are_all_answered,
);

async fn login(client: &Client) -> Value {
    let data = client
        .ok("{ viewer { user { username email } } }", json!({}))
        .await;
    data["viewer"]["user"].clone()
}

async fn by_username_and_by_address_in_any_case(app: App) {
    let ada = app.sign_up("Ada").await;
    let user = login(&ada).await;
    let (username, email) = (
        user["username"].as_str().expect("a name"),
        user["email"].as_str().expect("an address"),
    );
    for login in [
        username,
        &username.to_uppercase(),
        &format!(" {email} "),
        &email.to_uppercase(),
    ] {
        let selection = "token viewer { user { username } }";
        let payload = app
            .anonymous()
            .done(
                "signIn",
                selection,
                json!({ "login": login, "password": PASSWORD }),
            )
            .await;
        assert_eq!(
            payload["viewer"]["user"]["username"], user["username"],
            "{login}"
        );
        assert_ne!(payload["token"], json!(ada.token), "a session of its own");
    }
    app.stop().await;
}

async fn a_wrong_password_and_nobody_are_answered_alike(app: App) {
    let user = login(&app.sign_up("ada").await).await;
    let before = app.database.without_refusals().await;
    let mut bodies = Vec::new();
    for (login, password) in [
        (user["username"].clone(), "Wrong-horse-7".to_owned()),
        (user["email"].clone(), PASSWORD.to_lowercase()),
        (json!("nobody_here"), PASSWORD.to_owned()),
        (json!("nobody@example.org"), PASSWORD.to_owned()),
        (json!(""), String::new()),
        (json!("no\0body"), PASSWORD.to_owned()),
        (json!("x".repeat(2000)), PASSWORD.to_owned()),
        (user["username"].clone(), "x".repeat(2000)),
    ] {
        let answer = app
            .anonymous()
            .mutate(
                "signIn",
                "token viewer { user { id } }",
                json!({ "login": login, "password": password }),
            )
            .await;
        bodies.push((answer.status, answer.body));
    }
    assert_eq!(
        bodies[0].1["data"]["signIn"]["errors"][0]["code"],
        "BAD_CREDENTIALS"
    );
    assert_eq!(bodies[0].1["data"]["signIn"]["token"], Value::Null);
    for body in &bodies {
        assert_eq!(body, &bodies[0]);
    }
    assert_eq!(
        app.database.without_refusals().await,
        before,
        "and nobody is signed in"
    );
    app.stop().await;
}

async fn who_signs_out_is_out(app: App) {
    let ada = app.owner("ada").await;
    let user = login(&ada).await;
    let again = app
        .anonymous()
        .done(
            "signIn",
            "token",
            json!({ "login": user["username"], "password": PASSWORD }),
        )
        .await;
    let elsewhere = app
        .anonymous()
        .with_token(again["token"].as_str().expect("a token"));
    ada.ok("mutation { signOut { errors { message } } }", json!({}))
        .await;
    for query in [
        "{ viewer { user { username } } }",
        "{ events { nodes { id } } }",
        "mutation { signOut { errors { message } } }",
    ] {
        let answer = ada.send(query, json!({})).await;
        assert_eq!(
            (answer.status, answer.codes()),
            (401, vec!["UNAUTHENTICATED".to_owned()]),
            "{query}"
        );
    }
    assert_eq!(
        login(&elsewhere).await,
        user,
        "the other session goes on, in the organization used last"
    );
    elsewhere.ok("{ events { nodes { id } } }", json!({})).await;
    app.stop().await;
}

/// More people than can be hashed for: each is let in or told to come back, and the door goes on.
async fn two_hundred_at_once_are_all_answered(app: App) {
    let owner = app.owner("jazz").await;
    let username = login(&owner).await["username"].clone();
    let (event, patrons) = (
        owner.event("Night", json!({})).await,
        owner.patrons(20).await,
    );
    let sign_ins = (0..200).map(|_| {
        let (client, username) = (app.anonymous().again(), username.clone());
        async move {
            let answer = client
                .mutate(
                    "signIn",
                    "token",
                    json!({ "login": username, "password": PASSWORD }),
                )
                .await;
            if answer.body["data"]["signIn"]["token"].is_string() {
                "in".to_owned()
            } else {
                answer.codes().concat()
            }
        }
    });
    let sign_ins = tokio::spawn(at_once(sign_ins.collect::<Vec<_>>()));
    for patron in &patrons {
        assert_eq!(owner.check_in(&event, patron).await, "CHECKED_IN");
    }
    let answers = sign_ins.await.expect("no panic");
    let count = |what: &str| answers.iter().filter(|answer| *answer == what).count();
    assert_eq!(count("in") + count("UNAVAILABLE"), 200, "{answers:?}");
    assert!(
        count("in") >= 66,
        "as many as may wait are let in: {}",
        count("in")
    );
    assert_eq!(owner.counts(&event).await[2], 20);
    app.stop().await;
}
