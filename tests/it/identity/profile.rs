//! What people tell about themselves, and the name that they sign in with.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{App, Client, door::at_once, evening::at, on_each_database, people::PASSWORD};

on_each_database!(at crate::harness::evening::at(12, 0);
    a_profile_is_what_its_person_says,
    a_profile_that_is_none_is_refused,
    a_username_is_changed_and_the_one_before_is_free,
    a_username_takes_a_fresh_session,
    of_many_who_want_a_name_one_gets_it,
    a_username_is_changed_so_often_and_no_more,
);

const PROFILE: &str = "{ viewer { phone locale user { username firstName lastName avatarUrl } } }";

async fn profile(client: &Client) -> Value {
    client.ok(PROFILE, json!({})).await["viewer"].take()
}

async fn a_profile_is_what_its_person_says(app: App) {
    let owner = app.owner("jazz").await;
    let ada = app.member(&owner, "viewer").await;
    let before = profile(&owner).await;
    let all = json!({
        "firstName": " Augusta Ada ", "lastName": "King", "phone": "+43 (1) 234-56", "locale": "DE",
        "avatarUrl": "https://Example.org/me.png?size=2#face",
    });
    ada.done("updateProfile", "viewer { locale }", all).await;
    let mut known = profile(&ada).await;
    known["user"]["username"].take();
    assert_eq!(
        known,
        json!({ "phone": "+43123456", "locale": "DE", "user": {
            "username": null, "firstName": "Augusta Ada", "lastName": "King", "avatarUrl": "https://example.org/me.png?size=2#face",
        } })
    );
    // What is left out stays, and null takes away.
    let less = json!({ "lastName": "", "phone": null, "avatarUrl": " " });
    ada.done("updateProfile", "__typename", less).await;
    let mut known = profile(&ada).await;
    known["user"]["username"].take();
    assert_eq!(
        known,
        json!({ "phone": null, "locale": "DE", "user": {
            "username": null, "firstName": "Augusta Ada", "lastName": "", "avatarUrl": null,
        } })
    );
    ada.done("updateProfile", "__typename", json!({})).await;
    // Fellow members see the names, and nobody else's account was touched.
    let members = owner
        .ok(
            "{ members { nodes { user { firstName avatarUrl } } } }",
            json!({}),
        )
        .await;
    assert!(members.to_string().contains("Augusta Ada"), "{members}");
    assert_eq!(profile(&owner).await, before);
    app.stop().await;
}

async fn a_profile_that_is_none_is_refused(app: App) {
    let ada = app.sign_up("ada").await;
    let before = app.database.everything().await;
    let long = format!("https://example.org/{}", "a".repeat(2048));
    for (field, value, code) in [
        ("firstName", " ", "REQUIRED"),
        ("firstName", "A\nB", "INVALID"),
        ("lastName", &"a".repeat(101), "TOO_LONG"),
        ("phone", "twelve", "INVALID"),
        ("avatarUrl", "http://example.org/me.png", "INVALID"),
        ("avatarUrl", "javascript:alert(1)", "INVALID"),
        ("avatarUrl", "data:image/png;base64,AAAA", "INVALID"),
        (
            "avatarUrl",
            "https://ada:secret@example.org/me.png",
            "INVALID",
        ),
        ("avatarUrl", "https://example.org/a b", "INVALID"),
        ("avatarUrl", "https:///", "INVALID"),
        ("avatarUrl", "//example.org/me.png", "INVALID"),
        ("avatarUrl", &long, "INVALID"),
    ] {
        assert_eq!(
            ada.refused("updateProfile", json!({ field: value })).await,
            [format!("{code} input.{field}")],
            "{value}"
        );
    }
    assert_eq!(
        app.anonymous()
            .denied("updateProfile", json!({ "firstName": "Eve" }))
            .await,
        "UNAUTHENTICATED"
    );
    assert_eq!(app.database.everything().await, before);
    app.stop().await;
}

async fn sign_in(app: &App, login: &str) -> bool {
    let input = json!({ "login": login, "password": PASSWORD });
    let answer = app.anonymous().mutate("signIn", "token", input).await;
    assert!(answer.codes().is_empty());
    answer.body["data"]["signIn"]["token"].is_string()
}

async fn a_username_is_changed_and_the_one_before_is_free(app: App) {
    let (ada, bo) = (app.sign_up("ada").await, app.sign_up("bo").await);
    let name = async |client: &Client| {
        let username = profile(client).await["user"]["username"].take();
        username.as_str().expect("a name").to_owned()
    };
    let (first, other) = (name(&ada).await, name(&bo).await);
    let before = app.database.everything().await;
    for (wrong, refusal) in [
        ("ab", "INVALID input.username"),
        ("a b c", "INVALID input.username"),
        ("Ädele", "INVALID input.username"),
        (&*"a".repeat(51), "INVALID input.username"),
        (&*first, "INVALID input.username"),
        (&*other, "TAKEN input.username"),
        (&*other.to_uppercase(), "TAKEN input.username"),
    ] {
        assert_eq!(
            ada.refused("changeUsername", json!({ "username": wrong }))
                .await,
            [refusal],
            "{wrong}"
        );
    }
    assert_eq!(app.database.everything().await, before);
    // Another spelling is a change, too.
    for new in [first.to_uppercase(), "Countess".to_owned()] {
        let input = json!({ "username": new });
        ada.done("changeUsername", "viewer { user { username } }", input)
            .await;
        assert_eq!(name(&ada).await, new);
    }
    assert!(!sign_in(&app, &first).await && sign_in(&app, "countess").await);
    bo.done("changeUsername", "__typename", json!({ "username": first }))
        .await;
    assert!(sign_in(&app, &first).await && !sign_in(&app, &other).await);
    app.stop().await;
}

async fn a_username_takes_a_fresh_session(app: App) {
    let ada = app.sign_up("ada").await;
    app.clock.set(at(12, 15));
    let input = json!({ "username": "countess" });
    assert_eq!(
        ada.refused("changeUsername", input.clone()).await,
        ["SESSION_NOT_FRESH "]
    );
    assert_eq!(
        app.anonymous().denied("changeUsername", input).await,
        "UNAUTHENTICATED"
    );
    app.stop().await;
}

async fn of_many_who_want_a_name_one_gets_it(app: App) {
    let mut people = Vec::new();
    for _ in 0..6 {
        people.push(app.sign_up("ada").await);
    }
    for round in 0..5 {
        let wanted = format!("wanted_{round}");
        let attempts = people.iter().map(|person| {
            let (person, input) = (person.again(), json!({ "username": wanted }));
            async move { person.mutate("changeUsername", "__typename", input).await }
        });
        let answers = at_once(attempts.collect::<Vec<_>>()).await;
        let refusals: Vec<_> = answers
            .iter()
            .map(|answer| {
                assert_eq!(answer.codes(), Vec::<String>::new(), "{}", answer.body);
                answer.refusals("changeUsername")
            })
            .collect();
        let got = refusals.iter().filter(|refusal| refusal.is_empty());
        let late = refusals.iter().filter(|refusal| **refusal == ["TAKEN"]);
        assert_eq!((got.count(), late.count()), (1, 5), "{refusals:?}");
    }
    app.stop().await;
}

async fn a_username_is_changed_so_often_and_no_more(app: App) {
    let app = app.with(&[("ROLLCALL_RATE_LIMITS", "on")]).await;
    let ada = app.sign_up("ada").await;
    for round in 0..3 {
        let input = json!({ "username": format!("name_{round}") });
        ada.done("changeUsername", "__typename", input).await;
    }
    let input = json!({ "username": "name_3" });
    assert_eq!(
        ada.denied("changeUsername", input.clone()).await,
        "RATE_LIMITED"
    );
    app.clock.set(at(12, 0) + TimeDelta::hours(8));
    let confirmed = ada
        .done("confirmPassword", "token", json!({ "password": PASSWORD }))
        .await;
    let ada = ada.with_token(confirmed["token"].as_str().expect("a token"));
    ada.done("changeUsername", "__typename", input).await;
    app.stop().await;
}
