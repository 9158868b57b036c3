//! Making an account.

use serde_json::{Value, json};

use crate::harness::{App, Client, on_each_database, people::PASSWORD};

on_each_database!(
    an_account_is_signed_in_at_once,
    addresses_are_stored_as_one_reads_them,
    everything_wrong_is_told_at_once,
    the_rule_for_passwords,
    the_rule_for_usernames,
    an_organization_is_founded_with_the_account,
);

fn account(username: &str, email: &str) -> Value {
    json!({ "username": username, "email": email, "password": PASSWORD, "firstName": "Ada", "lastName": "Test" })
}

async fn sign_up(client: &Client, input: Value) -> Client {
    let payload = client.done("signUp", "token", input).await;
    client.with_token(payload["token"].as_str().expect("a token"))
}

async fn an_account_is_signed_in_at_once(app: App) {
    let selection = "token viewer { user { username email firstName lastName } organizations { role } permissions }";
    let payload = app
        .anonymous()
        .done("signUp", selection, account("Ada_L", "ada@example.org"))
        .await;
    let user = json!({ "username": "Ada_L", "email": "ada@example.org", "firstName": "Ada", "lastName": "Test" });
    assert_eq!(
        payload["viewer"],
        json!({ "user": user, "organizations": [], "permissions": [] })
    );
    let ada = app
        .anonymous()
        .with_token(payload["token"].as_str().expect("a token"));
    assert_eq!(
        ada.ok("{ viewer { user { username } } }", json!({})).await["viewer"]["user"]["username"],
        "Ada_L"
    );
    // Nobody is signed in without a credential, and that is no error.
    assert_eq!(
        app.anonymous()
            .ok("{ viewer { user { username } } }", json!({}))
            .await["viewer"],
        Value::Null
    );
    app.stop().await;
}

async fn addresses_are_stored_as_one_reads_them(app: App) {
    let client = app.anonymous();
    // Full-width letters and a long s are the plain ones (NFKC); surrounding blanks are nothing.
    let ada = sign_up(&client, account("ada", "  \u{FF21}da@EXAMPLE.org ")).await;
    let data = ada.ok("{ viewer { user { email } } }", json!({})).await;
    assert_eq!(data["viewer"]["user"]["email"], "ada@example.org");
    let before = app.database.everything().await;
    for twin in [
        "ada@example.org",
        "ADA@example.ORG",
        "\u{FF41}da@example.org",
    ] {
        assert_eq!(
            client.refused("signUp", account("other", twin)).await,
            ["TAKEN input.email"],
            "{twin}"
        );
    }
    for wrong in [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@example",
        "a b@example.org",
        "ada@@example.org",
        "ada@example..org",
    ] {
        assert_eq!(
            client.refused("signUp", account("other", wrong)).await,
            ["INVALID input.email"],
            "{wrong}"
        );
    }
    assert_eq!(app.database.everything().await, before);
    app.stop().await;
}

async fn everything_wrong_is_told_at_once(app: App) {
    let client = app.anonymous();
    let nothing = json!({ "username": "a", "email": "a", "password": "a", "firstName": " " });
    assert_eq!(
        client.refused("signUp", nothing).await,
        [
            "INVALID input.username",
            "INVALID input.email",
            "WEAK_PASSWORD input.password",
            "REQUIRED input.firstName"
        ]
    );
    assert_eq!(app.database.number("SELECT count(*) FROM users").await, 0);
    sign_up(&client, account("ada", "ada@example.org")).await;
    sign_up(&client, account("bo_", "bo@example.org")).await;
    let before = app.database.everything().await;
    // Both taken, be it by one person or by two.
    for (username, email) in [("ADA", "ada@example.org"), ("Ada", "bo@example.org")] {
        let mut refusals = client.refused("signUp", account(username, email)).await;
        refusals.sort_unstable();
        assert_eq!(refusals, ["TAKEN input.email", "TAKEN input.username"]);
    }
    assert_eq!(app.database.everything().await, before);
    app.stop().await;
}

async fn the_rule_for_passwords(app: App) {
    let client = app.anonymous();
    let with = |password: &str| {
        let mut input = account("ada", "ada@example.org");
        input["password"] = json!(password);
        input
    };
    let long = format!("Aa1{}", "x".repeat(126));
    for weak in [
        "",
        "Short-7",
        "all-lower-7",
        "ALL-UPPER-7",
        "No-digits-",
        &long,
    ] {
        assert_eq!(
            client.refused("signUp", with(weak)).await,
            ["WEAK_PASSWORD input.password"],
            "{weak}"
        );
    }
    assert_eq!(app.database.number("SELECT count(*) FROM users").await, 0);
    // The longest that is allowed; an accent is one letter, however it was typed.
    let strong = format!("\u{C5}b1{}", "x".repeat(125));
    sign_up(&client, with(&strong)).await;
    let typed = format!("A\u{30A}b1{}", "x".repeat(125));
    client
        .done(
            "signIn",
            "__typename",
            json!({ "login": "ada", "password": typed }),
        )
        .await;
    app.stop().await;
}

async fn the_rule_for_usernames(app: App) {
    let client = app.anonymous();
    let long = "x".repeat(51);
    for wrong in ["ab", "a b", "a-b", "ädä", "ada@example.org", &long] {
        assert_eq!(
            client
                .refused("signUp", account(wrong, "ada@example.org"))
                .await,
            ["INVALID input.username"],
            "{wrong}"
        );
    }
    for (index, right) in ["abc", "A_1", &long[1..]].into_iter().enumerate() {
        sign_up(&client, account(right, &format!("ada{index}@example.org"))).await;
    }
    app.stop().await;
}

async fn an_organization_is_founded_with_the_account(app: App) {
    let client = app.anonymous();
    let with = |username: &str, name: &str, zone: &str| {
        let mut input = account(username, &format!("{username}@example.org"));
        input["organizationName"] = json!(name);
        input["timeZone"] = json!(zone);
        input
    };
    let before = app.database.everything().await;
    assert_eq!(
        client.refused("signUp", with("ada", " ", "UTC")).await[0],
        "REQUIRED input.organizationName"
    );
    assert_eq!(
        client.refused("signUp", with("ada", "Jazz", "Mars")).await,
        ["INVALID input.timeZone"]
    );
    let mut without = account("ada", "ada@example.org");
    without["timeZone"] = json!("Mars/X");
    assert_eq!(
        client.refused("signUp", without).await,
        ["INVALID input.timeZone"],
        "though nothing is founded"
    );
    assert_eq!(
        app.database.everything().await,
        before,
        "no account without its organization"
    );

    let ada = sign_up(&client, with("ada", "Jazz Club Zürich", "Europe/Zurich")).await;
    let data = ada.ok("{ organization { name slug timeZone owner { username } } viewer { organizations { role } } }", json!({})).await;
    let organization = json!({ "name": "Jazz Club Zürich", "slug": "jazz-club-zurich", "timeZone": "Europe/Zurich", "owner": { "username": "ada" } });
    assert_eq!(
        data,
        json!({ "organization": organization, "viewer": { "organizations": [{ "role": "owner" }] } })
    );
    // A name is not an address: the next of that name gets another one.
    let bo = sign_up(&client, with("bo_", "Jazz club Zurich", "UTC")).await;
    let data = bo.ok("{ organization { slug } }", json!({})).await;
    let slug = data["organization"]["slug"].as_str().expect("a slug");
    assert!(slug.starts_with("jazz-club-zurich-"), "{slug}");
    app.stop().await;
}
