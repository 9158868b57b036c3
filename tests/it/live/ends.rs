//! The right to listen ends, and with it the stream: at once, and on every instance.

use serde_json::{Value, json};

use super::{FOLLOW, PATIENCE};
use crate::harness::{
    App, Backend, Client, TestDatabase, on_each_database,
    people::PASSWORD,
    services::RedisServer,
    socket::{Heard, Subscription},
};

on_each_database!(
    streams_end_with_the_right_to_listen,
    streams_end_where_a_second_factor_is_wanted,
);

const REMOVE: &str = "mutation($input: RemoveMemberInput!) { removeMember(input: $input) { errors { message code } } }";
const CHANGE_ROLE: &str = "mutation($input: ChangeMemberRoleInput!) { changeMemberRole(input: $input) { errors { message code } } }";
const REVOKE: &str = "mutation($input: RevokeSessionInput!) { revokeSession(input: $input) { errors { message code } } }";
const SIGN_OUT: &str = "mutation { signOut { errors { message code } } }";

async fn streams_end_with_the_right_to_listen(app: App) {
    let url = app.url.clone();
    for_each_ending(&app, &[url]).await;
    app.stop().await;
}

async fn streams_end_where_a_second_factor_is_wanted(app: App) {
    let owner = app.owner("ends").await;
    let (owner, ..) = owner.with_app(app.clock.now()).await;
    let event = owner.event("Jazz night", json!({})).await;
    let plain = app.member(&owner, "viewer").await;
    let partner = app.member(&owner, "viewer").await;
    let (partner, ..) = partner.with_app(app.clock.now()).await;
    let (mut ending, mut staying) = (open(&plain).await, open(&partner).await);
    let wanted = json!({ "permissions": ["attendance:read"] });
    owner
        .done("requireSecondFactor", "__typename", wanted)
        .await;
    let patron = owner.patron("Ada").await;
    owner.check_in(&event, &patron).await;
    assert_eq!(last_words(&mut ending).await, "SECOND_FACTOR_REQUIRED");
    // The control: whoever gave one hears the check-in, until it is taken away.
    let heard = staying.changes("attendanceChanged", PATIENCE).await;
    assert_eq!(heard.0.len(), 1);
    let disable = "mutation { disableTotp { errors { message code } } }";
    partner.ok(disable, json!({})).await;
    assert_eq!(last_words(&mut staying).await, "UNAUTHENTICATED");
    app.stop().await;
}

/// Between instances Redis carries the word that a session ended; each would find out by itself
/// with its next heartbeat.
#[tokio::test(flavor = "multi_thread")]
async fn streams_of_another_instance_end_too() {
    let Some(redis) = RedisServer::start().await else {
        return;
    };
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let Some(database) = TestDatabase::create(backend).await else {
            return;
        };
        let redis = redis.url();
        let variables = [("REDIS_URL", redis.as_str())];
        let app = App::start_with(database, domain::Clock::system(), &variables).await;
        let beside = app.beside(&variables).await;
        let other = format!("http://{}", beside.address());
        hears_sessions_end(&app, &other).await;
        for_each_ending(&app, std::slice::from_ref(&other)).await;
        hears_keys_end(&app, &other).await;
        beside.stop().await;
        app.stop().await;
    }
}

/// A key that is revoked, or may do less, streams no more within a second.
async fn hears_keys_end(app: &App, other: &str) {
    let owner = app.owner("keys").await;
    let event = owner.event("Jazz night", json!({})).await;
    for (ending, code) in [
        ("revoked", "UNAUTHENTICATED"),
        ("its responsible left", "FORBIDDEN"),
    ] {
        let admin = app.member(&owner, "admin").await;
        let reads = ["attendance:read", "events:read", "patrons:read"];
        let (machine, id) = admin.machine(&reads).await;
        let mut stream = open(&machine.at(other)).await;
        if ending == "revoked" {
            let which = json!({ "apiKeyId": id });
            owner.done("revokeApiKey", "__typename", which).await;
        } else {
            let who = json!({ "memberId": member(&owner).await });
            owner.done("removeMember", "__typename", who).await;
        }
        let ended = std::time::Instant::now();
        assert_eq!(last_words(&mut stream).await, code, "{ending}");
        assert!(
            ended.elapsed() < PATIENCE / 5,
            "{ending}: {:?}",
            ended.elapsed()
        );
        let patron = owner.patron("Ada").await;
        owner.check_in(&event, &patron).await;
    }
}

async fn for_each_ending(app: &App, addresses: &[String]) {
    let owner = app.owner("ends").await;
    let event = owner.event("Jazz night", json!({})).await;
    for address in addresses {
        for (ending, code) in [
            ("removed", "NOT_FOUND"),
            ("demoted", "FORBIDDEN"),
            ("revoked", "UNAUTHENTICATED"),
            ("signed out", "UNAUTHENTICATED"),
            ("revoked with all others", "UNAUTHENTICATED"),
            ("renewed", "UNAUTHENTICATED"),
            ("another password", "UNAUTHENTICATED"),
            ("a reset password", "UNAUTHENTICATED"),
            ("a closed account", "UNAUTHENTICATED"),
        ] {
            let partner = app.member(&owner, "viewer").await;
            let mut stream = open(&partner.at(address)).await;
            let mut other = open(&owner.at(address)).await;
            end(ending, app, &owner, &partner).await;
            let patron = owner.patron("Ada").await;
            owner.check_in(&event, &patron).await;
            assert_eq!(last_words(&mut stream).await, code, "{ending} at {address}");
            // The control: whoever kept the right hears the check-in.
            assert_eq!(
                other.changes("attendanceChanged", PATIENCE).await.0.len(),
                1
            );
        }
    }
}

/// Waits until the other instance listens to Redis: a wake-up that is sent before is lost, and made
/// up for only later.
async fn hears_sessions_end(app: &App, other: &str) {
    let owner = app.owner("wake").await;
    for _ in 0..50 {
        let partner = app.member(&owner, "viewer").await;
        let mut stream = open(&partner.at(other)).await;
        partner.ok(SIGN_OUT, json!({})).await;
        if !matches!(
            stream.next(std::time::Duration::from_millis(500)).await,
            Heard::Silence
        ) {
            return;
        }
    }
    panic!("the instances do not hear one another");
}

async fn open(client: &Client) -> Subscription {
    let mut stream = Subscription::open(client, FOLLOW, json!({})).await;
    match stream.next(PATIENCE).await {
        Heard::Next(payload) if payload.get("errors").is_none() => stream,
        other => panic!("{other:?} instead of a beginning"),
    }
}

async fn end(ending: &str, app: &App, owner: &Client, partner: &Client) {
    match ending {
        "removed" => {
            owner
                .ok(
                    REMOVE,
                    json!({ "input": { "memberId": member(owner).await } }),
                )
                .await
        }
        "demoted" => {
            owner
                .ok(
                    CHANGE_ROLE,
                    json!({ "input": { "memberId": member(owner).await, "role": "member" } }),
                )
                .await
        }
        "revoked" => {
            let data = partner
                .ok(
                    "{ viewer { user { username } sessions { id } } }",
                    json!({}),
                )
                .await;
            let session = data["viewer"]["sessions"][0]["id"].clone();
            let login = &data["viewer"]["user"]["username"];
            let device = device(app, login).await;
            device
                .ok(REVOKE, json!({ "input": { "sessionId": session } }))
                .await
        }
        "revoked with all others" | "another password" => {
            let data = partner
                .ok("{ viewer { user { username } } }", json!({}))
                .await;
            let device = device(app, &data["viewer"]["user"]["username"]).await;
            if ending == "another password" {
                let input = json!({ "newPassword": PASSWORD });
                device.done("changePassword", "token", input).await
            } else {
                let others = "mutation { revokeOtherSessions { errors { message code } } }";
                device.ok(others, json!({})).await
            }
        }
        "a reset password" => {
            let data = partner.ok("{ viewer { user { email } } }", json!({})).await;
            let email = data["viewer"]["user"]["email"]
                .as_str()
                .expect("an address");
            let token = app.database.token("reset_password", email, email).await;
            let input = json!({ "token": token, "newPassword": PASSWORD });
            app.anonymous()
                .done("resetPassword", "__typename", input)
                .await
        }
        "a closed account" => {
            let close = "mutation { deleteAccount { errors { message code } } }";
            partner.ok(close, json!({})).await
        }
        "renewed" => {
            let input = json!({ "password": PASSWORD });
            let payload = partner.done("confirmPassword", "token", input).await;
            let token = payload["token"].as_str().expect("a token");
            // The same session, and the same right to listen.
            open(&partner.with_token(token)).await;
            payload
        }
        _ => partner.ok(SIGN_OUT, json!({})).await,
    };
}

/// Another device of the partner's.
async fn device(app: &App, login: &Value) -> Client {
    let input = json!({ "login": login, "password": PASSWORD });
    let payload = app.anonymous().done("signIn", "token", input).await;
    app.anonymous()
        .with_token(payload["token"].as_str().expect("a token"))
}

/// The newest member.
async fn member(owner: &Client) -> Value {
    let data = owner
        .ok("{ members(last: 1) { nodes { id } } }", json!({}))
        .await;
    data["members"]["nodes"][0]["id"].clone()
}

/// The code with which a stream ends; a change before it fails the test.
async fn last_words(stream: &mut Subscription) -> String {
    match stream.next(PATIENCE).await {
        Heard::Next(payload) => {
            assert!(
                payload["data"].is_null(),
                "heard after the end: {payload:#}"
            );
            let code = payload["errors"][0]["extensions"]["code"]
                .as_str()
                .expect("a code")
                .to_owned();
            assert_eq!(stream.next(PATIENCE).await, Heard::Complete);
            code
        }
        Heard::Error(errors) => errors[0]["extensions"]["code"]
            .as_str()
            .expect("a code")
            .to_owned(),
        other => panic!("{other:?}"),
    }
}
