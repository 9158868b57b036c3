//! How often signing in and up may be tried.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use domain::Clock;
use serde_json::{Value, json};

use crate::harness::{
    App, Backend, Client, TestDatabase, evening::at, people::PASSWORD, services::RedisServer,
};

const SIGN_IN: &str =
    "mutation($input: SignInInput!) { signIn(input: $input) { token errors { code } } }";
const ON: (&str, &str) = ("ROLLCALL_RATE_LIMITS", "on");

/// An instance that counts, under a clock that stands.
async fn counting(variables: &[(&str, &str)]) -> App {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let database = database.expect("SQLite needs nothing");
    let variables = [&[ON], variables].concat();
    App::start_with(database, Clock::fixed(at(12, 0)), &variables).await
}

/// Ada, who signed up: one of the address's three.
async fn ada(app: &App) {
    let input = json!({ "username": "ada", "email": "ada@example.org", "password": PASSWORD, "firstName": "Ada" });
    app.anonymous().done("signUp", "__typename", input).await;
}

/// Tries to sign in and gives what came of it: `in`, a refusal, or the seconds to wait.
async fn attempt(client: &Client, login: &str, password: &str) -> String {
    let input = json!({ "login": login, "password": password });
    let answer = client.send(SIGN_IN, json!({ "input": input })).await;
    outcome(&answer.body, "signIn")
}

fn outcome(body: &Value, field: &str) -> String {
    if let Some(error) = body.pointer("/errors/0") {
        assert_eq!(error["extensions"]["code"], "RATE_LIMITED", "{body}");
        assert_eq!(
            (&error["path"], &body["data"][field]),
            (&json!([field]), &Value::Null)
        );
        let after = &error["extensions"]["retryAfter"];
        let told = format!("Try again in {after} s.");
        assert!(error["message"].as_str().expect("a text").ends_with(&told));
        return after.to_string();
    }
    let payload = &body["data"][field];
    match payload["errors"][0]["code"].as_str() {
        Some(code) => code.to_owned(),
        None => "in".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_one_address_three_times_and_three_more_a_minute() {
    let app = counting(&[]).await;
    ada(&app).await;
    let client = app.anonymous();
    assert_eq!(attempt(&client, "ada", PASSWORD).await, "in");
    assert_eq!(attempt(&client, "nobody", "x").await, "BAD_CREDENTIALS");
    // What could be nobody's login is a try like any other.
    assert_eq!(
        attempt(&client, &"x".repeat(2000), "x").await,
        "BAD_CREDENTIALS"
    );
    let before = app.database.everything().await;
    assert_eq!(attempt(&client, "ada", PASSWORD).await, "20");
    assert_eq!(app.database.everything().await, before);
    app.clock.set(at(12, 0) + TimeDelta::seconds(19));
    assert_eq!(attempt(&client, "ada", PASSWORD).await, "1");
    app.clock.set(at(12, 0) + TimeDelta::seconds(20));
    assert_eq!(attempt(&client, "ada", PASSWORD).await, "in");
    assert_eq!(attempt(&client, "ada", PASSWORD).await, "20");
    app.clock.set(at(12, 2));
    for expected in ["in", "in", "in", "20"] {
        assert_eq!(attempt(&client, "ada", PASSWORD).await, expected);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_alias_of_a_request_counts() {
    let app = counting(&[]).await;
    ada(&app).await;
    let field = |number: usize, login: &str, password: &str| {
        format!(
            "f{number}: signIn(input: {{ login: \"{login}\", password: \"{password}\" }}) {{ token errors {{ code }} }}"
        )
    };
    let mut fields: Vec<String> = (0..4)
        .map(|number| field(number, &format!("guess_{number}"), "Wrong-horse-7"))
        .collect();
    fields.push(field(4, "ada", PASSWORD));
    let query = format!("mutation {{ {} }}", fields.join(" "));
    let answer = app.anonymous().send(&query, json!({})).await;
    assert_eq!(answer.status, 200, "the first three have an answer");
    let data = &answer.body["data"];
    for number in 0..3 {
        assert_eq!(
            data[format!("f{number}")]["errors"][0]["code"],
            "BAD_CREDENTIALS"
        );
    }
    assert_eq!((&data["f3"], &data["f4"]), (&Value::Null, &Value::Null));
    assert_eq!(answer.codes(), ["RATE_LIMITED", "RATE_LIMITED"]);
    assert_eq!(answer.body["errors"][1]["path"], json!(["f4"]));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_made_three_times_and_three_more_an_hour() {
    let app = counting(&[]).await;
    let sign_up = async |name: &str, password: &str| {
        let input = json!({ "username": name, "email": format!("{name}@example.org"), "password": password, "firstName": "Ada" });
        let answer = app.anonymous().mutate("signUp", "token", input).await;
        outcome(&answer.body, "signUp")
    };
    // A mistake in the form is not held against anybody; that something is taken is.
    for _ in 0..5 {
        assert_eq!(sign_up("ada", "weak").await, "WEAK_PASSWORD");
    }
    for (name, expected) in [
        ("ada", "in"),
        ("ada", "TAKEN"),
        ("bo_", "in"),
        ("cy_", "1200"),
    ] {
        assert_eq!(sign_up(name, PASSWORD).await, expected, "{name}");
    }
    assert_eq!(app.database.number("SELECT count(*) FROM users").await, 2);
    app.clock.set(at(12, 20));
    assert_eq!(sign_up("cy_", PASSWORD).await, "in");
    assert_eq!(sign_up("di_", PASSWORD).await, "1200");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_is_asked_for_seldom_whoever_is_there() {
    let app = counting(&[]).await;
    ada(&app).await;
    let ask = async |field: &str, client: &Client, email: &str| {
        let answer = client.mutate(field, "__typename", json!({ "email": email }));
        outcome(&answer.await.body, field)
    };
    let client = app.anonymous();
    for (email, expected) in [
        ("nowhere", "INVALID"),
        ("ada@example.org", "in"),
        ("Ada@Example.org", "3600"),
        ("nobody@example.org", "in"),
        ("nobody@example.org", "1200"),
    ] {
        assert_eq!(
            ask("requestPasswordReset", &client, email).await,
            expected,
            "{email}"
        );
    }
    assert_eq!(
        app.database
            .number("SELECT count(*) FROM mails WHERE kind = 'reset_password'")
            .await,
        2
    );

    let input = json!({ "login": "ada", "password": PASSWORD });
    let payload = client.done("signIn", "token", input).await;
    let ada = client.with_token(payload["token"].as_str().expect("a token"));
    // However many accounts somebody has.
    for expected in ["in", "TOO_SOON", "TOO_SOON", "1200"] {
        assert_eq!(
            ask("requestEmailChange", &ada, "new@example.org").await,
            expected
        );
    }
    app.stop().await;
}

/// Signs in from what `X-Forwarded-For` says, as nobody who was tried before.
async fn from(app: &App, forwarded: &str) -> String {
    let input = json!({ "login": uuid::Uuid::new_v4(), "password": "x" });
    let request = reqwest::Client::new()
        .post(format!("{}/graphql", app.url))
        .header("x-forwarded-for", forwarded)
        .json(&json!({ "query": SIGN_IN, "variables": { "input": input } }));
    let answer = request.send().await.expect("an answer");
    outcome(&answer.json().await.expect("JSON"), "signIn")
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_our_proxy_each_client_counts_and_an_ipv6_network_is_one() {
    let app = counting(&[("ROLLCALL_TRUSTED_PROXY", "true")]).await;
    let refused = "BAD_CREDENTIALS";
    for (forwarded, expected) in [
        ("192.0.2.1", refused),
        ("192.0.2.1", refused),
        ("198.51.100.9, 192.0.2.1", refused),
        ("192.0.2.1", "20"),
        ("192.0.2.2", refused),
        ("2001:db8:0:1::1", refused),
        ("2001:db8:0:1::2", refused),
        ("2001:db8:0:1:ffff:ffff:ffff:ffff", refused),
        ("2001:db8:0:1::4", "20"),
        ("2001:db8:0:2::1", refused),
    ] {
        assert_eq!(from(&app, forwarded).await, expected, "{forwarded}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_anybody_may_write_counts_for_nothing() {
    // Counted without being told so.
    let app = counting(&[("ROLLCALL_RATE_LIMITS", "")]).await;
    for (forwarded, expected) in [
        ("192.0.2.1", "BAD_CREDENTIALS"),
        ("192.0.2.2", "BAD_CREDENTIALS"),
        ("192.0.2.3", "BAD_CREDENTIALS"),
        ("192.0.2.4", "20"),
    ] {
        assert_eq!(from(&app, forwarded).await, expected, "{forwarded}");
    }
    app.stop().await;
}

/// Nobody can find out by it who is there, and nobody can lock somebody else out.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_in_a_row_take_longer_for_somebody_and_for_nobody() {
    let app = counting(&[("ROLLCALL_TRUSTED_PROXY", "true")]).await;
    ada(&app).await;
    let mut address = 0;
    let mut attempt = async |login: &str, password: &str| {
        // An attacker has many addresses.
        address += 1;
        let input = json!({ "login": login, "password": password });
        let request = reqwest::Client::new()
            .post(format!("{}/graphql", app.url))
            .header("x-forwarded-for", format!("192.0.2.{address}"))
            .json(&json!({ "query": SIGN_IN, "variables": { "input": input } }));
        let began = Instant::now();
        let answer = request.send().await.expect("an answer");
        let outcome = outcome(&answer.json().await.expect("JSON"), "signIn");
        (outcome, began.elapsed() >= Duration::from_secs(1))
    };
    let refused = |slow| ("BAD_CREDENTIALS".to_owned(), slow);
    for (somebody, nobody) in [("ada", "bo_"), ("ada@example.org", "bo@example.org")] {
        for login in [somebody, nobody] {
            for wrong in [login, &format!(" {} ", login.to_uppercase())] {
                assert_eq!(attempt(wrong, "x").await, refused(false), "{login}");
            }
            assert_eq!(attempt(login, "x").await, refused(true), "{login}");
        }
        // The one who knows it waits, too, and is let in; then the row is over.
        assert_eq!(attempt(somebody, PASSWORD).await, ("in".to_owned(), true));
        assert_eq!(attempt(somebody, PASSWORD).await, ("in".to_owned(), false));
        assert_eq!(attempt(somebody, "x").await, refused(false));
    }
    // What was a while ago is forgiven.
    app.clock.set(at(13, 0));
    assert_eq!(attempt("bo_", "x").await, refused(false));
    app.stop().await;
}

/// Whoever has a session has no password yet.
#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_in_a_session_waits_longer_and_longer() {
    let app = counting(&[]).await;
    let (guesser, other) = (app.sign_up("ada").await, app.sign_up("bob").await);
    let attempt = async |client: &Client, field: &str, input: Value| {
        let began = Instant::now();
        let answer = client.mutate(field, "token", input).await;
        let waited = began.elapsed() >= Duration::from_secs(1);
        (outcome(&answer.body, field), waited)
    };
    let wrong = |slow| ("BAD_CREDENTIALS".to_owned(), slow);
    let confirm = json!({ "password": "x" });
    let change = json!({ "currentPassword": "x", "newPassword": PASSWORD });
    for (field, input, slow) in [
        ("confirmPassword", &confirm, false),
        ("changePassword", &change, false),
        ("confirmPassword", &confirm, true),
    ] {
        let tried = attempt(&guesser, field, input.clone()).await;
        assert_eq!(tried, wrong(slow), "{field}");
    }
    let tried = attempt(&other, "confirmPassword", confirm).await;
    assert_eq!(tried, wrong(false), "that is another account's row");
    let right = json!({ "password": PASSWORD });
    let tried = attempt(&guesser, "confirmPassword", right).await;
    assert_eq!(tried, ("in".to_owned(), true));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_count_together_through_redis_and_alone_without() {
    let Some(mut redis) = RedisServer::start().await else {
        return;
    };
    let url = redis.url();
    let app = counting(&[("REDIS_URL", &url)]).await;
    let other = app.beside(&[ON, ("REDIS_URL", &url)]).await;
    ada(&app).await;
    let here = app.anonymous();
    let there = here.at(&format!("http://{}", other.address()));
    let logins = (0..).map(|number| format!("nobody_{number}"));
    let mut logins = logins.into_iter();
    let mut tries =
        async |client: &Client| attempt(client, &logins.next().expect("a login"), "x").await;
    assert_eq!(attempt(&here, "ada", PASSWORD).await, "in");
    for (client, expected) in [
        (&there, "BAD_CREDENTIALS"),
        (&here, "BAD_CREDENTIALS"),
        (&there, "20"),
        (&here, "20"),
    ] {
        assert_eq!(tries(client).await, expected);
    }
    // What is kept there names nobody, and goes by itself.
    let keys = redis.ask(&["KEYS", "*"]);
    let name = |key: &String| key.split(':').nth(2).expect("a rule").to_owned();
    let mut names: Vec<String> = keys.iter().map(name).collect();
    names.sort();
    assert_eq!(
        names,
        ["sign_in", "sign_up", "wrong_passwords", "wrong_passwords"],
        "the password that was right is forgiven"
    );
    for key in &keys {
        assert!(
            !key.contains("127.0.0.1") && !key.contains("nobody"),
            "{key}"
        );
        let left: i64 = redis.ask(&["PTTL", key]).concat().parse().expect("a time");
        assert!(left > 0, "{key} expires");
    }

    redis.kill();
    // Counted anew, each for itself: nobody is kept out, and nobody tries for ever.
    for client in [&here, &there] {
        for expected in [
            "BAD_CREDENTIALS",
            "BAD_CREDENTIALS",
            "BAD_CREDENTIALS",
            "20",
        ] {
            assert_eq!(tries(client).await, expected);
        }
    }
    assert!(redis.up().await, "Redis starts again");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for expected in [
        "BAD_CREDENTIALS",
        "BAD_CREDENTIALS",
        "BAD_CREDENTIALS",
        "20",
    ] {
        assert_eq!(tries(&here).await, expected);
    }
    assert_eq!(tries(&there).await, "20", "together again");
    other.stop().await;
    app.stop().await;
}
