//! Proving an address.

use chrono::TimeDelta;
use serde_json::json;

use super::{account, address, join, posting, with_token};
use crate::harness::{App, door::at_once, evening::at, on_each_database, people::PASSWORD};

on_each_database!(at crate::harness::evening::at(12, 0);
    whoever_has_the_token_proves_the_address,
    a_token_is_worth_something_for_a_day,
    another_mail_makes_the_one_before_worthless,
    of_a_hundred_who_use_a_token_at_once_one_does,
    a_mail_is_in_the_language_of_its_person,
    no_token_is_kept_as_it_is,
);

async fn whoever_has_the_token_proves_the_address(app: App) {
    let app = posting(app).await;
    let (ada, bo) = (join(&app, "ada").await, join(&app, "bob").await);
    let mail = app.mail("verify_email", &address("ada"), 1).await;
    let (token, link) = (
        mail["token"].as_str().expect("a token"),
        mail["link"].as_str(),
    );
    let link = link.expect("a link");
    assert_eq!(link, format!("{}/#verify-email={token}", app.url));
    for part in ["text", "html"] {
        let part = mail[part].as_str().expect("a text");
        assert!(part.contains(link) && part.contains("Hello Ada"), "{part}");
    }
    assert_eq!(account(&ada).await, (address("ada"), false));

    app.mailed().await;
    let before = app.database.everything().await;
    let other = domain::secret::Token::random().expect("a token").reveal();
    for wrong in ["", "x", &token[1..], &other] {
        assert_eq!(
            app.anonymous()
                .refused("verifyEmail", json!({ "token": wrong }))
                .await,
            ["INVALID_TOKEN input.token"]
        );
    }
    // It opens nothing else.
    let reset = json!({ "token": token, "newPassword": PASSWORD });
    assert_eq!(
        app.anonymous().refused("resetPassword", reset).await,
        ["INVALID_TOKEN input.token"]
    );
    assert_eq!(app.database.everything().await, before);

    let payload = app
        .anonymous()
        .done(
            "verifyEmail",
            "viewer { can(permission: \"x\") }",
            with_token(&mail),
        )
        .await;
    assert!(payload["viewer"].is_null(), "it signs nobody in");
    assert_eq!(account(&ada).await, (address("ada"), true));
    assert_eq!(account(&bo).await, (address("bob"), false));
    assert_eq!(
        ada.refused("verifyEmail", with_token(&mail)).await,
        ["INVALID_TOKEN input.token"],
        "once"
    );
    let again = ada
        .send(
            "mutation { requestEmailVerification { errors { code } } }",
            json!({}),
        )
        .await;
    assert_eq!(again.refusals("requestEmailVerification"), ["WRONG_STATE"]);
    app.stop().await;
}

async fn a_token_is_worth_something_for_a_day(app: App) {
    let app = posting(app).await;
    let ada = join(&app, "ada").await;
    let mail = app.mail("verify_email", &address("ada"), 1).await;
    let (day, moment) = (TimeDelta::hours(24), TimeDelta::microseconds(1));
    app.clock.set(at(12, 0) + day);
    assert_eq!(
        ada.refused("verifyEmail", with_token(&mail)).await,
        ["INVALID_TOKEN input.token"]
    );
    app.clock.set(at(12, 0) + day - moment);
    ada.done("verifyEmail", "__typename", with_token(&mail))
        .await;
    app.stop().await;
}

const AGAIN: &str =
    "mutation { requestEmailVerification { viewer { emailVerified } errors { message code } } }";

async fn another_mail_makes_the_one_before_worthless(app: App) {
    let app = posting(app).await;
    let ada = join(&app, "ada").await;
    let first = app.mail("verify_email", &address("ada"), 1).await;
    app.mailed().await;
    let before = app.database.everything().await;
    let answer = ada.send(AGAIN, json!({})).await;
    assert_eq!(answer.refusals("requestEmailVerification"), ["TOO_SOON"]);
    let answer = app.anonymous().send(AGAIN, json!({})).await;
    assert_eq!(answer.codes(), ["UNAUTHENTICATED"]);
    assert_eq!(app.database.everything().await, before);

    app.clock.set(at(12, 1));
    ada.ok(AGAIN, json!({})).await;
    let second = app.mail("verify_email", &address("ada"), 2).await;
    assert_ne!(first["token"], second["token"]);
    assert_eq!(
        ada.refused("verifyEmail", with_token(&first)).await,
        ["INVALID_TOKEN input.token"]
    );
    ada.done("verifyEmail", "__typename", with_token(&second))
        .await;
    app.stop().await;
}

async fn of_a_hundred_who_use_a_token_at_once_one_does(app: App) {
    let app = posting(app).await;
    join(&app, "ada").await;
    let mail = app.mail("verify_email", &address("ada"), 1).await;
    let attempts = (0..100).map(|_| {
        let (client, input) = (app.anonymous(), with_token(&mail));
        async move { client.mutate("verifyEmail", "__typename", input).await }
    });
    let answers = at_once(attempts).await;
    let mut won = 0;
    for answer in answers {
        assert_eq!(answer.codes(), Vec::<String>::new());
        match answer.refusals("verifyEmail").as_slice() {
            [] => won += 1,
            refusals => assert_eq!(refusals, ["INVALID_TOKEN"]),
        }
    }
    assert_eq!(won, 1);
    app.stop().await;
}

async fn a_mail_is_in_the_language_of_its_person(app: App) {
    let app = posting(app).await;
    let input = json!({
        "username": "ada", "email": address("ada"), "password": PASSWORD, "firstName": "Ada", "locale": "DE",
    });
    app.anonymous().done("signUp", "__typename", input).await;
    let mail = app.mail("verify_email", &address("ada"), 1).await;
    assert_eq!(mail["subject"], "Bestätigen Sie Ihre Adresse");
    let text = mail["text"].as_str().expect("a text");
    assert!(text.starts_with("Guten Tag Ada,"), "{text}");
    app.stop().await;
}

async fn no_token_is_kept_as_it_is(app: App) {
    let app = posting(app).await;
    join(&app, "ada").await;
    let mail = app.mail("verify_email", &address("ada"), 1).await;
    let token = mail["token"].as_str().expect("a token");
    let everything = format!("{:?}", app.database.everything().await);
    assert!(everything.contains("verify_email") && !everything.contains(token));
    let count = app
        .database
        .number("SELECT count(*) FROM account_tokens WHERE token_hash IS NOT NULL");
    assert_eq!(count.await, 1);
    app.stop().await;
}
