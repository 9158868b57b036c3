//! An organization that wants a second factor: what it withholds from a session without one.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{App, Client, authenticator::STEP, on_each_database, people::PASSWORD};

on_each_database!(at crate::harness::evening::at(12, 0);
    everybody_may_be_asked,
    those_of_a_role_may_be_asked,
    some_rights_may_take_it,
    a_factor_that_was_not_given_is_none,
    whoever_wants_it_has_given_it,
    what_is_wanted_is_checked,
    a_session_whose_factor_was_taken_away_has_none,
);

const EVENTS: &str = "{ events { nodes { id } } }";
const MEMBERS: &str = "{ members { nodes { id } } }";
const CAN: &str = "{ viewer { permissions } }";

/// Somebody who owns an organization and has given a second factor.
async fn owner(app: &App) -> Client {
    let owner = app.owner("jazz").await;
    owner.with_app(app.clock.now()).await.0
}

async fn wants(owner: &Client, input: Value) -> Value {
    let selection = "organization { secondFactorRequirement { everybody roles permissions } }";
    let wanted = owner.done("requireSecondFactor", selection, input).await;
    wanted["organization"]["secondFactorRequirement"].clone()
}

async fn codes(client: &Client, query: &str) -> Vec<String> {
    client.send(query, json!({})).await.codes()
}

async fn may(client: &Client) -> usize {
    let held = client.ok(CAN, json!({})).await;
    held["viewer"]["permissions"]
        .as_array()
        .expect("permissions")
        .len()
}

async fn everybody_may_be_asked(app: App) {
    let owner = owner(&app).await;
    let admin = app.member(&owner, "admin").await;
    let before = may(&admin).await;
    // Known, so that the next query begins on what it was.
    assert!(codes(&admin, EVENTS).await.is_empty());
    let wanted = wants(&owner, json!({ "everybody": true })).await;
    assert_eq!(
        wanted,
        json!({ "everybody": true, "roles": [], "permissions": [] })
    );

    let answer = admin.send(EVENTS, json!({})).await;
    assert_eq!(answer.codes(), ["SECOND_FACTOR_REQUIRED"]);
    let lacking = answer.body.pointer("/errors/0/extensions/permission");
    assert_eq!(lacking, Some(&json!("events:read")));
    assert_eq!(may(&admin).await, 0);
    let patron = json!({ "firstName": "Ada", "lastName": "L" });
    assert_eq!(
        admin.denied("createPatron", patron.clone()).await,
        "SECOND_FACTOR_REQUIRED"
    );
    let log = "{ auditLog(filter: { result: FAILURE }) { nodes { eventType reason } } }";
    let denied = json!([{ "eventType": "patrons:create", "reason": "SECOND_FACTOR_REQUIRED" }]);
    assert_eq!(owner.ok(log, json!({})).await["auditLog"]["nodes"], denied);
    let patrons = "SELECT count(*) FROM patrons";
    assert_eq!(app.database.number(patrons).await, 0);
    // What is the person's own is not the organization's to withhold.
    assert!(
        codes(&admin, "{ viewer { organizations { role } } }")
            .await
            .is_empty()
    );
    // What they may not do anyway is told apart.
    let transfer = json!({ "memberId": "x" });
    assert_eq!(
        admin.denied("transferOwnership", transfer).await,
        "FORBIDDEN"
    );

    let (admin, ..) = admin.with_app(app.clock.now()).await;
    assert!(codes(&admin, EVENTS).await.is_empty());
    assert_eq!(may(&admin).await, before);
    admin.done("createPatron", "__typename", patron).await;
    // Nothing lifts it.
    wants(&owner, json!({})).await;
    let viewer = app.member(&owner, "viewer").await;
    assert!(codes(&viewer, EVENTS).await.is_empty());
    app.stop().await;
}

async fn those_of_a_role_may_be_asked(app: App) {
    let owner = owner(&app).await;
    let (viewer, admin) = (
        app.member(&owner, "viewer").await,
        app.member(&owner, "admin").await,
    );
    wants(&owner, json!({ "roles": ["viewer", "viewer"] })).await;
    assert_eq!(codes(&viewer, EVENTS).await, ["SECOND_FACTOR_REQUIRED"]);
    assert!(codes(&admin, EVENTS).await.is_empty());
    // A role that came with a team is one, too.
    let members = owner
        .ok("{ members { nodes { id role } } }", json!({}))
        .await;
    let members = members["members"]["nodes"]
        .as_array()
        .expect("members")
        .clone();
    let member = members.iter().find(|member| member["role"] == "admin");
    let team = owner
        .done("createTeam", "team { id }", json!({ "name": "Band" }))
        .await;
    let place =
        json!({ "teamId": team["team"]["id"], "memberId": member.expect("the admin")["id"] });
    owner.done("addTeamMember", "__typename", place).await;
    let role = json!({ "teamId": team["team"]["id"], "role": "viewer" });
    owner.done("grantTeamRole", "__typename", role).await;
    assert_eq!(codes(&admin, EVENTS).await, ["SECOND_FACTOR_REQUIRED"]);
    app.stop().await;
}

async fn some_rights_may_take_it(app: App) {
    let owner = owner(&app).await;
    let admin = app.member(&owner, "admin").await;
    let before = may(&admin).await;
    let wanted = wants(
        &owner,
        json!({ "permissions": ["members:read", "roles:create"] }),
    )
    .await;
    assert_eq!(
        wanted["permissions"],
        json!(["members:read", "roles:create"])
    );
    assert_eq!(may(&admin).await, before - 2);
    assert!(codes(&admin, EVENTS).await.is_empty());
    assert_eq!(codes(&admin, MEMBERS).await, ["SECOND_FACTOR_REQUIRED"]);
    let role = json!({ "name": "Treasurer", "permissions": ["events:read"] });
    assert_eq!(
        admin.denied("createRole", role.clone()).await,
        "SECOND_FACTOR_REQUIRED"
    );
    // In one answer, what may be seen is.
    let both = "{ events { nodes { id } } members { nodes { id } } }";
    let answer = admin.send(both, json!({})).await;
    assert_eq!(answer.codes(), ["SECOND_FACTOR_REQUIRED"]);
    let (admin, ..) = admin.with_app(app.clock.now()).await;
    assert!(codes(&admin, both).await.is_empty());
    admin.done("createRole", "__typename", role).await;
    app.stop().await;
}

async fn a_factor_that_was_not_given_is_none(app: App) {
    let owner = owner(&app).await;
    let viewer = app.member(&owner, "viewer").await;
    let me = viewer
        .ok("{ viewer { user { username } } }", json!({}))
        .await;
    let login = json!({ "login": me["viewer"]["user"]["username"], "password": PASSWORD });
    let before = app.anonymous().done("signIn", "token", login.clone()).await;
    let before = viewer.holding(&before);
    let (viewer, authenticator, codes_left) = viewer.with_app(app.clock.now()).await;
    wants(&owner, json!({ "everybody": true })).await;
    assert!(codes(&viewer, EVENTS).await.is_empty());
    // The account has one, and this session was opened without it.
    assert_eq!(codes(&before, EVENTS).await, ["SECOND_FACTOR_REQUIRED"]);
    let confirm = json!({ "password": PASSWORD });
    let before = before.holding(&before.done("confirmPassword", "token", confirm).await);
    assert_eq!(codes(&before, EVENTS).await, ["SECOND_FACTOR_REQUIRED"]);
    let code = json!({ "code": authenticator.code(app.clock.now() + STEP) });
    let given = before.done("confirmSecondFactor", "token", code).await;
    let given = before.holding(&given);
    assert!(codes(&given, EVENTS).await.is_empty());
    let waiting = app
        .anonymous()
        .done("signIn", "challenge { token }", login)
        .await;
    let input =
        json!({ "challenge": waiting["challenge"]["token"], "recoveryCode": codes_left[0] });
    let opened = app.anonymous().done("completeSignIn", "token", input).await;
    assert!(codes(&viewer.holding(&opened), EVENTS).await.is_empty());
    app.stop().await;
}

async fn whoever_wants_it_has_given_it(app: App) {
    let plain = app.owner("jazz").await;
    let everybody = json!({ "everybody": true });
    let refused = ["SECOND_FACTOR_REQUIRED "];
    assert_eq!(
        plain
            .refused("requireSecondFactor", everybody.clone())
            .await,
        refused
    );
    let admin = app.member(&plain, "admin").await;
    let organizer = app.member(&plain, "organizer").await;
    let (organizer, ..) = organizer.with_app(app.clock.now()).await;
    assert_eq!(
        organizer
            .denied("requireSecondFactor", everybody.clone())
            .await,
        "FORBIDDEN"
    );
    let (owner, ..) = plain.with_app(app.clock.now()).await;
    wants(&owner, json!({ "permissions": ["members:read"] })).await;
    // Who has none cannot lift what they can still reach.
    assert_eq!(
        admin.refused("requireSecondFactor", json!({})).await,
        refused
    );
    app.clock.set(app.clock.now() + TimeDelta::minutes(15));
    assert_eq!(
        owner.refused("requireSecondFactor", everybody).await,
        ["SESSION_NOT_FRESH "]
    );
    let wanted = "SELECT second_factor FROM organizations";
    assert_eq!(app.database.look(wanted).await, ["members:read"]);
    app.stop().await;
}

async fn what_is_wanted_is_checked(app: App) {
    let owner = owner(&app).await;
    for (input, refusal) in [
        (json!({ "roles": ["nobody"] }), "NOT_FOUND input.roles"),
        (
            json!({ "roles": ["viewer", "a b"] }),
            "NOT_FOUND input.roles",
        ),
        (
            json!({ "permissions": ["events:dream"] }),
            "INVALID input.permissions",
        ),
        (json!({ "permissions": ["*"] }), "INVALID input.permissions"),
    ] {
        assert_eq!(owner.refused("requireSecondFactor", input).await, [refusal]);
    }
    let wanted = "SELECT second_factor FROM organizations";
    assert_eq!(app.database.look(wanted).await, [""]);
    app.stop().await;
}

async fn a_session_whose_factor_was_taken_away_has_none(app: App) {
    let owner = owner(&app).await;
    let viewer = app.member(&owner, "viewer").await;
    let (viewer, authenticator, codes_left) = viewer.with_app(app.clock.now()).await;
    let me = viewer
        .ok("{ viewer { user { username } } }", json!({}))
        .await;
    let login = json!({ "login": me["viewer"]["user"]["username"], "password": PASSWORD });
    let waiting = app
        .anonymous()
        .done("signIn", "challenge { token }", login)
        .await;
    let input =
        json!({ "challenge": waiting["challenge"]["token"], "recoveryCode": codes_left[0] });
    let other = app.anonymous().done("completeSignIn", "token", input).await;
    let other = viewer.holding(&other);
    wants(&owner, json!({ "everybody": true })).await;
    // Known, so that the next query begins on what it was.
    assert!(codes(&other, EVENTS).await.is_empty());
    let disable = "mutation { disableTotp { token errors { code } } }";
    let disabled = viewer.ok(disable, json!({})).await;
    let viewer = viewer.holding(&disabled["disableTotp"]);
    for session in [&viewer, &other] {
        assert_eq!(codes(session, EVENTS).await, ["SECOND_FACTOR_REQUIRED"]);
    }
    // The control: whoever adds one again has one.
    drop(authenticator);
    let (viewer, ..) = viewer.with_app(app.clock.now()).await;
    assert!(codes(&viewer, EVENTS).await.is_empty());
    app.stop().await;
}
