//! Closing an account: what belongs to the person ends at once, what they belong to a moment later, and
//! what they did stays.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{
    App, Client, TestDatabase, door::at_once, evening::at, mail::OUTBOX, on_each_database,
    people::PASSWORD,
};
use crate::walls::stage::uuid_of;

on_each_database!(at crate::harness::evening::at(18, 0);
    whoever_closes_their_account_is_gone_and_their_work_stays,
    an_owner_stays,
    closing_takes_a_fresh_session,
    what_is_closed_is_told_to_its_address_and_stays_reserved,
    nothing_is_given_to_who_is_just_closing,
    a_stop_in_between_ends_memberships_later,
);

/// Something that somebody tries, and the codes of what came of it.
type Attempt = std::pin::Pin<Box<dyn Future<Output = Vec<String>> + Send>>;

/// Closes an account; the mutation has no input.
async fn close(client: &Client) -> Vec<String> {
    let document = "mutation { deleteAccount { errors { code message } } }";
    let answer = client.send(document, json!({})).await;
    let mut codes = answer.codes();
    codes.extend(answer.refusals("deleteAccount"));
    codes
}

async fn me(client: &Client) -> Value {
    let query = "{ viewer { user { id username email } } }";
    client.ok(query, json!({})).await["viewer"]["user"].take()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Waits until no membership is left to end.
async fn settled(database: &TestDatabase) {
    while database.number("SELECT count(*) FROM jobs").await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn whoever_closes_their_account_is_gone_and_their_work_stays(app: App) {
    let (jazz, chess) = (app.owner("jazz").await, app.owner("chess").await);
    let ada = app.member(&jazz, "organizer").await;
    let known = me(&ada).await;
    let access = json!({ "email": known["email"], "role": "checkin" });
    chess.done("addMember", "__typename", access).await;
    let hosts = "{ members { nodes { id user { id } } } }";
    let members = jazz.ok(hosts, json!({})).await["members"]["nodes"].take();
    let members = members.as_array().expect("members");
    let host = members
        .iter()
        .find(|member| member["user"]["id"] == known["id"]);
    let host = json!({ "hostId": host.expect("Ada")["id"] });
    let event = ada.evening(host).await;
    let patron = ada.patron("Bo").await;
    assert_eq!(ada.check_in(&event, &patron).await, "CHECKED_IN");
    // The organizations know Ada as a patron, too.
    for client in [&jazz, &chess] {
        client.patron("Ada").await;
    }
    let id = crate::walls::catalog::literal(&app.database, uuid_of(&text(&known["id"])));
    let linked = format!("UPDATE patrons SET user_id = {id} WHERE first_name = 'Ada'");
    app.database.look(&linked).await;
    let sign_in = json!({ "login": known["username"], "password": PASSWORD });
    let other = app
        .anonymous()
        .done("signIn", "token", sign_in.clone())
        .await;
    let other = ada.with_token(&text(&other["token"]));
    other.ok(hosts, json!({})).await;

    assert_eq!(close(&ada).await, Vec::<String>::new());
    for client in [&ada, &other] {
        for query in [
            "{ viewer { user { id } } }",
            hosts,
            "{ events { nodes { id } } }",
        ] {
            assert_eq!(
                client.send(query, json!({})).await.codes(),
                ["UNAUTHENTICATED"]
            );
        }
    }
    assert_eq!(
        app.anonymous().refused("signIn", sign_in).await,
        ["BAD_CREDENTIALS input.password"]
    );
    settled(&app.database).await;
    let left = "{ auditLog(first: 1, filter: { eventType: \"member.left\" }) { nodes { actorKind action } }
        members { nodes { role } } patrons { nodes { id } } }";
    for client in [&jazz, &chess] {
        let data = client.ok(left, json!({})).await;
        assert_eq!(data["members"]["nodes"], json!([{ "role": "owner" }]));
        assert_eq!(
            data["auditLog"]["nodes"],
            json!([{ "actorKind": "SYSTEM", "action": "REMOVE_TEAM_MEMBER" }])
        );
    }
    let query =
        "query($id: ID!) { event(id: $id) { title host { id } attendances { nodes { attended } } }
        auditLog(filter: { eventType: \"event.created\" }) { nodes { actor { username } } } }";
    let history = jazz.ok(query, json!({ "id": event })).await;
    assert_eq!(
        history["event"],
        json!({ "title": "Evening", "host": null, "attendances": { "nodes": [{ "attended": true }] } })
    );
    assert_eq!(
        history["auditLog"]["nodes"],
        json!([{ "actor": { "username": known["username"] } }])
    );
    let still = "SELECT count(*) FROM patrons WHERE user_id IS NULL AND first_name = 'Ada'";
    assert_eq!(app.database.number(still).await, 2);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn an_owner_stays(app: App) {
    let owner = app.owner("jazz").await;
    let input = json!({ "name": "Another club", "timeZone": "UTC" });
    owner.done("createOrganization", "__typename", input).await;
    let before = app.database.holdings().await;
    let document = "mutation { deleteAccount { errors { code message path } } }";
    let answer = owner.send(document, json!({})).await;
    let error = &answer.body["data"]["deleteAccount"]["errors"][0];
    assert_eq!(
        (&error["code"], &error["path"]),
        (&json!("LAST_OWNER"), &Value::Null)
    );
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("Another club, jazz club"), "{message}");
    assert_eq!(app.database.holdings().await, before);
    owner.ok("{ viewer { user { id } } }", json!({})).await;
    app.stop().await;
}

async fn closing_takes_a_fresh_session(app: App) {
    let ada = app.sign_up("ada").await;
    app.clock.set(at(18, 15));
    assert_eq!(close(&ada).await, ["SESSION_NOT_FRESH"]);
    assert_eq!(close(&app.anonymous()).await, ["UNAUTHENTICATED"]);
    let confirmed = ada
        .done("confirmPassword", "token", json!({ "password": PASSWORD }))
        .await;
    let ada = ada.with_token(&text(&confirmed["token"]));
    assert_eq!(close(&ada).await, Vec::<String>::new());
    assert_eq!(close(&ada).await, ["UNAUTHENTICATED"]);
    app.stop().await;
}

async fn what_is_closed_is_told_to_its_address_and_stays_reserved(app: App) {
    let app = app.with(&[OUTBOX]).await;
    let ada = app.sign_up("ada").await;
    let input = json!({ "locale": "DE" });
    ada.done("updateProfile", "__typename", input).await;
    let known = me(&ada).await;
    let (email, username) = (text(&known["email"]), text(&known["username"]));
    let verify = app.database.token("verify_email", &email, &email).await;
    assert_eq!(close(&ada).await, Vec::<String>::new());
    let mail = app.mail("account_closed", &email, 1).await;
    let told = mail["text"].as_str().expect("a text");
    assert!(
        told.contains("30 Tagen") && mail["token"].is_null(),
        "{told}"
    );
    app.mailed().await;
    assert_eq!(
        app.anonymous()
            .refused("verifyEmail", json!({ "token": verify }))
            .await,
        ["INVALID_TOKEN input.token"]
    );
    let again =
        json!({ "username": username, "email": email, "password": PASSWORD, "firstName": "Ada" });
    assert_eq!(
        app.anonymous().refused("signUp", again).await,
        ["TAKEN input.username", "TAKEN input.email"]
    );
    // Nothing is mailed there any more.
    let forgotten = json!({ "email": email });
    app.anonymous()
        .done("requestPasswordReset", "__typename", forgotten)
        .await;
    app.mailed().await;
    let outbox = app.outbox().await;
    assert!(outbox.iter().all(|mail| mail["kind"] != "reset_password"));
    app.stop().await;
}

/// Whoever is made an owner, given access or founds something while they close their account does so
/// before it is closed, or not at all.
async fn nothing_is_given_to_who_is_just_closing(app: App) {
    for round in 0..30 {
        let owner = app.owner("jazz").await;
        let ada = app.member(&owner, "admin").await;
        let known = me(&ada).await;
        let members = owner
            .ok("{ members { nodes { id role } } }", json!({}))
            .await;
        let members = members["members"]["nodes"]
            .as_array()
            .expect("members")
            .clone();
        let heir = members.iter().find(|member| member["role"] == "admin");
        let heir = heir.expect("Ada")["id"].clone();
        let elsewhere = app.owner("chess").await;
        let of = |client: &Client, field: &'static str, input: Value| -> Attempt {
            let client = client.again();
            Box::pin(async move {
                let answer = client.mutate(field, "__typename", input).await;
                [answer.codes(), answer.refusals(field)].concat()
            })
        };
        let closing = ada.again();
        let mut attempts: Vec<Attempt> = vec![
            Box::pin(async move { close(&closing).await }),
            of(&owner, "transferOwnership", json!({ "memberId": heir })),
            of(
                &elsewhere,
                "addMember",
                json!({ "email": known["email"], "role": "viewer" }),
            ),
        ];
        if round % 2 == 0 {
            let input = json!({ "name": "Late club", "timeZone": "UTC" });
            attempts.push(of(&ada, "createOrganization", input));
        }
        let answers = at_once(attempts).await;
        let known_codes = ["LAST_OWNER", "NOT_FOUND", "UNAUTHENTICATED"];
        for code in answers.iter().flatten() {
            assert!(known_codes.contains(&&**code), "{answers:?}");
        }
        // The account is open, or the organization has its owner still.
        assert_ne!(answers[0].is_empty(), answers[1].is_empty(), "{answers:?}");
    }
    settled(&app.database).await;
    let orphans = "SELECT count(*) FROM organizations WHERE NOT EXISTS (
        SELECT 1 FROM members JOIN users ON users.id = user_id WHERE organization_id = organizations.id
        AND user_id = owner_id AND role = 'owner' AND deleted_at IS NULL)";
    assert_eq!(app.database.number(orphans).await, 0);
    let ghosts = "SELECT count(*) FROM members JOIN users ON users.id = user_id WHERE deleted_at IS NOT NULL";
    assert_eq!(app.database.number(ghosts).await, 0);
    let closed = "SELECT count(*) FROM users WHERE deleted_at IS NOT NULL";
    assert!(
        app.database.number(closed).await > 0,
        "nobody closed anything"
    );
    app.stop().await;
}

/// Between the first step and the others there is no access, and whoever works next goes on.
async fn a_stop_in_between_ends_memberships_later(app: App) {
    let owner = app.owner("jazz").await;
    let ada = app.member(&owner, "viewer").await;
    let app = app.with(&[("ROLLCALL_WORKER", "false")]).await;
    let (owner, ada) = (owner.at(&app.url), ada.at(&app.url));
    assert_eq!(close(&ada).await, Vec::<String>::new());
    assert_eq!(
        ada.send("{ events { nodes { id } } }", json!({}))
            .await
            .codes(),
        ["UNAUTHENTICATED"]
    );
    let count = async |owner: &Client| {
        let data = owner.ok("{ members { totalCount } }", json!({})).await;
        data["members"]["totalCount"].clone()
    };
    assert_eq!(count(&owner).await, 2);
    app.clock.set(app.clock.now() + TimeDelta::minutes(1));
    let app = app.with(&[]).await;
    settled(&app.database).await;
    assert_eq!(count(&owner.at(&app.url)).await, 1);
    app.stop().await;
}
