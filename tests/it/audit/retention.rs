//! How long the audit log is kept, and that what is left can still be proved.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    Clock, Db, System,
    audit::{proof::Fault, retention},
    organizations::slug,
    permission::OrganizationUpdate,
};
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};

use crate::harness::{App, Backend, Client, configuration, on_each_database, people::PASSWORD};

on_each_database!(at super::long_ago();
    what_is_old_enough_goes_and_the_rest_holds,
    the_database_itself_keeps_what_is_younger,
    retention_has_bounds,
);

/// As long ago as anything here happens: PostgreSQL goes by its own clock when it keeps entries.
fn long_ago() -> DateTime<Utc> {
    Clock::system().now() - TimeDelta::days(400)
}

/// Removes what is due in the only organization.
async fn purge(app: &App) -> u64 {
    let database = configuration(&app.database, &[]).database;
    let db = Db::open(&database, app.clock.clone()).await;
    let db = db.expect("the database");
    let system = System::new(&db, "purge in a test");
    let organizations = slug::after(&system, "").await.expect("organizations");
    let scope = system.scope(organizations[0].1);
    let writer = scope.writer::<OrganizationUpdate>().await;
    let removed = retention::purge(writer.expect("every permission")).await;
    db.close().await;
    removed.expect("done")
}

/// Moves the clock on, where sessions have ended meanwhile.
async fn later(app: &App, client: &Client, days: i64) -> Client {
    let me = client
        .ok("{ viewer { user { username } } }", json!({}))
        .await["viewer"]["user"]["username"]
        .clone();
    app.clock.set(app.clock.now() + TimeDelta::days(days));
    let input = json!({ "login": me, "password": PASSWORD });
    let signed_in = app.anonymous().done("signIn", "token", input).await;
    client.with_token(signed_in["token"].as_str().expect("a token"))
}

async fn what_is_old_enough_goes_and_the_rest_holds(app: App) {
    let owner = app.owner("jazz").await;
    owner.patron("Ada").await;
    owner.patron("Bo").await;
    let owner = later(&app, &owner, 200).await;
    owner.patron("Cy").await;
    owner.patron("Di").await;
    assert_eq!(purge(&app).await, 0, "nothing is a year old");
    let owner = later(&app, &owner, 200).await;
    assert_eq!(purge(&app).await, 3);
    let query = "{ auditLog { nodes { number eventType actorKind } } }";
    let left = owner.ok(query, json!({})).await["auditLog"]["nodes"].take();
    // Those of one moment stand in any order.
    let mut left = left.as_array().expect("entries").clone();
    left.sort_by_key(|entry| entry["number"].as_i64());
    let entry = |number: i64, event_type: &str, kind: &str| json!({ "number": number, "eventType": event_type, "actorKind": kind });
    assert_eq!(
        left,
        [
            entry(4, "patron.created", "USER"),
            entry(5, "patron.created", "USER"),
            entry(6, "audit.purged", "SYSTEM"),
        ]
    );
    let (_, proof) = app.database.proofs().await.remove(0);
    assert_eq!((proof.held, proof.fault), (3, None));
    assert_eq!(purge(&app).await, 0, "once is enough");
    // The first that is kept is proved like any other, and cannot go unseen.
    for (tampering, fault) in [
        (
            "UPDATE audit_logs SET changes = 2 WHERE number = 4",
            Fault::Changed,
        ),
        ("DELETE FROM audit_logs WHERE number = 4", Fault::Missing),
    ] {
        app.database.look(tampering).await;
        let (_, proof) = app.database.proofs().await.remove(0);
        assert_eq!(proof.fault, Some((4, fault)));
    }
    app.stop().await;
}

async fn the_database_itself_keeps_what_is_younger(app: App) {
    let owner = app.owner("jazz").await;
    let owner = later(&app, &owner, 315).await;
    owner.patron("Ada").await;
    let database = &app.database;
    if database.backend() == Backend::Postgres {
        let organization = database.look("SELECT id::text FROM organizations").await;
        let options = PgConnectOptions::from_str(&database.url()).expect("a URL");
        let options = options.options([
            ("role", "rollcall_app"),
            ("rollcall.organization_id", &organization[0]),
        ]);
        let mut connection = PgConnection::connect_with(&options)
            .await
            .expect("the database");
        let removed = connection.execute("DELETE FROM audit_logs").await;
        assert_eq!(removed.expect("it may").rows_affected(), 1);
        let rewritten = connection
            .execute("UPDATE audit_logs SET reason = 'x'")
            .await;
        assert!(rewritten.is_err(), "nothing is rewritten");
        let young = "SELECT count(*) FROM audit_logs";
        assert_eq!(database.number(young).await, 1);
    }
    app.stop().await;
}

async fn retention_has_bounds(app: App) {
    let owner = app.owner("jazz").await;
    let days = "{ organization { auditRetentionDays } }";
    let first = owner.ok(days, json!({})).await;
    assert_eq!(first["organization"]["auditRetentionDays"], 365);
    let before = app.database.holdings().await;
    for wrong in [-1, 0, 89, 3651, i32::MAX] {
        assert_eq!(
            owner
                .refused("updateOrganization", json!({ "auditRetentionDays": wrong }))
                .await,
            ["INVALID input.auditRetentionDays"]
        );
    }
    assert_eq!(app.database.holdings().await, before);
    for right in [90, 3650] {
        let payload = owner
            .done(
                "updateOrganization",
                "organization { auditRetentionDays }",
                json!({ "auditRetentionDays": right }),
            )
            .await;
        assert_eq!(payload["organization"]["auditRetentionDays"], right);
    }
    app.stop().await;
}
