//! Taking a link away again.

use serde_json::{Value, json};

use super::{Begun, accounts, arrive, prove_addresses, who, with};
use crate::harness::{
    App, Client, door::at_once, evening::at, on_each_database, people::PASSWORD, provider::liar,
};

on_each_database!(at crate::harness::evening::at(12, 0);
    what_is_unlinked_signs_in_no_more,
    nobody_else_unlinks_it_nor_a_session_that_is_not_fresh,
    the_only_way_in_stays,
);

async fn two(app: App) -> App {
    let providers = [("sample", liar("sample")), ("other", liar("other"))];
    let providers = providers
        .each_ref()
        .map(|(id, issuer)| (*id, issuer.as_str()));
    with(app, &providers).await
}

async fn link(client: &Client, provider: &str, subject: &str) -> Value {
    let begun = Begun::new(client, "beginProviderLink", provider).await;
    let selection = "viewer { linkedAccounts { id provider } }";
    let input = begun.answered("truth", subject);
    let payload = client
        .done("completeProviderSignIn", selection, input)
        .await;
    let linked = payload["viewer"]["linkedAccounts"]
        .as_array()
        .expect("accounts");
    let linked = linked
        .iter()
        .find(|account| account["provider"] == provider);
    json!({ "linkedAccountId": linked.expect("it")["id"] })
}

async fn what_is_unlinked_signs_in_no_more(app: App) {
    let app = two(app).await;
    let ada = app.sign_up("ada").await;
    prove_addresses(&app).await;
    let input = link(&ada, "sample", "elsewhere").await;
    arrive(&app, "sample", "elsewhere").await;
    ada.done(
        "unlinkAccount",
        "viewer { linkedAccounts { id } }",
        input.clone(),
    )
    .await;
    assert_eq!(who(&ada).await["linkedAccounts"], json!([]));
    let email = who(&ada).await["user"]["email"].take();
    let mail = app
        .mail("account_unlinked", email.as_str().expect("an address"), 1)
        .await;
    assert!(
        mail["text"]
            .as_str()
            .expect("a text")
            .contains("at sample does not")
    );
    assert_eq!(
        ada.refused("unlinkAccount", input).await,
        ["NOT_FOUND input.linkedAccountId"]
    );
    // It is somebody new from now on.
    let new = arrive(&app, "sample", "elsewhere").await;
    assert_ne!(who(&new).await["user"]["id"], who(&ada).await["user"]["id"]);
    assert_eq!(accounts(&app).await, 2);
    app.stop().await;
}

async fn nobody_else_unlinks_it_nor_a_session_that_is_not_fresh(app: App) {
    let app = two(app).await;
    let (ada, bo) = (app.sign_up("ada").await, app.sign_up("bo").await);
    prove_addresses(&app).await;
    let input = link(&ada, "sample", "ada").await;
    link(&bo, "sample", "bo").await;
    let before = app.database.everything().await["linked_accounts"].clone();
    assert_eq!(
        bo.refused("unlinkAccount", input.clone()).await,
        ["NOT_FOUND input.linkedAccountId"]
    );
    assert_eq!(
        app.anonymous().denied("unlinkAccount", input.clone()).await,
        "UNAUTHENTICATED"
    );
    app.clock.set(at(12, 15));
    assert_eq!(
        ada.refused("unlinkAccount", input.clone()).await,
        ["SESSION_NOT_FRESH "]
    );
    assert_eq!(app.database.everything().await["linked_accounts"], before);
    let payload = ada
        .done("confirmPassword", "token", json!({ "password": PASSWORD }))
        .await;
    let ada = ada.with_token(payload["token"].as_str().expect("a token"));
    ada.done("unlinkAccount", "__typename", input).await;
    app.stop().await;
}

async fn the_only_way_in_stays(app: App) {
    let app = two(app).await;
    let ada = arrive(&app, "sample", "ada").await;
    let first = json!({ "linkedAccountId": who(&ada).await["linkedAccounts"][0]["id"] });
    assert_eq!(
        ada.refused("unlinkAccount", first.clone()).await,
        ["LAST_WAY_IN "]
    );
    // Of two one may go, whoever is first.
    let second = link(&ada, "other", "ada").await;
    let attempts = (0..50).flat_map(|_| [&first, &second]).map(|input| {
        let (client, input) = (ada.again(), input.clone());
        async move { client.mutate("unlinkAccount", "__typename", input).await }
    });
    let answers = at_once(attempts.collect::<Vec<_>>()).await;
    let done = answers
        .iter()
        .filter(|answer| answer.refusals("unlinkAccount").is_empty());
    assert_eq!(done.count(), 1);
    let left = who(&ada).await["linkedAccounts"].take();
    assert_eq!(left.as_array().map(Vec::len), Some(1));
    // With a password it may go, too.
    let input = json!({ "newPassword": PASSWORD });
    let payload = ada.done("changePassword", "token", input).await;
    let ada = ada.with_token(payload["token"].as_str().expect("a token"));
    let last = json!({ "linkedAccountId": left[0]["id"] });
    ada.done("unlinkAccount", "__typename", last).await;
    app.stop().await;
}
