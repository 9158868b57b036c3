//! After ten wrong second factors of an account, none is looked at for a while.

use chrono::TimeDelta;
use serde_json::json;

use super::{challenge, completes, outcome};
use crate::harness::{App, authenticator::STEP, on_each_database};

on_each_database!(at crate::harness::evening::at(12, 0);
    ten_wrong_ones_of_whatever_kind_stop_an_account,
    what_can_be_no_code_is_no_guess,
    wrong_ones_are_forgotten_after_a_while,
);

const WRONG: &str = "0000-0000-0000";

async fn ten_wrong_ones_of_whatever_kind_stop_an_account(app: App) {
    let (ada, authenticator, codes) = app.sign_up("ada").await.with_app(app.clock.now()).await;
    let (bob, _, others) = app.sign_up("bob").await.with_app(app.clock.now()).await;
    // The code of a time that has passed: never one of those that are taken.
    let old = authenticator.code(app.clock.now());
    for number in 0..10 {
        let outcome = match number % 3 {
            0 => completes(&ada, &challenge(&ada).await, &old).await,
            1 => completes(&ada, &challenge(&ada).await, WRONG).await,
            _ => outcome(&ada, "confirmSecondFactor", json!({ "code": old })).await,
        };
        assert_eq!(outcome, "BAD_CREDENTIALS", "{number}");
    }
    let next = authenticator.code(app.clock.now() + STEP);
    let waiting = challenge(&ada).await;
    for code in [&next, &codes[0]] {
        assert_eq!(completes(&ada, &waiting, code).await, "RATE_LIMITED");
    }
    let given = json!({ "recoveryCode": codes[0] });
    let answer = ada.mutate("confirmSecondFactor", "token", given).await;
    assert_eq!(answer.codes(), ["RATE_LIMITED"]);
    let wait = answer.body.pointer("/errors/0/extensions/retryAfter");
    assert_eq!(wait, Some(&json!(900)));
    // Another instance says so, too, whatever its limits.
    let beside = app.beside(&[]).await;
    let elsewhere = ada.at(&format!("http://{}", beside.address()));
    assert_eq!(
        completes(&elsewhere, &waiting, &codes[0]).await,
        "RATE_LIMITED"
    );
    beside.stop().await;
    // The control: nobody else is stopped.
    assert_eq!(
        completes(&bob, &challenge(&bob).await, &others[0]).await,
        ""
    );

    let until = app.clock.now() + TimeDelta::minutes(15);
    app.clock.set(until - TimeDelta::microseconds(1));
    let waiting = challenge(&ada).await;
    assert_eq!(completes(&ada, &waiting, &codes[0]).await, "RATE_LIMITED");
    app.clock.set(until);
    assert_eq!(completes(&ada, &waiting, &codes[0]).await, "");
    app.stop().await;
}

async fn what_can_be_no_code_is_no_guess(app: App) {
    let (ada, _, codes) = app.sign_up("ada").await.with_app(app.clock.now()).await;
    let waiting = challenge(&ada).await;
    for _ in 0..3 {
        for input in [
            json!({ "challenge": waiting, "code": "12345" }),
            json!({ "challenge": waiting, "code": "1234567" }),
            json!({ "challenge": waiting, "code": "12345a" }),
            json!({ "challenge": waiting, "recoveryCode": "0123-4567" }),
            json!({ "challenge": waiting, "recoveryCode": "U123-4567-89AB" }),
        ] {
            let answer = ada.mutate("completeSignIn", "token", input).await;
            assert_eq!(answer.refusals("completeSignIn"), ["INVALID"]);
        }
    }
    assert_eq!(completes(&ada, &waiting, &codes[0]).await, "");
    app.stop().await;
}

async fn wrong_ones_are_forgotten_after_a_while(app: App) {
    let (ada, _, codes) = app.sign_up("ada").await.with_app(app.clock.now()).await;
    let wrong = async |times: usize| {
        for _ in 0..times {
            let outcome = completes(&ada, &challenge(&ada).await, WRONG).await;
            assert_eq!(outcome, "BAD_CREDENTIALS");
        }
    };
    // A right one among them forgets nothing.
    wrong(5).await;
    assert_eq!(completes(&ada, &challenge(&ada).await, &codes[0]).await, "");
    app.clock.set(app.clock.now() + TimeDelta::minutes(8));
    wrong(4).await;
    app.clock.set(app.clock.now() + TimeDelta::minutes(7));
    // The first five are past.
    wrong(5).await;
    assert_eq!(completes(&ada, &challenge(&ada).await, &codes[1]).await, "");
    wrong(1).await;
    let outcome = completes(&ada, &challenge(&ada).await, &codes[2]).await;
    assert_eq!(outcome, "RATE_LIMITED");
    app.stop().await;
}
