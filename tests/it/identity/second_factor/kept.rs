//! How second factors are kept: encrypted, or as a hash.

use serde_json::json;

use super::{challenge, completes};
use crate::harness::{
    App, Backend, authenticator::STEP, on_each_database, people::PASSWORD, secret_key,
};

on_each_database!(at crate::harness::evening::at(12, 0);
    no_secret_is_kept_as_it_is,
    a_secret_opens_in_its_own_row_alone,
    keys_are_rotated_while_people_sign_in,
    without_a_key_a_secret_is_refused_or_gets_one,
);

const BEGIN: &str = "mutation { beginTotp { secret errors { code message } } }";

async fn no_secret_is_kept_as_it_is(app: App) {
    let (ada, authenticator, codes) = app.sign_up("ada").await.with_app(app.clock.now()).await;
    let waiting = challenge(&ada).await;
    let input = json!({ "challenge": waiting, "recoveryCode": codes[0] });
    app.anonymous()
        .done("completeSignIn", "__typename", input)
        .await;
    let everything = app.database.everything().await;
    let rows: Vec<&String> = everything.values().flatten().collect();
    let hex = |text: &str| -> String { text.bytes().map(|byte| format!("{byte:02x}")).collect() };
    let mut secrets = vec![authenticator.secret(), waiting.clone(), hex(&waiting)];
    for code in &codes {
        let bare = code.replace('-', "");
        secrets.extend([code.clone(), hex(&bare), bare]);
    }
    for secret in secrets {
        let secret = secret.to_lowercase();
        let found = rows.iter().find(|row| row.to_lowercase().contains(&secret));
        assert_eq!(found, None, "{secret}");
    }
    // The control: what is kept as it is would be found.
    assert!(rows.iter().any(|row| row.contains("@example.org")));
    app.stop().await;
}

async fn a_secret_opens_in_its_own_row_alone(app: App) {
    let (ada, hers, _) = app.sign_up("ada").await.with_app(app.clock.now()).await;
    let (bob, his, codes) = app.sign_up("bob").await.with_app(app.clock.now()).await;
    for sql in [
        "CREATE TABLE swap AS SELECT id, secret FROM totp_factors",
        "UPDATE totp_factors SET secret = (SELECT secret FROM swap WHERE swap.id <> totp_factors.id)",
        "DROP TABLE swap",
    ] {
        app.database.look(sql).await;
    }
    let next = app.clock.now() + STEP;
    let waiting = challenge(&bob).await;
    for code in [hers.code(next), his.code(next)] {
        assert_eq!(completes(&bob, &waiting, &code).await, "INTERNAL");
        assert_eq!(
            completes(&ada, &challenge(&ada).await, &code).await,
            "INTERNAL"
        );
    }
    // Recovery codes are for this, too.
    assert_eq!(completes(&bob, &waiting, &codes[0]).await, "");
    app.stop().await;
}

async fn keys_are_rotated_while_people_sign_in(app: App) {
    let (ada, authenticator, _) = app.sign_up("ada").await.with_app(app.clock.now()).await;
    let old = secret_key("tests", 1);
    let new = secret_key("new", 2);
    let app = app
        .with(&[("ROLLCALL_SECRET_KEYS", &format!("{new},{old}"))])
        .await;
    let ada = ada.at(&app.url);
    let sealed_by = "SELECT count(*) FROM totp_factors WHERE substr(secret, 3, 3) = ";
    let name = match app.database.backend() {
        Backend::Sqlite => "x'6e6577'",
        Backend::Postgres => "'\\x6e6577'::bytea",
    };
    let sealed_by = format!("{sealed_by}{name}");
    assert_eq!(app.database.number(&sealed_by).await, 0);
    let now = app.clock.now();
    let code = authenticator.code(now + STEP);
    assert_eq!(completes(&ada, &challenge(&ada).await, &code).await, "");
    // Its row was written anyway.
    assert_eq!(app.database.number(&sealed_by).await, 1);
    let app = app.with(&[("ROLLCALL_SECRET_KEYS", &new)]).await;
    let ada = ada.at(&app.url);
    app.clock.set(now + STEP * 4);
    let code = authenticator.code(now + STEP * 4);
    assert_eq!(completes(&ada, &challenge(&ada).await, &code).await, "");
    // The control: the key before opens nothing any more.
    let app = app.with(&[("ROLLCALL_SECRET_KEYS", &old)]).await;
    let ada = ada.at(&app.url);
    let code = authenticator.code(now + STEP * 5);
    assert_eq!(
        completes(&ada, &challenge(&ada).await, &code).await,
        "INTERNAL"
    );
    app.stop().await;
}

async fn without_a_key_a_secret_is_refused_or_gets_one(app: App) {
    let ada = app.sign_up("ada").await;
    let app = app.with(&[("ROLLCALL_SECRET_KEYS", "")]).await;
    let ada = ada.at(&app.url);
    let answer = ada.send(BEGIN, json!({})).await;
    match app.database.backend() {
        Backend::Postgres => {
            assert_eq!(answer.refusals("beginTotp"), ["NOT_CONFIGURED"]);
            let message = answer.body.pointer("/data/beginTotp/errors/0/message");
            let message = message
                .and_then(serde_json::Value::as_str)
                .expect("a message");
            assert!(message.contains("ROLLCALL_SECRET_KEYS"), "{message}");
            // What keeps no such secret works.
            let input = json!({ "password": PASSWORD });
            ada.done("confirmPassword", "token", input).await;
        }
        Backend::Sqlite => {
            assert_eq!(answer.refusals("beginTotp"), Vec::<String>::new());
            let file = app
                .database
                .file()
                .expect("a file")
                .with_extension("db.key");
            assert!(file.exists(), "{}", file.display());
            let (ada, authenticator, _) = ada.with_app(app.clock.now()).await;
            // It is still there after a restart.
            let app = app.with(&[("ROLLCALL_SECRET_KEYS", "")]).await;
            let ada = ada.at(&app.url);
            let code = authenticator.code(app.clock.now() + STEP);
            assert_eq!(completes(&ada, &challenge(&ada).await, &code).await, "");
            app.stop().await;
            return;
        }
    }
    app.stop().await;
}
