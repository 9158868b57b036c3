//! What is left of an account 30 days after it was closed: a place in what others did, and nobody's
//! name.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Clock, Db, System, organizations::account};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};

use crate::{
    harness::{App, Backend, configuration, on_each_database, people::PASSWORD},
    walls::{
        catalog::{GLOBAL, literal, tables},
        stage::uuid_of,
    },
};

on_each_database!(at super::long_ago();
    nothing_of_a_person_is_left,
    nobody_else_is_forgotten,
);

fn long_ago() -> DateTime<Utc> {
    Clock::system().now() - TimeDelta::days(400)
}

async fn purge(app: &App) -> u64 {
    let database = configuration(&app.database, &[]).database;
    let db = Db::open(&database, app.clock.clone()).await;
    let db = db.expect("the database");
    let purged = account::purge(&System::new(&db, "purge in a test")).await;
    db.close().await;
    purged.expect("done")
}

async fn nothing_of_a_person_is_left(app: App) {
    let owner = app.owner("jazz").await;
    let ada = app.member(&owner, "organizer").await;
    let input = json!({
        "firstName": "Unmistakable", "lastName": "Unmistakable", "phone": "+43 1 99887766",
        "avatarUrl": "https://example.org/unmistakable.png",
    });
    ada.done("updateProfile", "__typename", input).await;
    let name = json!({ "username": "unmistakable" });
    ada.done("changeUsername", "__typename", name).await;
    let known =
        ada.ok("{ viewer { user { id email } } }", json!({})).await["viewer"]["user"].take();
    let address = "unmistakable@example.org";
    let move_to = format!("UPDATE users SET email = '{address}' WHERE username = 'unmistakable'");
    app.database.look(&move_to).await;
    let now = app.clock.now();
    let on = json!({ "startsAt": now - TimeDelta::hours(1), "endsAt": now + TimeDelta::hours(1) });
    let event = ada.event("Evening", on).await;
    let patron = ada.patron("Bo").await;
    assert_eq!(ada.check_in(&event, &patron).await, "CHECKED_IN");
    let gone = "mutation { deleteAccount { errors { code } } }";
    ada.ok(gone, json!({})).await;
    while app.database.number("SELECT count(*) FROM jobs").await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    app.clock.set(app.clock.now() + TimeDelta::days(30));
    assert_eq!(purge(&app).await, 0, "30 days are not over");
    app.clock.set(app.clock.now() + TimeDelta::microseconds(1));
    // One whom an organization knows that the person never belonged to.
    let id = literal(&app.database, uuid_of(known["id"].as_str().expect("an id")));
    app.database
        .look(&format!("UPDATE patrons SET user_id = {id}"))
        .await;
    assert_eq!(purge(&app).await, 1);
    assert_eq!(purge(&app).await, 0);

    let everything = app.database.everything().await;
    for (table, rows) in &everything {
        for word in ["nmistakable", "99887766"] {
            assert!(
                !rows.concat().contains(word),
                "{word} is in {table}: {rows:#?}"
            );
        }
    }
    // Whatever is the person's alone is gone; a new table of theirs is met here.
    for table in tables(&app.database).await {
        let is_global = GLOBAL.iter().any(|(name, _)| *name == table.name);
        for key in &table.foreign_keys {
            if is_global && key.table == "users" {
                let sql = format!(
                    "SELECT count(*) FROM {} WHERE {} = {id}",
                    table.name, key.columns[0].0
                );
                assert_eq!(app.database.number(&sql).await, 0, "{sql}");
            }
        }
    }
    for (table, column) in [
        ("members", "user_id"),
        ("patrons", "user_id"),
        ("audit_logs", "actor_id"),
    ] {
        let sql = format!("SELECT count(*) FROM {table} WHERE {column} = {id}");
        assert_eq!(app.database.number(&sql).await, 0, "{sql}");
    }
    // What was done is there, and proved; who did it is nobody.
    let sign_in = json!({ "login": me(&app).await, "password": PASSWORD });
    let signed_in = app.anonymous().done("signIn", "token", sign_in).await;
    let owner = owner.with_token(signed_in["token"].as_str().expect("a token"));
    let query = "query($id: ID!) { event(id: $id) { title attendances { nodes { attended } } } auditLog(first: 100) { nodes {
        eventType actorKind actorId address userAgent actor { username } } } }";
    let data = owner.ok(query, json!({ "id": event })).await;
    assert_eq!(
        data["event"]["attendances"]["nodes"],
        json!([{ "attended": true }])
    );
    let entries = data["auditLog"]["nodes"].as_array().expect("entries");
    let of = |event_type: &str| {
        let found = entries
            .iter()
            .find(|entry| entry["eventType"] == event_type);
        found
            .unwrap_or_else(|| panic!("no {event_type}: {entries:#?}"))
            .clone()
    };
    assert_eq!(
        of("event.created"),
        json!({ "eventType": "event.created", "actorKind": "USER", "actorId": null, "address": null, "userAgent": null, "actor": null })
    );
    assert_ne!(of("organization.created")["actorId"], Value::Null);
    assert_eq!(of("audit.erased")["actorKind"], "SYSTEM");
    for (_, proof) in app.database.proofs().await {
        assert_eq!(proof.fault, None);
    }
    app.database.must_be_consistent().await;
    // The name and the address are anybody's.
    let input = json!({ "username": "unmistakable", "email": address, "password": PASSWORD, "firstName": "Eve" });
    app.anonymous().done("signUp", "token", input).await;
    app.stop().await;
}

/// The only owner's username.
async fn me(app: &App) -> String {
    let sql = "SELECT username FROM users JOIN organizations ON owner_id = users.id";
    app.database.look(sql).await.concat()
}

/// Those who did not close their account, or did a moment ago, stay as they are, and the database itself
/// lets the application put nothing into an entry, nor take anybody else out of one.
async fn nobody_else_is_forgotten(app: App) {
    let owner = app.owner("jazz").await;
    let ada = app.member(&owner, "organizer").await;
    ada.patron("Bo").await;
    let gone = "mutation { deleteAccount { errors { code } } }";
    ada.ok(gone, json!({})).await;
    while app.database.number("SELECT count(*) FROM jobs").await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let before = app.database.everything().await;
    assert_eq!(purge(&app).await, 0);
    assert_eq!(app.database.everything().await, before);
    if app.database.backend() == Backend::Postgres {
        let organization = app
            .database
            .look("SELECT id::text FROM organizations")
            .await;
        let options = PgConnectOptions::from_str(&app.database.url()).expect("a URL");
        let options = options.options([
            ("role", "rollcall_app"),
            ("rollcall.organization_id", &organization[0]),
        ]);
        let mut connection = PgConnection::connect_with(&options)
            .await
            .expect("the database");
        for forbidden in [
            "UPDATE audit_logs SET event_type = 'x'",
            "UPDATE audit_logs SET actor_id = gen_random_uuid()",
            "UPDATE audit_logs SET address = '192.0.2.1'",
            "UPDATE audit_logs SET actor_id = NULL",
        ] {
            assert!(connection.execute(forbidden).await.is_err(), "{forbidden}");
        }
        let erase = "UPDATE audit_logs SET actor_id = NULL, address = NULL, user_agent = NULL, personal_salt = NULL";
        let erased = connection.execute(erase).await.expect("it may");
        let of_ada =
            "SELECT count(*) FROM audit_logs WHERE actor_kind = 'user' AND actor_id IS NULL";
        let of_ada = app.database.number(of_ada).await;
        assert!(of_ada > 0 && erased.rows_affected() == u64::try_from(of_ada).expect("few"));
        let others = "SELECT count(*) FROM audit_logs WHERE actor_id IS NOT NULL";
        assert!(app.database.number(others).await > 0);
    }
    app.stop().await;
}
