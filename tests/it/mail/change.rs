//! Another address.

use serde_json::json;

use super::{account, address, join, posting, with_token};
use crate::harness::{App, evening::at, on_each_database, people::PASSWORD};

on_each_database!(at crate::harness::evening::at(12, 0);
    an_address_is_changed_once_the_new_one_is_proved,
    an_address_that_is_taken_is_told_after_the_proof,
    only_who_asked_for_it_confirms_it,
    a_change_takes_a_fresh_session_and_another_password_ends_it,
);

async fn an_address_is_changed_once_the_new_one_is_proved(app: App) {
    let app = posting(app).await;
    let ada = join(&app, "ada").await;
    let verification = app.mail("verify_email", &address("ada"), 1).await;
    app.mailed().await;
    let before = app.database.everything().await;
    for wrong in [
        "nobody",
        "a@example.org\r\nBcc: b@example.org",
        " ADA@example.org",
        "",
    ] {
        assert_eq!(
            ada.refused("requestEmailChange", json!({ "email": wrong }))
                .await,
            ["INVALID input.email"]
        );
    }
    assert_eq!(app.database.everything().await, before);

    let new = json!({ "email": "Countess@example.org" });
    ada.done("requestEmailChange", "__typename", new).await;
    let mail = app.mail("change_email", &address("countess"), 1).await;
    let told = app.mail("email_change_requested", &address("ada"), 1).await;
    assert!(told["token"].is_null());
    let text = told["text"].as_str().expect("a text");
    assert!(text.contains("countess@example.org"), "{text}");
    assert_eq!(
        account(&ada).await,
        (address("ada"), false),
        "nothing is changed yet"
    );
    assert_eq!(
        ada.refused(
            "requestEmailChange",
            json!({ "email": "third@example.org" })
        )
        .await,
        ["TOO_SOON "]
    );

    ada.done(
        "confirmEmailChange",
        "viewer { emailVerified }",
        with_token(&mail),
    )
    .await;
    assert_eq!(account(&ada).await, (address("countess"), true));
    for name in ["ada", "countess"] {
        app.mail("email_changed", &address(name), 1).await;
    }
    for (field, mail) in [
        ("confirmEmailChange", &mail),
        ("verifyEmail", &verification),
    ] {
        assert_eq!(
            ada.refused(field, with_token(mail)).await,
            ["INVALID_TOKEN input.token"]
        );
    }
    app.stop().await;
}

async fn an_address_that_is_taken_is_told_after_the_proof(app: App) {
    let app = posting(app).await;
    let (ada, bo) = (join(&app, "ada").await, join(&app, "bob").await);
    let mut answers = Vec::new();
    for (client, email) in [(&ada, address("bob")), (&bo, address("free"))] {
        let answer = client
            .mutate(
                "requestEmailChange",
                "__typename",
                json!({ "email": email }),
            )
            .await;
        answers.push(answer.body.to_string());
    }
    assert_eq!(answers[0], answers[1]);
    let mail = app.mail("change_email", &address("bob"), 1).await;
    app.mailed().await;
    let before = app.database.everything().await;
    assert_eq!(
        ada.refused("confirmEmailChange", with_token(&mail)).await,
        ["TAKEN input.token"]
    );
    assert_eq!(app.database.everything().await, before);
    app.stop().await;
}

async fn only_who_asked_for_it_confirms_it(app: App) {
    let app = posting(app).await;
    let (ada, bo) = (join(&app, "ada").await, join(&app, "bob").await);
    let new = json!({ "email": address("stranger") });
    ada.done("requestEmailChange", "__typename", new).await;
    let mail = app.mail("change_email", &address("stranger"), 1).await;
    app.mailed().await;
    let before = app.database.everything().await;
    assert_eq!(
        bo.refused("confirmEmailChange", with_token(&mail)).await,
        ["INVALID_TOKEN input.token"]
    );
    assert_eq!(
        app.anonymous()
            .denied("confirmEmailChange", with_token(&mail))
            .await,
        "UNAUTHENTICATED"
    );
    assert_eq!(app.database.everything().await, before);
    ada.done("confirmEmailChange", "__typename", with_token(&mail))
        .await;
    app.stop().await;
}

async fn a_change_takes_a_fresh_session_and_another_password_ends_it(app: App) {
    let app = posting(app).await;
    let ada = join(&app, "ada").await;
    let new = json!({ "email": address("countess") });
    ada.done("requestEmailChange", "__typename", new.clone())
        .await;
    let mail = app.mail("change_email", &address("countess"), 1).await;
    let input = json!({ "newPassword": PASSWORD });
    let payload = ada.done("changePassword", "token", input).await;
    let ada = ada.with_token(payload["token"].as_str().expect("a token"));
    assert_eq!(
        ada.refused("confirmEmailChange", with_token(&mail)).await,
        ["INVALID_TOKEN input.token"]
    );
    app.clock.set(at(12, 15));
    assert_eq!(
        ada.refused("requestEmailChange", new).await,
        ["SESSION_NOT_FRESH "]
    );
    app.stop().await;
}
