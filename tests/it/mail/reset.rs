//! Another password for who forgot theirs.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{account, address, join, posting, with_token};
use crate::harness::{App, Client, door::at_once, evening::at, on_each_database, people::PASSWORD};

on_each_database!(at crate::harness::evening::at(12, 0);
    who_forgot_their_password_chooses_another,
    nobody_learns_whether_an_address_is_an_account_s,
    a_token_is_worth_something_for_an_hour,
    one_mail_a_minute,
    of_many_who_choose_at_once_one_does,
    a_change_of_the_password_is_told,
);

const OTHER: &str = "Another-horse-8";

async fn ask(app: &App, email: &str) -> Value {
    let client = app.anonymous();
    let input = json!({ "email": email });
    client
        .mutate("requestPasswordReset", "viewer { emailVerified }", input)
        .await
        .body
}

fn choice(mail: &Value, password: &str) -> Value {
    json!({ "token": mail["token"], "newPassword": password })
}

async fn signs_in(app: &App, password: &str) -> bool {
    let input = json!({ "login": "ada", "password": password });
    let answer = app.anonymous().mutate("signIn", "token", input).await;
    answer.body["data"]["signIn"]["token"].is_string()
}

async fn is_signed_in(client: &Client) -> bool {
    let answer = client.send("{ viewer { emailVerified } }", json!({})).await;
    answer.codes().is_empty()
}

async fn who_forgot_their_password_chooses_another(app: App) {
    let app = posting(app).await;
    let (ada, bo) = (join(&app, "ada").await, join(&app, "bob").await);
    let verification = app.mail("verify_email", &address("ada"), 1).await;
    // As people type it.
    ask(&app, " Ada@Example.ORG ").await;
    let mail = app.mail("reset_password", &address("ada"), 1).await;
    app.mailed().await;
    let before = app.database.everything().await;
    assert_eq!(
        app.anonymous()
            .refused("resetPassword", choice(&mail, "weak"))
            .await,
        ["WEAK_PASSWORD input.newPassword"]
    );
    assert_eq!(
        app.anonymous()
            .refused("verifyEmail", with_token(&mail))
            .await,
        ["INVALID_TOKEN input.token"]
    );
    assert_eq!(app.database.everything().await, before);

    app.anonymous()
        .done("resetPassword", "__typename", choice(&mail, OTHER))
        .await;
    assert!(!is_signed_in(&ada).await && is_signed_in(&bo).await);
    assert!(signs_in(&app, OTHER).await && !signs_in(&app, PASSWORD).await);
    let told = app.mail("password_changed", &address("ada"), 1).await;
    assert_eq!(
        (&told["token"], &told["link"]),
        (&Value::Null, &Value::Null)
    );
    let input = json!({ "login": "ada", "password": OTHER });
    let payload = app.anonymous().done("signIn", "token", input).await;
    let ada = ada.with_token(payload["token"].as_str().expect("a token"));
    assert_eq!(
        account(&ada).await,
        (address("ada"), true),
        "it proves the address"
    );
    for (field, input) in [
        ("resetPassword", choice(&mail, PASSWORD)),
        ("verifyEmail", with_token(&verification)),
    ] {
        assert_eq!(
            app.anonymous().refused(field, input).await,
            ["INVALID_TOKEN input.token"]
        );
    }
    app.stop().await;
}

async fn nobody_learns_whether_an_address_is_an_account_s(app: App) {
    // First without anybody who sends: what is written is the same.
    join(&app, "ada").await;
    let mut rows = Vec::new();
    let mut answers = Vec::new();
    for email in [address("ada"), address("nobody")] {
        app.database.look("DELETE FROM mails").await;
        answers.push(ask(&app, &email).await.to_string());
        let row = "SELECT kind || ' ' || attempts || ' ' || (CASE WHEN user_id IS NULL THEN 'nobody' ELSE 'somebody' END) || ' ' || CAST(data AS text) FROM mails";
        rows.push(app.database.look(row).await);
    }
    assert_eq!(rows[0], ["reset_password 0 nobody {}"]);
    assert_eq!(rows[0], rows[1]);
    assert_eq!(answers[0], answers[1]);
    assert!(!answers[0].contains("code"), "{answers:?}");
    for wrong in [
        "nobody",
        "a@example.org\r\nBcc: b@example.org",
        "a@b@example.org",
        "",
    ] {
        let answer = ask(&app, wrong).await;
        assert_eq!(
            answer["data"]["requestPasswordReset"]["errors"][0]["code"],
            "INVALID"
        );
    }
    let app = posting(app).await;
    app.mailed().await;
    let waiting = app.database.number("SELECT count(*) FROM mails").await;
    assert_eq!(
        (waiting, app.outbox().await),
        (0, vec![]),
        "nobody is written to"
    );

    app.database
        .look("UPDATE users SET deleted_at = created_at")
        .await;
    ask(&app, &address("ada")).await;
    app.mailed().await;
    assert_eq!(app.outbox().await, Vec::<Value>::new(), "nor who is gone");
    app.stop().await;
}

async fn a_token_is_worth_something_for_an_hour(app: App) {
    let app = posting(app).await;
    join(&app, "ada").await;
    ask(&app, &address("ada")).await;
    let mail = app.mail("reset_password", &address("ada"), 1).await;
    let (hour, moment) = (TimeDelta::hours(1), TimeDelta::microseconds(1));
    app.clock.set(at(12, 0) + hour);
    assert_eq!(
        app.anonymous()
            .refused("resetPassword", choice(&mail, OTHER))
            .await,
        ["INVALID_TOKEN input.token"]
    );
    app.clock.set(at(12, 0) + hour - moment);
    app.anonymous()
        .done("resetPassword", "__typename", choice(&mail, OTHER))
        .await;
    app.stop().await;
}

async fn one_mail_a_minute(app: App) {
    let app = posting(app).await;
    join(&app, "ada").await;
    for _ in 0..3 {
        ask(&app, &address("ada")).await;
    }
    app.mailed().await;
    let first = app.mail("reset_password", &address("ada"), 1).await;
    app.clock.set(at(12, 1));
    ask(&app, &address("ada")).await;
    let second = app.mail("reset_password", &address("ada"), 2).await;
    assert_eq!(
        app.anonymous()
            .refused("resetPassword", choice(&first, OTHER))
            .await,
        ["INVALID_TOKEN input.token"]
    );
    app.anonymous()
        .done("resetPassword", "__typename", choice(&second, OTHER))
        .await;
    app.stop().await;
}

async fn of_many_who_choose_at_once_one_does(app: App) {
    let app = posting(app).await;
    join(&app, "ada").await;
    ask(&app, &address("ada")).await;
    let mail = app.mail("reset_password", &address("ada"), 1).await;
    let attempts = (0..10).map(|number| {
        let password = format!("Another-horse-{number}");
        let (client, input) = (app.anonymous(), choice(&mail, &password));
        async move {
            let answer = client.mutate("resetPassword", "__typename", input).await;
            assert_eq!(answer.codes(), Vec::<String>::new());
            answer
                .refusals("resetPassword")
                .is_empty()
                .then_some(password)
        }
    });
    let won: Vec<String> = at_once(attempts).await.into_iter().flatten().collect();
    assert_eq!(won.len(), 1);
    assert!(signs_in(&app, &won[0]).await);
    app.stop().await;
}

async fn a_change_of_the_password_is_told(app: App) {
    let app = posting(app).await;
    let ada = join(&app, "ada").await;
    ask(&app, &address("ada")).await;
    let mail = app.mail("reset_password", &address("ada"), 1).await;
    let input = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    ada.done("changePassword", "__typename", input).await;
    app.mail("password_changed", &address("ada"), 1).await;
    assert_eq!(
        app.anonymous()
            .refused("resetPassword", choice(&mail, PASSWORD))
            .await,
        ["INVALID_TOKEN input.token"],
        "who asked for it before has no use for it"
    );
    app.stop().await;
}
