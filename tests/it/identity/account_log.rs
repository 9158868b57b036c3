//! A person's own log: what was done to their account, and what was tried.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, Db, System, identity::account_log};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};

use crate::harness::{App, Backend, Client, configuration, on_each_database, people::PASSWORD};

on_each_database!(at super::long_ago();
    what_is_done_is_in_its_person_s_log,
    what_is_refused_is_there_too_but_only_so_often,
    a_log_is_its_person_s_alone,
    a_log_is_read_page_by_page,
    events_are_kept_for_a_year,
    the_database_itself_keeps_events,
);

const OTHER: &str = "Another-horse-8";

/// As long ago as anything here happens: PostgreSQL goes by its own clock when it keeps events.
fn long_ago() -> DateTime<Utc> {
    Clock::system().now() - TimeDelta::days(400)
}

async fn events(client: &Client, arguments: &str) -> Vec<Value> {
    let query = format!(
        "{{ viewer {{ accountLog{arguments} {{ nodes {{ eventType action result reason address sessionId }} }} }} }}"
    );
    let data = client.ok(&query, json!({})).await;
    let nodes = &data["viewer"]["accountLog"]["nodes"];
    nodes.as_array().expect("events").clone()
}

async fn types(client: &Client) -> Vec<String> {
    let events = events(client, "(first: 100)").await;
    let types = events.iter().map(|event| event["eventType"].as_str());
    types.map(|text| text.expect("a text").to_owned()).collect()
}

fn holding(client: &Client, payload: &Value) -> Client {
    client.with_token(payload["token"].as_str().expect("a token"))
}

/// Waits until so many refusals were noted.
async fn noted(app: &App, count: i64) {
    let refused = "SELECT count(*) FROM account_events WHERE result = 'failure'";
    while app.database.number(refused).await < count {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(app.database.number(refused).await, count);
}

/// Moves the clock on, so that events have an order.
fn tick(app: &App) {
    app.clock.set(app.clock.now() + TimeDelta::minutes(1));
}

async fn what_is_done_is_in_its_person_s_log(app: App) {
    let mut ada = app.sign_up("ada").await;
    let known = ada
        .ok("{ viewer { user { username email } } }", json!({}))
        .await["viewer"]["user"]
        .take();
    let email = known["email"].as_str().expect("an address");
    let sign_in = json!({ "login": known["username"], "password": PASSWORD });
    let mut expected = vec!["user.signed_up"];
    let mut did = |event: &'static str| {
        tick(&app);
        expected.push(event);
    };
    let device = app.anonymous();
    did("user.signed_in");
    let device = holding(
        &device,
        &device.done("signIn", "token", sign_in.clone()).await,
    );
    did("user.signed_out");
    device
        .ok("mutation { signOut { errors { code } } }", json!({}))
        .await;
    did("user.signed_in");
    app.anonymous().done("signIn", "token", sign_in).await;
    did("user.session_revoked");
    let others = "mutation { revokeOtherSessions { revokedCount errors { code } } }";
    ada.ok(others, json!({})).await;
    // Nothing was ended, so that nothing was done.
    ada.ok(others, json!({})).await;
    did("user.password_confirmed");
    let input = json!({ "password": PASSWORD });
    ada = holding(&ada, &ada.done("confirmPassword", "token", input).await);
    did("user.password_changed");
    let input = json!({ "newPassword": OTHER });
    ada = holding(&ada, &ada.done("changePassword", "token", input).await);
    did("user.profile_updated");
    let input = json!({ "lastName": "King" });
    ada.done("updateProfile", "__typename", input).await;
    did("user.username_changed");
    let input = json!({ "username": "countess" });
    ada.done("changeUsername", "__typename", input).await;
    did("user.email_verified");
    let token = app.database.token("verify_email", email, email).await;
    let input = json!({ "token": token });
    app.anonymous()
        .done("verifyEmail", "__typename", input)
        .await;
    did("user.email_change_requested");
    let input = json!({ "email": "countess@example.org" });
    ada.done("requestEmailChange", "__typename", input).await;
    did("user.email_changed");
    let token = app
        .database
        .token("change_email", email, "countess@example.org")
        .await;
    let input = json!({ "token": token });
    ada.done("confirmEmailChange", "__typename", input).await;
    did("user.password_reset");
    let address = "countess@example.org";
    let token = app.database.token("reset_password", address, address).await;
    let input = json!({ "token": token, "newPassword": PASSWORD });
    app.anonymous()
        .done("resetPassword", "__typename", input)
        .await;
    did("user.signed_in");
    let sign_in = json!({ "login": "countess", "password": PASSWORD });
    ada = holding(
        &ada,
        &app.anonymous().done("signIn", "token", sign_in).await,
    );
    expected.reverse();
    assert_eq!(types(&ada).await, expected);
    let all = events(&ada, "(first: 100)").await;
    let session = ada.ok("{ viewer { sessions { id } } }", json!({})).await["viewer"]["sessions"]
        [0]["id"]
        .take();
    assert_eq!(
        all[0],
        json!({ "eventType": "user.signed_in", "action": "SIGN_IN", "result": "SUCCESS", "reason": null, "address": "127.0.0.1", "sessionId": session })
    );
    // Who only had what was mailed had no session.
    assert_eq!(
        (&all[1]["action"], &all[1]["sessionId"]),
        (&json!("UPDATE_PASSWORD"), &Value::Null)
    );
    // The last thing is written, too, and nobody is left to read it.
    ada.ok("mutation { deleteAccount { errors { code } } }", json!({}))
        .await;
    let deleted = "SELECT count(*) FROM account_events WHERE event_type = 'user.deleted' AND action = 'DELETE_ACCOUNT'";
    assert_eq!(app.database.number(deleted).await, 1);
    app.stop().await;
}

async fn what_is_refused_is_there_too_but_only_so_often(app: App) {
    let ada = app.sign_up("ada").await;
    let me =
        ada.ok("{ viewer { user { username } } }", json!({})).await["viewer"]["user"]["username"]
            .take();
    let wrong = json!({ "login": me, "password": "Wrong-horse-7" });
    let nobody = json!({ "login": "nobody", "password": "Wrong-horse-7" });
    for input in [&wrong, &nobody] {
        app.anonymous().refused("signIn", input.clone()).await;
    }
    noted(&app, 1).await;
    tick(&app);
    let input = json!({ "password": "Wrong-horse-7" });
    ada.refused("confirmPassword", input).await;
    noted(&app, 2).await;
    let refused = events(&ada, "(filter: { result: FAILURE })").await;
    let session = ada.ok("{ viewer { sessions { id } } }", json!({})).await["viewer"]["sessions"]
        [0]["id"]
        .take();
    let event = |event_type: &str, action: Value, session: Value| {
        json!({ "eventType": event_type, "action": action, "result": "FAILURE", "reason": "BAD_CREDENTIALS",
            "address": "127.0.0.1", "sessionId": session })
    };
    assert_eq!(
        refused,
        [
            event("user.password_confirmed", Value::Null, session),
            event("user.signed_in", json!("SIGN_IN"), Value::Null),
        ]
    );
    for _ in 0..12 {
        app.anonymous().refused("signIn", wrong.clone()).await;
    }
    noted(&app, 10).await;
    // What is done is written, however much was refused.
    tick(&app);
    let right = json!({ "login": me, "password": PASSWORD });
    app.anonymous().done("signIn", "token", right).await;
    assert_eq!(types(&ada).await[0], "user.signed_in");
    app.stop().await;
}

async fn a_log_is_its_person_s_alone(app: App) {
    let owner = app.owner("jazz").await;
    let ada = app.member(&owner, "admin").await;
    let before = types(&owner).await;
    tick(&app);
    ada.done("updateProfile", "__typename", json!({ "lastName": "King" }))
        .await;
    assert_eq!(types(&owner).await, before);
    assert_eq!(
        types(&ada).await,
        ["user.profile_updated", "user.signed_up"]
    );
    let cursor = "{ viewer { accountLog(first: 1) { pageInfo { endCursor } } } }";
    let cursor =
        ada.ok(cursor, json!({})).await["viewer"]["accountLog"]["pageInfo"]["endCursor"].take();
    let query =
        "query($after: String) { viewer { accountLog(after: $after) { nodes { eventType } } } }";
    ada.ok(query, json!({ "after": cursor })).await;
    let answer = owner.send(query, json!({ "after": cursor })).await;
    assert_eq!(answer.codes(), ["INVALID"]);
    // Nothing of it is in the organization's log, which has its own.
    let log = owner
        .ok("{ auditLog { nodes { eventType } } }", json!({}))
        .await;
    assert!(!log.to_string().contains("user."), "{log}");
    assert_eq!(
        app.anonymous()
            .ok("{ viewer { accountLog { nodes { id } } } }", json!({}))
            .await,
        json!({ "viewer": null })
    );
    app.stop().await;
}

async fn a_log_is_read_page_by_page(app: App) {
    let ada = app.sign_up("ada").await;
    for number in 0..5 {
        // Some at one moment.
        if number % 2 == 0 {
            tick(&app);
        }
        let input = json!({ "lastName": format!("King {number}") });
        ada.done("updateProfile", "__typename", input).await;
    }
    let all = "{ viewer { accountLog { nodes { id } } } }";
    let all = ada.ok(all, json!({})).await["viewer"]["accountLog"]["nodes"].take();
    let all = all.as_array().expect("events");
    assert_eq!(all.len(), 6);
    let page = async |variables: Value| {
        let query = "query($first: Int, $after: String, $last: Int, $before: String) { viewer {
            accountLog(first: $first, after: $after, last: $last, before: $before) { nodes { id }
            pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } } }";
        ada.ok(query, variables).await["viewer"]["accountLog"].take()
    };
    let (mut walked, mut after) = (Vec::new(), Value::Null);
    loop {
        let found = page(json!({ "first": 2, "after": after })).await;
        walked.extend(found["nodes"].as_array().expect("events").clone());
        after = found["pageInfo"]["endCursor"].clone();
        if found["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(walked, *all);
    let last = page(json!({ "last": 2 })).await;
    assert_eq!(last["nodes"].as_array().expect("events")[..], all[4..]);
    let before = page(json!({ "last": 3, "before": last["pageInfo"]["startCursor"] })).await;
    assert_eq!(before["nodes"].as_array().expect("events")[..], all[1..4]);
    let of = async |filter: &str| {
        events(&ada, &format!("(filter: {{ {filter} }})"))
            .await
            .len()
    };
    assert_eq!(of("eventType: \"user.signed_up\"").await, 1);
    assert_eq!(of("result: SUCCESS").await, 6);
    assert_eq!(of("result: FAILURE").await, 0);
    assert_eq!(
        of(&format!("from: \"{}\"", app.clock.now().to_rfc3339())).await,
        1
    );
    assert_eq!(
        of(&format!("until: \"{}\"", app.clock.now().to_rfc3339())).await,
        5
    );
    for wrong in [
        "(filter: { eventType: \"nothing of\\nthis kind\" })",
        "(first: 0)",
        "(first: 101)",
        "(after: \"x\")",
    ] {
        let query = format!("{{ viewer {{ accountLog{wrong} {{ nodes {{ id }} }} }} }}");
        assert_eq!(
            ada.send(&query, json!({})).await.codes(),
            ["INVALID"],
            "{wrong}"
        );
    }
    app.stop().await;
}

async fn purge(app: &App) -> u64 {
    let database = configuration(&app.database, &[]).database;
    let db = Db::open(&database, app.clock.clone()).await;
    let db = db.expect("the database");
    let purged = account_log::purge(&System::new(&db, "purge in a test")).await;
    db.close().await;
    purged.expect("done")
}

async fn events_are_kept_for_a_year(app: App) {
    let begun = app.clock.now();
    app.sign_up("ada").await;
    tick(&app);
    app.sign_up("bo").await;
    app.clock.set(begun + TimeDelta::days(365));
    assert_eq!(purge(&app).await, 0);
    let first = "SELECT count(*) FROM account_events WHERE created_at < (SELECT max(created_at) FROM account_events)";
    assert_eq!(app.database.number(first).await, 1);
    app.clock
        .set(begun + TimeDelta::days(365) + TimeDelta::minutes(1));
    assert_eq!(purge(&app).await, 1);
    assert_eq!(app.database.number(first).await, 0);
    assert_eq!(
        app.database
            .number("SELECT count(*) FROM account_events")
            .await,
        1
    );
    app.stop().await;
}

async fn the_database_itself_keeps_events(app: App) {
    app.clock.set(Clock::system().now());
    app.sign_up("ada").await;
    if app.database.backend() == Backend::Postgres {
        let options = PgConnectOptions::from_str(&app.database.url()).expect("a URL");
        let options = options.options([("role", "rollcall_app")]);
        let mut connection = PgConnection::connect_with(&options)
            .await
            .expect("the database");
        let removed = connection.execute("DELETE FROM account_events").await;
        assert_eq!(removed.expect("it may").rows_affected(), 0);
        for rewriting in ["event_type = 'x'", "user_id = user_id", "address = NULL"] {
            let sql = sqlx::AssertSqlSafe(format!("UPDATE account_events SET {rewriting}"));
            assert!(connection.execute(sql).await.is_err(), "{rewriting}");
        }
    }
    app.stop().await;
}
