//! Second factors: what a sign-in takes besides the password, once an account has any.

mod kept;
mod stop;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{
    App, Client, authenticator::STEP, door::at_once, on_each_database, people::PASSWORD,
};

on_each_database!(at crate::harness::evening::at(12, 0);
    a_sign_in_takes_the_second_factor,
    a_code_is_good_for_three_steps_and_once,
    a_challenge_ends,
    a_recovery_code_is_good_once,
    other_recovery_codes_end_those_before,
    of_a_hundred_who_give_the_same_code_one_comes_in,
    of_a_hundred_who_give_the_same_recovery_code_one_comes_in,
    factors_are_changed_by_who_has_one,
    without_its_last_factor_an_account_is_as_before,
    another_password_leaves_the_factor,
);

const CHALLENGE: &str = "token viewer { user { id } } challenge { token factors expiresAt }";
const ME: &str =
    "{ viewer { secondFactors { kind } recoveryCodesLeft sessions { current secondFactorAt } } }";

/// Signs in as the account of `client` as far as its second factor: the challenge's token.
async fn challenge(client: &Client) -> String {
    let challenged = signs_in(client, PASSWORD).await;
    assert_eq!(
        [&challenged["token"], &challenged["viewer"]],
        [&Value::Null; 2]
    );
    assert_eq!(challenged["challenge"]["factors"], json!(["TOTP"]));
    let token = challenged["challenge"]["token"].as_str();
    token.expect("a challenge").to_owned()
}

async fn signs_in(client: &Client, password: &str) -> Value {
    let login = login(client).await;
    let input = json!({ "login": login, "password": password });
    Client::new(&client.url)
        .done("signIn", CHALLENGE, input)
        .await
}

async fn login(client: &Client) -> String {
    let me = client
        .ok("{ viewer { user { username } } }", json!({}))
        .await;
    me["viewer"]["user"]["username"]
        .as_str()
        .expect("a name")
        .to_owned()
}

/// What comes of a second factor: nothing that is wrong, a refusal's code, or an error's.
async fn outcome(client: &Client, field: &str, input: Value) -> String {
    let answer = client.mutate(field, "token", input).await;
    let codes = [answer.codes(), answer.refusals(field)].concat();
    let token = &answer.body["data"][field]["token"];
    assert_eq!(token.is_string(), codes.is_empty(), "{:#}", answer.body);
    codes.concat()
}

async fn completes(client: &Client, challenge: &str, code: &str) -> String {
    let kind = if code.len() == 6 {
        "code"
    } else {
        "recoveryCode"
    };
    let input = json!({ "challenge": challenge, kind: code });
    outcome(&Client::new(&client.url), "completeSignIn", input).await
}

/// Whether a second factor was given in the session in use.
async fn is_marked(client: &Client) -> bool {
    let me = client.ok(ME, json!({})).await;
    let sessions = me["viewer"]["sessions"]
        .as_array()
        .expect("sessions")
        .clone();
    let current = sessions.iter().find(|session| session["current"] == true);
    current.expect("this one")["secondFactorAt"].is_string()
}

async fn a_sign_in_takes_the_second_factor(app: App) {
    let ada = app.sign_up("ada").await;
    assert!(!is_marked(&ada).await);
    let begun = ada.begin_totp().await;
    // It is none before it is confirmed.
    assert!(signs_in(&ada, PASSWORD).await["token"].is_string());
    let wrong = json!({ "code": begun.code(app.clock.now() + STEP * 3) });
    assert_eq!(
        ada.refused("confirmTotp", wrong).await,
        ["BAD_CREDENTIALS input.code"]
    );
    let (ada, authenticator, codes) = ada.with_app(app.clock.now()).await;
    assert_eq!(codes.len(), 10);
    assert!(is_marked(&ada).await);
    let me = ada.ok(ME, json!({})).await;
    assert_eq!(me["viewer"]["secondFactors"], json!([{ "kind": "TOTP" }]));
    assert_eq!(me["viewer"]["recoveryCodesLeft"], 10);

    let waiting = challenge(&ada).await;
    // Enrolling has used the code of its step up.
    let now = app.clock.now();
    let used = authenticator.code(now);
    assert_eq!(completes(&ada, &waiting, &used).await, "BAD_CREDENTIALS");
    let next = json!({ "challenge": waiting, "code": authenticator.code(now + STEP) });
    let opened = app
        .anonymous()
        .done("completeSignIn", CHALLENGE, next.clone())
        .await;
    assert_eq!(opened["challenge"], Value::Null);
    assert!(is_marked(&ada.holding(&opened)).await);
    // The challenge is used up, too.
    assert_eq!(
        app.anonymous().refused("completeSignIn", next).await,
        ["INVALID_TOKEN input.challenge"]
    );
    for input in [
        json!({ "challenge": waiting }),
        json!({ "challenge": waiting, "code": "123456", "recoveryCode": codes[0] }),
    ] {
        let refused = app.anonymous().refused("completeSignIn", input).await;
        assert_eq!(refused, ["REQUIRED input.code"]);
    }
    app.stop().await;
}

async fn a_code_is_good_for_three_steps_and_once(app: App) {
    let (ada, authenticator, _) = app.sign_up("ada").await.with_app(app.clock.now()).await;
    for (steps, taken) in [(-2, false), (2, false), (-1, true), (0, true), (1, true)] {
        // Long after those before, so that none is older than the last that was taken.
        app.clock.set(app.clock.now() + TimeDelta::minutes(5));
        let code = authenticator.code(app.clock.now() + STEP * steps);
        let waiting = challenge(&ada).await;
        let expected = if taken { "" } else { "BAD_CREDENTIALS" };
        assert_eq!(completes(&ada, &waiting, &code).await, expected, "{steps}");
        if taken {
            // Not again, nor one of a step before.
            let waiting = challenge(&ada).await;
            for old in [STEP * steps, STEP * (steps - 1)] {
                let code = authenticator.code(app.clock.now() + old);
                assert_eq!(completes(&ada, &waiting, &code).await, "BAD_CREDENTIALS");
            }
        }
    }
    app.stop().await;
}

async fn a_challenge_ends(app: App) {
    let (ada, _, codes) = app.sign_up("ada").await.with_app(app.clock.now()).await;
    let began = app.clock.now();
    let waiting = [challenge(&ada).await, challenge(&ada).await];
    app.clock
        .set(began + TimeDelta::minutes(10) - TimeDelta::microseconds(1));
    assert_eq!(completes(&ada, &waiting[0], &codes[0]).await, "");
    app.clock.set(began + TimeDelta::minutes(10));
    assert_eq!(
        completes(&ada, &waiting[1], &codes[1]).await,
        "INVALID_TOKEN"
    );
    // A challenge's token opens nothing by itself.
    let intruder = ada.with_token(&challenge(&ada).await);
    let answer = intruder.send("{ viewer { user { id } } }", json!({})).await;
    assert_eq!(answer.codes(), ["UNAUTHENTICATED"]);
    app.stop().await;
}

async fn a_recovery_code_is_good_once(app: App) {
    let (ada, _, codes) = app.sign_up("ada").await.with_app(app.clock.now()).await;
    let (bob, _, others) = app.sign_up("bob").await.with_app(app.clock.now()).await;
    let waiting = challenge(&ada).await;
    assert_eq!(
        completes(&ada, &waiting, &others[0]).await,
        "BAD_CREDENTIALS"
    );
    let typed = codes[0].to_lowercase().replace('-', " ");
    assert_eq!(completes(&ada, &waiting, &typed).await, "");
    let waiting = challenge(&ada).await;
    assert_eq!(
        completes(&ada, &waiting, &codes[0]).await,
        "BAD_CREDENTIALS"
    );
    for code in &codes[1..] {
        assert_eq!(completes(&ada, &challenge(&ada).await, code).await, "");
    }
    let me = ada.ok(ME, json!({})).await;
    assert_eq!(me["viewer"]["recoveryCodesLeft"], 0);
    let told = "SELECT CAST(count(*) AS text) FROM mails WHERE kind = 'recovery_code_used'";
    assert_eq!(app.database.look(told).await, ["10"]);
    let me = bob.ok(ME, json!({})).await;
    assert_eq!(me["viewer"]["recoveryCodesLeft"], 10);
    app.stop().await;
}

async fn other_recovery_codes_end_those_before(app: App) {
    let (ada, _, codes) = app.sign_up("ada").await.with_app(app.clock.now()).await;
    let regenerate = "mutation { regenerateRecoveryCodes { token recoveryCodes errors { code } } }";
    let made = ada.ok(regenerate, json!({})).await["regenerateRecoveryCodes"].take();
    assert_eq!(made["token"], Value::Null);
    let others = made["recoveryCodes"].as_array().expect("codes");
    assert_eq!(others.len(), 10);
    let waiting = challenge(&ada).await;
    assert_eq!(
        completes(&ada, &waiting, &codes[0]).await,
        "BAD_CREDENTIALS"
    );
    let other = others[0].as_str().expect("a code");
    assert_eq!(completes(&ada, &waiting, other).await, "");
    // Who has no factor has nothing that they could stand in for.
    let bob = app.sign_up("bob").await;
    let answer = bob.send(regenerate, json!({})).await;
    assert_eq!(answer.refusals("regenerateRecoveryCodes"), ["WRONG_STATE"]);
    app.stop().await;
}

async fn of_a_hundred_who_give_the_same_code_one_comes_in(app: App) {
    let (ada, authenticator, _) = app.sign_up("ada").await.with_app(app.clock.now()).await;
    let code = authenticator.code(app.clock.now() + STEP);
    one_of_a_hundred_comes_in(&ada, &code).await;
    app.stop().await;
}

async fn of_a_hundred_who_give_the_same_recovery_code_one_comes_in(app: App) {
    let (ada, _, codes) = app.sign_up("ada").await.with_app(app.clock.now()).await;
    one_of_a_hundred_comes_in(&ada, &codes[3]).await;
    let me = ada.ok(ME, json!({})).await;
    assert_eq!(me["viewer"]["recoveryCodesLeft"], 9);
    app.stop().await;
}

/// Each in a sign-in of their own: it is the code that is used up.
async fn one_of_a_hundred_comes_in(ada: &Client, code: &str) {
    let mut waiting = Vec::new();
    for _ in 0..100 {
        waiting.push(challenge(ada).await);
    }
    let outcomes = at_once(waiting.into_iter().map(|waiting| {
        let (ada, code) = (ada.clone(), code.to_owned());
        async move { completes(&ada, &waiting, &code).await }
    }))
    .await;
    let count = |wanted: &str| outcomes.iter().filter(|code| *code == wanted).count();
    assert_eq!(count(""), 1, "{outcomes:?}");
    // After ten that were wrong, the others are not looked at; nor are those for whom there is no room.
    assert_eq!(count("BAD_CREDENTIALS"), 10, "{outcomes:?}");
    assert_eq!(
        count("RATE_LIMITED") + count("UNAVAILABLE"),
        89,
        "{outcomes:?}"
    );
}

async fn factors_are_changed_by_who_has_one(app: App) {
    let before = app.sign_up("ada").await;
    // The same person on another device, from before there was a factor.
    let other = before.holding(&signs_in(&before, PASSWORD).await);
    let (ada, authenticator, codes) = before.with_app(app.clock.now()).await;
    for field in ["disableTotp", "beginTotp", "regenerateRecoveryCodes"] {
        let mutation = format!("mutation {{ {field} {{ errors {{ code }} }} }}");
        let answer = other.send(&mutation, json!({})).await;
        assert_eq!(
            answer.refusals(field),
            ["SECOND_FACTOR_REQUIRED"],
            "{field}"
        );
    }
    let answer = ada
        .send("mutation { beginTotp { errors { code } } }", json!({}))
        .await;
    assert_eq!(answer.refusals("beginTotp"), ["WRONG_STATE"]);
    // The password alone is not enough, and so is the factor alone.
    let now = app.clock.now() + TimeDelta::minutes(15);
    app.clock.set(now);
    let confirmed = json!({ "password": PASSWORD });
    let other = other.holding(&other.done("confirmPassword", "token", confirmed).await);
    assert!(!is_marked(&other).await);
    let disable = "mutation { disableTotp { token errors { code } } }";
    let answer = other.send(disable, json!({})).await;
    assert_eq!(answer.refusals("disableTotp"), ["SECOND_FACTOR_REQUIRED"]);
    let answer = ada.send(disable, json!({})).await;
    assert_eq!(answer.refusals("disableTotp"), ["SESSION_NOT_FRESH"]);
    let given = json!({ "code": authenticator.code(now) });
    let marked = other.done("confirmSecondFactor", "token", given).await;
    let answer = other.send("{ viewer { user { id } } }", json!({})).await;
    assert_eq!(answer.codes(), ["UNAUTHENTICATED"], "its token has ended");
    let marked = other.holding(&marked);
    assert!(is_marked(&marked).await);
    let disabled = marked.ok(disable, json!({})).await["disableTotp"].take();
    let me = marked.holding(&disabled).ok(ME, json!({})).await;
    assert_eq!(me["viewer"]["secondFactors"], json!([]));
    // A factor that is not there cannot be given.
    let given = json!({ "recoveryCode": codes[0] });
    let refused = ada.refused("confirmSecondFactor", given).await;
    assert_eq!(refused, ["WRONG_STATE "]);
    app.stop().await;
}

async fn without_its_last_factor_an_account_is_as_before(app: App) {
    let (ada, _, codes) = app.sign_up("ada").await.with_app(app.clock.now()).await;
    let waiting = [challenge(&ada).await, challenge(&ada).await];
    let input = json!({ "challenge": waiting[0], "recoveryCode": codes[0] });
    let other = app.anonymous().done("completeSignIn", "token", input).await;
    let other = ada.holding(&other);
    assert!(is_marked(&other).await);
    let disabled = ada
        .ok(
            "mutation { disableTotp { token errors { code } } }",
            json!({}),
        )
        .await;
    let ada = ada.holding(&disabled["disableTotp"]);
    for session in [&ada, &other] {
        assert!(!is_marked(session).await);
    }
    let me = ada.ok(ME, json!({})).await;
    assert_eq!(me["viewer"]["recoveryCodesLeft"], 0);
    assert_eq!(
        completes(&ada, &waiting[1], &codes[1]).await,
        "INVALID_TOKEN"
    );
    assert!(signs_in(&ada, PASSWORD).await["token"].is_string());
    let kinds = "SELECT kind FROM mails WHERE kind LIKE 'second_factor%' ORDER BY kind";
    assert_eq!(
        app.database.look(kinds).await,
        ["second_factor_added", "second_factor_removed"]
    );
    app.stop().await;
}

async fn another_password_leaves_the_factor(app: App) {
    const OTHER: &str = "Another-horse-8";
    let (ada, _, codes) = app.sign_up("ada").await.with_app(app.clock.now()).await;
    let waiting = challenge(&ada).await;
    let changed = json!({ "newPassword": OTHER });
    let ada = ada.holding(&ada.done("changePassword", "token", changed).await);
    assert!(is_marked(&ada).await);
    // A sign-in with the password before has ended.
    assert_eq!(completes(&ada, &waiting, &codes[0]).await, "INVALID_TOKEN");
    let waiting = signs_in(&ada, OTHER).await["challenge"]["token"].take();
    let email = ada.ok("{ viewer { user { email } } }", json!({})).await;
    let email = email["viewer"]["user"]["email"]
        .as_str()
        .expect("an address");
    let login = login(&ada).await;
    let token = app.database.token("reset_password", email, email).await;
    let reset = json!({ "token": token, "newPassword": PASSWORD });
    app.anonymous()
        .done("resetPassword", "__typename", reset)
        .await;
    let waiting = waiting.as_str().expect("a challenge");
    assert_eq!(completes(&ada, waiting, &codes[0]).await, "INVALID_TOKEN");
    let input = json!({ "login": login, "password": PASSWORD });
    let challenged = app.anonymous().done("signIn", CHALLENGE, input).await;
    assert_eq!(challenged["token"], Value::Null);
    let waiting = challenged["challenge"]["token"]
        .as_str()
        .expect("a challenge");
    assert_eq!(completes(&ada, waiting, &codes[0]).await, "");
    app.stop().await;
}
