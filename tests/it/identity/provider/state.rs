//! What binds a sign-in to its browser, its provider and its time.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Begun, accounts, complete, with};
use crate::harness::{App, door::at_once, evening::at, on_each_database, provider::liar};

on_each_database!(at crate::harness::evening::at(12, 0);
    another_browser_completes_nothing,
    another_provider_completes_nothing,
    an_answer_says_whose_it_is,
    it_is_completed_once_and_in_time,
    of_a_hundred_who_complete_it_at_once_one_does,
    no_secret_of_it_is_stored,
);

async fn refused(app: &App, input: Value) -> Vec<String> {
    app.anonymous()
        .refused("completeProviderSignIn", input)
        .await
}

async fn another_browser_completes_nothing(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    let (mine, theirs) = (
        Begun::sign_in(&app, "sample").await,
        Begun::sign_in(&app, "sample").await,
    );
    let good = mine.answered("truth", "ada");
    let mut bad = good.clone();
    bad["browserSecret"] = json!(theirs.secret);
    assert_eq!(
        refused(&app, bad.clone()).await,
        ["INVALID_TOKEN input.state"]
    );
    bad["browserSecret"] = json!("nonsense");
    assert_eq!(
        refused(&app, bad.clone()).await,
        ["INVALID_TOKEN input.state"]
    );
    bad["browserSecret"] = Value::Null;
    assert_eq!(refused(&app, bad).await, ["REQUIRED input.browserSecret"]);
    for state in [theirs.sent("state"), mine.secret.clone(), String::new()] {
        let mut bad = good.clone();
        bad["state"] = json!(state);
        assert_eq!(refused(&app, bad).await, ["INVALID_TOKEN input.state"]);
    }
    assert_eq!(accounts(&app).await, 0);
    // What others tried used nothing up.
    complete(&app, good).await;
    complete(&app, theirs.answered("truth", "bo")).await;
    assert_eq!(accounts(&app).await, 2);
    app.stop().await;
}

async fn another_provider_completes_nothing(app: App) {
    let providers = [("sample", liar("sample")), ("other", liar("other"))];
    let providers = providers
        .each_ref()
        .map(|(id, issuer)| (*id, issuer.as_str()));
    let app = with(app, &providers).await;
    let begun = Begun::sign_in(&app, "sample").await;
    // The honest provider's state, brought back as the other's.
    let mut mixed = begun.answered("truth", "ada");
    mixed["provider"] = json!("other");
    mixed["iss"] = json!(liar("other"));
    assert_eq!(
        refused(&app, mixed.clone()).await,
        ["INVALID_TOKEN input.state"]
    );
    mixed["provider"] = json!("nobody");
    assert_eq!(refused(&app, mixed).await, ["NOT_FOUND input.provider"]);
    // The same subject at two providers is two people.
    let one = super::who(&complete(&app, begun.answered("truth", "ada")).await).await;
    let begun = Begun::sign_in(&app, "other").await;
    assert_eq!(
        refused(&app, begun.answered("truth", "ada")).await,
        ["TAKEN "]
    );
    assert_eq!(one["linkedAccounts"].as_array().map(Vec::len), Some(1));
    assert_eq!(accounts(&app).await, 1);
    app.stop().await;
}

async fn an_answer_says_whose_it_is(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    let begun = Begun::sign_in(&app, "sample").await;
    let good = begun.answered("truth", "ada");
    for iss in [json!(liar("other")), json!(""), Value::Null] {
        let mut bad = good.clone();
        bad["iss"] = iss;
        assert_eq!(refused(&app, bad).await, ["INVALID input.iss"]);
    }
    complete(&app, good).await;
    app.stop().await;
}

async fn it_is_completed_once_and_in_time(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    let (first, second) = (
        Begun::sign_in(&app, "sample").await,
        Begun::sign_in(&app, "sample").await,
    );
    app.clock.set(at(12, 10) - TimeDelta::microseconds(1));
    complete(&app, first.answered("truth", "ada")).await;
    assert_eq!(
        refused(&app, first.answered("truth", "ada")).await,
        ["INVALID_TOKEN input.state"]
    );
    app.clock.set(at(12, 10));
    assert_eq!(
        refused(&app, second.answered("truth", "bo")).await,
        ["INVALID_TOKEN input.state"]
    );
    assert_eq!(accounts(&app).await, 1);
    // Those whose time has come leave with the next.
    Begun::sign_in(&app, "sample").await;
    let rows = app
        .database
        .number("SELECT count(*) FROM provider_sign_ins");
    assert_eq!(rows.await, 1);
    app.stop().await;
}

async fn of_a_hundred_who_complete_it_at_once_one_does(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    let begun = Begun::sign_in(&app, "sample").await;
    let attempts = (0..100).map(|_| {
        let (client, input) = (app.anonymous(), begun.answered("truth", "ada"));
        async move {
            client
                .mutate("completeProviderSignIn", "token", input)
                .await
        }
    });
    let mut won = 0;
    for answer in at_once(attempts).await {
        assert_eq!(answer.codes(), Vec::<String>::new());
        match answer.refusals("completeProviderSignIn").as_slice() {
            [] => won += 1,
            refusals => assert_eq!(refusals, ["INVALID_TOKEN"]),
        }
    }
    let sessions = app.database.number("SELECT count(*) FROM sessions").await;
    assert_eq!((won, sessions, accounts(&app).await), (1, 1, 1));
    app.stop().await;
}

async fn no_secret_of_it_is_stored(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    let begun = Begun::sign_in(&app, "sample").await;
    let everything = format!("{:?}", app.database.everything().await);
    assert!(everything.contains("provider_sign_ins"));
    for secret in [
        begun.sent("state"),
        begun.sent("nonce"),
        begun.secret.clone(),
    ] {
        assert!(secret.len() == 43 && !everything.contains(&secret));
    }
    assert_ne!(begun.sent("nonce"), begun.sent("code_challenge"));
    assert_eq!(begun.sent("code_challenge_method"), "S256");
    app.stop().await;
}
