//! Signing in, and up, at a provider.

use serde_json::json;

use super::{Begun, accounts, arrive, complete, who, with, with_real};
use crate::harness::{
    App, Backend,
    mail::OUTBOX,
    on_each_database,
    people::PASSWORD,
    provider::{CLIENT, ProviderServer, SECRET, liar},
};

on_each_database!(
    who_has_no_account_gets_one_and_then_signs_in_to_it,
    an_address_that_is_not_proved_makes_no_account,
    an_address_links_nothing_by_itself,
    a_code_is_worth_nothing_without_who_began_it,
    a_provider_that_is_away_signs_nobody_in,
    what_a_provider_gives_is_encrypted,
    an_account_that_was_closed_stays_closed,
    beginning_and_signing_up_are_limited,
);

async fn who_has_no_account_gets_one_and_then_signs_in_to_it(app: App) {
    let Some((app, _one)) = with_real(app).await else {
        return;
    };
    let listed = app
        .anonymous()
        .ok("{ providers { id name } }", json!({}))
        .await;
    assert_eq!(listed["providers"], json!([{ "id": "one", "name": "ONE" }]));
    let begun = Begun::sign_in(&app, "one").await;
    let ada = complete(&app, begun.come_back(&app, "ada").await).await;
    let first = who(&ada).await;
    assert_eq!(first["user"]["email"], "ada@example.org");
    assert_eq!(first["user"]["firstName"], "Ada");
    assert_eq!(first["user"]["lastName"], "Lovelace");
    assert_eq!(first["emailVerified"], true);
    let username = first["user"]["username"].as_str().expect("a name");
    assert!(
        username.starts_with("u_") && username.len() == 34,
        "{username}"
    );
    assert_eq!(first["linkedAccounts"][0]["provider"], "one");
    assert_eq!(first["linkedAccounts"][0]["email"], "ada@example.org");
    assert_eq!(app.database.look("SELECT locale FROM users").await, ["de"]);

    let begun = Begun::sign_in(&app, "one").await;
    let again = complete(&app, begun.come_back(&app, "ada").await).await;
    let second = who(&again).await;
    assert_eq!(second["user"], first["user"]);
    assert_eq!(second["linkedAccounts"], first["linkedAccounts"]);
    assert_eq!(second["sessions"].as_array().map(Vec::len), Some(2));
    assert_eq!(accounts(&app).await, 1);

    // Nobody has a password to it, until its owner chooses one.
    for login in ["ada@example.org", username] {
        for password in ["!", PASSWORD] {
            let input = json!({ "login": login, "password": password });
            assert_eq!(
                app.anonymous().refused("signIn", input).await,
                ["BAD_CREDENTIALS input.password"]
            );
        }
    }
    let input = json!({ "newPassword": PASSWORD });
    again.done("changePassword", "token", input).await;
    let input = json!({ "login": username, "password": PASSWORD });
    app.anonymous().done("signIn", "token", input).await;
    app.stop().await;
}

async fn an_address_that_is_not_proved_makes_no_account(app: App) {
    let Some((app, _one)) = with_real(app).await else {
        return;
    };
    for login in ["unproved", "mute"] {
        let begun = Begun::sign_in(&app, "one").await;
        let input = begun.come_back(&app, login).await;
        assert_eq!(
            app.anonymous()
                .refused("completeProviderSignIn", input)
                .await,
            ["EMAIL_NOT_VERIFIED "],
            "{login}"
        );
    }
    assert_eq!(accounts(&app).await, 0);
    let sessions = app.database.number("SELECT count(*) FROM sessions").await;
    assert_eq!(sessions, 0);
    app.stop().await;
}

async fn an_address_links_nothing_by_itself(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    let ada = app.sign_up("ada").await;
    let email = who(&ada).await["user"]["email"]
        .as_str()
        .expect("one")
        .to_owned();
    let subject = email.strip_suffix("@example.org").expect("an address");
    let proofs = ["NULL", "'2000-01-01T00:00:00+00:00'"];
    for proof in proofs {
        let prove = format!("UPDATE users SET email_verified_at = {proof}");
        app.database.look(&prove).await;
        let begun = Begun::sign_in(&app, "sample").await;
        let input = begun.answered("truth", subject);
        assert_eq!(
            app.anonymous()
                .refused("completeProviderSignIn", input)
                .await,
            ["TAKEN "]
        );
    }
    let after = who(&ada).await;
    assert_eq!(after["linkedAccounts"], json!([]));
    assert_eq!(after["sessions"].as_array().map(Vec::len), Some(1));
    app.stop().await;
}

async fn a_code_is_worth_nothing_without_who_began_it(app: App) {
    let Some((app, one)) = with_real(app).await else {
        return;
    };
    // Whoever gets to see the answer, and even our secret, has no verifier.
    let begun = Begun::sign_in(&app, "one").await;
    let seen = begun.come_back(&app, "ada").await;
    let code = seen["code"].as_str().expect("a code");
    for verifier in [
        "",
        "&code_verifier=",
        &format!("&code_verifier={}", "a".repeat(43)),
    ] {
        let form = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={}/callback/one{verifier}",
            app.url
        );
        let post = reqwest::Client::new()
            .post(format!("{}/token", one.issuer()))
            .basic_auth(CLIENT, Some(SECRET.replace(' ', "+")))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        assert_eq!(post.send().await.expect("an answer").status(), 400);
    }
    // Nor is it worth anything in a sign-in that somebody else began.
    let theirs = Begun::sign_in(&app, "one").await;
    let mut injected = theirs.come_back(&app, "bo").await;
    let fresh = Begun::sign_in(&app, "one").await;
    injected["code"] = fresh.come_back(&app, "ada").await["code"].take();
    assert_eq!(
        app.anonymous()
            .refused("completeProviderSignIn", injected)
            .await,
        ["PROVIDER_FAILED "]
    );
    assert_eq!(accounts(&app).await, 0);
    app.stop().await;
}

async fn a_provider_that_is_away_signs_nobody_in(app: App) {
    // It does not keep an instance from starting, either.
    let mut one = ProviderServer::away();
    let app = with(app, &[("one", &one.issuer())]).await;
    let which = json!({ "provider": "one" });
    let client = app.anonymous();
    assert_eq!(
        client.denied("beginProviderSignIn", which.clone()).await,
        "UNAVAILABLE"
    );
    let rows = "SELECT count(*) FROM provider_sign_ins";
    assert_eq!(app.database.number(rows).await, 0);
    if one.up(&format!("{}/callback/one", app.url)).await {
        // Who asked just before shares that answer for a second.
        let begun = loop {
            let selection = "authorizationUrl browserSecret";
            let answer = client
                .mutate("beginProviderSignIn", selection, which.clone())
                .await;
            if answer.codes().is_empty() {
                break Begun::sign_in(&app, "one").await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        };
        let input = begun.come_back(&app, "ada").await;
        one.down();
        assert_eq!(
            client
                .refused("completeProviderSignIn", input.clone())
                .await,
            ["PROVIDER_FAILED "]
        );
        assert_eq!(
            client.refused("completeProviderSignIn", input).await,
            ["INVALID_TOKEN input.state"]
        );
    }
    assert_eq!(accounts(&app).await, 0);
    app.stop().await;
}

async fn what_a_provider_gives_is_encrypted(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    arrive(&app, "sample", "ada").await;
    let hex = match app.database.backend() {
        Backend::Sqlite => "SELECT lower(hex(refresh_token)) FROM linked_accounts",
        Backend::Postgres => "SELECT encode(refresh_token, 'hex') FROM linked_accounts",
    };
    let first = app.database.look(hex).await.concat();
    // "refresh" in hexadecimal, and the key's own name, which the envelope tells.
    assert!(
        first.len() > 60 && !first.contains("72656672657368"),
        "{first}"
    );
    assert!(first.contains("7465737473"), "{first}");
    arrive(&app, "sample", "ada").await;
    assert_ne!(
        app.database.look(hex).await.concat(),
        first,
        "each that comes"
    );

    // Without a key nothing is kept, and people sign in all the same.
    let app = app.with(&[OUTBOX, ("ROLLCALL_SECRET_KEYS", "")]).await;
    arrive(&app, "sample", "bo").await;
    let kept = "SELECT count(*) FROM linked_accounts WHERE refresh_token IS NOT NULL";
    let expected = match app.database.backend() {
        // The embedded file has a key beside it.
        Backend::Sqlite => 2,
        Backend::Postgres => 1,
    };
    assert_eq!(app.database.number(kept).await, expected);
    app.stop().await;
}

async fn an_account_that_was_closed_stays_closed(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    arrive(&app, "sample", "ada").await;
    let close = "UPDATE users SET deleted_at = '2000-01-01T00:00:00+00:00'";
    app.database.look(close).await;
    app.database.look("DELETE FROM sessions").await;
    let begun = Begun::sign_in(&app, "sample").await;
    let input = begun.answered("truth", "ada");
    assert_eq!(
        app.anonymous()
            .refused("completeProviderSignIn", input)
            .await,
        ["WRONG_STATE "]
    );
    let sessions = app.database.number("SELECT count(*) FROM sessions").await;
    assert_eq!((sessions, accounts(&app).await), (0, 1));
    app.stop().await;
}

async fn beginning_and_signing_up_are_limited(app: App) {
    let app = app.with(&[("ROLLCALL_RATE_LIMITS", "on")]).await;
    let mut begun = Vec::new();
    for _ in 0..10 {
        begun.push(Begun::sign_in(&app, "sample").await);
    }
    let which = json!({ "provider": "sample" });
    let client = app.anonymous();
    assert_eq!(
        client.denied("beginProviderSignIn", which).await,
        "RATE_LIMITED"
    );
    let mut begun = begun.into_iter();
    for (number, begun) in begun.by_ref().take(3).enumerate() {
        complete(&app, begun.answered("truth", &format!("ada-{number}"))).await;
    }
    let mut more = || begun.next().expect("more").answered("truth", "one-more");
    assert_eq!(
        client.denied("completeProviderSignIn", more()).await,
        "RATE_LIMITED"
    );
    assert_eq!(accounts(&app).await, 3);
    // Who has an account signs in.
    let begun = begun.next().expect("more");
    complete(&app, begun.answered("truth", "ada-0")).await;
    app.stop().await;
}
