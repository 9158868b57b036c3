//! How passwords are kept.

use serde_json::json;

use crate::harness::{App, on_each_database, people::PASSWORD};

on_each_database!(
    a_hash_is_kept_and_renewed,
    an_unusable_hash_lets_nobody_in,
    a_removed_account_is_nobodys
);

/// The same password under parameters of another time: 8 MiB, 1 pass, 1 lane.
const OLD: &str = "$argon2id$v=19$m=8192,t=1,p=1$cm9sbGNhbGxyb2xsY2FsbA$ssz9M/Lm4kgejcytHPItp8vdC8nIuVeos8XgY+DQKR8";

async fn hash_of(app: &App) -> String {
    app.database
        .look("SELECT password_hash FROM users")
        .await
        .concat()
}

async fn a_hash_is_kept_and_renewed(app: App) {
    let input = json!({ "username": "ada", "email": "ada@example.org", "password": PASSWORD, "firstName": "Ada" });
    app.anonymous().done("signUp", "__typename", input).await;
    let today = "$argon2id$v=19$m=19456,t=2,p=1$";
    let fresh = hash_of(&app).await;
    assert!(fresh.starts_with(today), "{fresh}");
    let sign_in = json!({ "login": "ada", "password": PASSWORD });
    let wrong = json!({ "login": "ada", "password": "Wrong-horse-7" });
    app.anonymous()
        .done("signIn", "__typename", sign_in.clone())
        .await;
    assert_eq!(hash_of(&app).await, fresh, "one of today is left alone");

    app.database
        .look(&format!("UPDATE users SET password_hash = '{OLD}'"))
        .await;
    assert_eq!(
        app.anonymous().refused("signIn", wrong.clone()).await,
        ["BAD_CREDENTIALS input.password"]
    );
    assert_eq!(
        hash_of(&app).await,
        OLD,
        "who does not know the password renews nothing"
    );
    app.anonymous()
        .done("signIn", "__typename", sign_in.clone())
        .await;
    let renewed = hash_of(&app).await;
    assert!(renewed.starts_with(today) && renewed != fresh, "{renewed}");
    app.anonymous().done("signIn", "__typename", sign_in).await;
    assert_eq!(
        app.anonymous().refused("signIn", wrong).await,
        ["BAD_CREDENTIALS input.password"]
    );
    app.stop().await;
}

async fn an_unusable_hash_lets_nobody_in(app: App) {
    let input = json!({ "username": "ada", "email": "ada@example.org", "password": PASSWORD, "firstName": "Ada" });
    app.anonymous().done("signUp", "__typename", input).await;
    for hash in [
        "",
        "!",
        PASSWORD,
        "$argon2id$v=19$m=19456,t=2,p=1$",
        "$1$salt$hash",
    ] {
        app.database
            .look(&format!("UPDATE users SET password_hash = '{hash}'"))
            .await;
        for password in ["", "!", PASSWORD] {
            let refused = app
                .anonymous()
                .refused("signIn", json!({ "login": "ada", "password": password }))
                .await;
            assert_eq!(refused, ["BAD_CREDENTIALS input.password"], "{hash}");
        }
    }
    app.stop().await;
}

async fn a_removed_account_is_nobodys(app: App) {
    let ada = app.sign_up("ada").await;
    let data = ada.ok("{ viewer { user { username } } }", json!({})).await;
    let sign_in = json!({ "login": data["viewer"]["user"]["username"], "password": PASSWORD });
    app.database
        .look("UPDATE users SET deleted_at = created_at")
        .await;
    assert_eq!(
        app.anonymous().refused("signIn", sign_in).await,
        ["BAD_CREDENTIALS input.password"]
    );
    // A session that outlived its person opens no door (GHSA-2vg6).
    let answer = ada
        .send("{ viewer { user { username } } }", json!({}))
        .await;
    assert_eq!(answer.codes(), ["UNAUTHENTICATED"]);
    app.stop().await;
}
