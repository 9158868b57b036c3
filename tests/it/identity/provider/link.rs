//! Linking an account at a provider to one's own: who asked for it, and nobody else.

use serde_json::json;

use super::{Begun, accounts, arrive, complete, prove_addresses, who, with, with_real};
use crate::harness::{
    App, Client, door::at_once, evening::at, on_each_database, people::PASSWORD, provider::liar,
};

on_each_database!(at crate::harness::evening::at(12, 0);
    only_the_session_that_asked_links,
    a_link_takes_a_fresh_session_and_a_proved_address,
    an_account_there_is_linked_to_one_here,
    of_two_accounts_that_link_the_same_at_once_one_does,
);

mod real {
    use super::*;

    on_each_database!(who_links_an_account_signs_in_with_it);

    async fn who_links_an_account_signs_in_with_it(app: App) {
        let Some((app, _one)) = with_real(app).await else {
            return;
        };
        let ada = app.sign_up("ada").await;
        prove_addresses(&app).await;
        let begun = Begun::new(&ada, "beginProviderLink", "one").await;
        // Whatever address the provider knows.
        let input = begun.come_back(&app, "unproved-elsewhere").await;
        let selection = "token returnTo viewer { linkedAccounts { provider } }";
        let payload = ada.done("completeProviderSignIn", selection, input).await;
        assert!(payload["token"].is_null(), "the session stays");
        assert_eq!(
            payload["viewer"]["linkedAccounts"],
            json!([{ "provider": "one" }])
        );
        assert_eq!(payload["returnTo"], format!("{}/", app.url));
        let mine = who(&ada).await;
        assert_eq!(
            mine["linkedAccounts"][0]["email"],
            "unproved-elsewhere@example.org"
        );
        let email = mine["user"]["email"].as_str().expect("an address");
        let mail = app.mail("account_linked", email, 1).await;
        let text = mail["text"].as_str().expect("a text");
        assert!(
            text.contains("at one with") && mail["token"].is_null(),
            "{text}"
        );

        let begun = Begun::sign_in(&app, "one").await;
        let input = begun.come_back(&app, "unproved-elsewhere").await;
        let again = complete(&app, input).await;
        assert_eq!(who(&again).await["user"], mine["user"]);
        assert_eq!(accounts(&app).await, 1);
        app.stop().await;
    }
}

async fn links(client: &Client) -> usize {
    who(client).await["linkedAccounts"]
        .as_array()
        .map_or(0, Vec::len)
}

/// Better Auth's GHSA-g38m: that somebody has the state, the code and even the secret links nothing to
/// their account, and nothing of theirs to another's.
async fn only_the_session_that_asked_links(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    let (ada, bo) = (app.sign_up("ada").await, app.sign_up("bo").await);
    prove_addresses(&app).await;
    let login = json!({ "login": who(&ada).await["user"]["username"], "password": PASSWORD });
    let payload = app.anonymous().done("signIn", "token", login).await;
    let elsewhere = app
        .anonymous()
        .with_token(payload["token"].as_str().expect("a token"));
    let begun = Begun::new(&ada, "beginProviderLink", "sample").await;
    let input = begun.answered("truth", "mallory");
    for other in [&bo, &elsewhere, &app.anonymous()] {
        assert_eq!(
            other.refused("completeProviderSignIn", input.clone()).await,
            ["INVALID_TOKEN input.state"]
        );
    }
    assert_eq!(
        (links(&ada).await, links(&bo).await, accounts(&app).await),
        (0, 0, 2)
    );
    // Nor has another that is under way at the time, or that the same person began later.
    let later = Begun::new(&ada, "beginProviderLink", "sample").await;
    assert_eq!(
        ada.refused("completeProviderSignIn", input).await,
        ["INVALID_TOKEN input.state"]
    );
    // A session that ended links nothing, either, wherever its state is.
    let good = later.answered("truth", "ada");
    ada.ok("mutation { signOut { errors { message } } }", json!({}))
        .await;
    assert_eq!(
        elsewhere
            .refused("completeProviderSignIn", good.clone())
            .await,
        ["INVALID_TOKEN input.state"]
    );
    assert_eq!(
        ada.denied("completeProviderSignIn", good).await,
        "UNAUTHENTICATED"
    );
    assert_eq!(links(&elsewhere).await, 0);
    // The control.
    let begun = Begun::new(&elsewhere, "beginProviderLink", "sample").await;
    let good = begun.answered("truth", "ada");
    elsewhere
        .done("completeProviderSignIn", "token", good)
        .await;
    assert_eq!(links(&elsewhere).await, 1);
    app.stop().await;
}

async fn a_link_takes_a_fresh_session_and_a_proved_address(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    let ada = app.sign_up("ada").await;
    let input = json!({ "provider": "sample" });
    assert_eq!(
        app.anonymous()
            .denied("beginProviderLink", input.clone())
            .await,
        "UNAUTHENTICATED"
    );
    // Who signed up with somebody else's address must not keep a way in once its owner takes over.
    assert_eq!(
        ada.refused("beginProviderLink", input.clone()).await,
        ["EMAIL_NOT_VERIFIED "]
    );
    prove_addresses(&app).await;
    app.clock.set(at(12, 15));
    assert_eq!(
        ada.refused("beginProviderLink", input.clone()).await,
        ["SESSION_NOT_FRESH "]
    );
    let rows = app
        .database
        .number("SELECT count(*) FROM provider_sign_ins");
    assert_eq!(rows.await, 0);
    let password = json!({ "password": PASSWORD });
    let payload = ada.done("confirmPassword", "token", password).await;
    let ada = ada.with_token(payload["token"].as_str().expect("a token"));
    ada.done("beginProviderLink", "authorizationUrl", input)
        .await;
    app.stop().await;
}

async fn an_account_there_is_linked_to_one_here(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    let (ada, bo) = (app.sign_up("ada").await, app.sign_up("bo").await);
    arrive(&app, "sample", "cy").await;
    prove_addresses(&app).await;
    for other in [&ada, &bo] {
        let begun = Begun::new(other, "beginProviderLink", "sample").await;
        let input = begun.answered("truth", "cy");
        assert_eq!(
            other.refused("completeProviderSignIn", input).await,
            ["TAKEN "]
        );
        assert_eq!(links(other).await, 0);
    }
    // Nor are two there linked to one here, whether they are begun one after the other or not.
    let begun = Begun::new(&ada, "beginProviderLink", "sample").await;
    let input = begun.answered("truth", "ada");
    ada.done("completeProviderSignIn", "token", input).await;
    let again = json!({ "provider": "sample" });
    assert_eq!(
        ada.refused("beginProviderLink", again).await,
        ["TAKEN input.provider"]
    );
    assert_eq!(links(&ada).await, 1);
    app.stop().await;
}

async fn of_two_accounts_that_link_the_same_at_once_one_does(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    let mut attempts = Vec::new();
    for _ in 0..20 {
        let person = app.sign_up("person").await;
        prove_addresses(&app).await;
        let begun = Begun::new(&person, "beginProviderLink", "sample").await;
        let input = begun.answered("truth", "wanted");
        attempts.push(async move {
            person
                .mutate("completeProviderSignIn", "token", input)
                .await
        });
    }
    let mut won = 0;
    for answer in at_once(attempts).await {
        assert_eq!(answer.codes(), Vec::<String>::new());
        match answer.refusals("completeProviderSignIn").as_slice() {
            [] => won += 1,
            refusals => assert_eq!(refusals, ["TAKEN"]),
        }
    }
    let rows = app
        .database
        .number("SELECT count(*) FROM linked_accounts")
        .await;
    assert_eq!((won, rows), (1, 1));
    app.stop().await;
}
