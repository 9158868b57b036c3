//! The audit log is a chain: what is changed, removed or added behind the application's back is found.

use domain::audit::proof::{Fault, Proof};
use serde_json::json;

use crate::harness::{App, on_each_database};

on_each_database!(
    a_chain_holds_whoever_commits,
    every_way_to_tamper_is_found,
    what_is_erased_leaves_a_chain_that_holds,
    entries_from_before_the_chain_are_told_apart,
);

/// What can be done to the chain of [`chain`], and where it is found.
const TAMPERING: &[(&str, (i64, Fault))] = &[
    (
        "UPDATE audit_logs SET event_type = 'patron.updated' WHERE number = 3",
        (3, Fault::Changed),
    ),
    (
        "UPDATE audit_logs SET result = 'success', reason = NULL WHERE number = 6",
        (6, Fault::Changed),
    ),
    (
        "UPDATE audit_logs SET target_id = NULL WHERE number = 1",
        (1, Fault::Changed),
    ),
    (
        "UPDATE audit_logs SET address = '192.0.2.7' WHERE number = 4",
        (4, Fault::PersonalDataChanged),
    ),
    (
        "UPDATE audit_logs SET actor_id = NULL WHERE number = 4",
        (4, Fault::PersonalDataChanged),
    ),
    // Another digest is another entry.
    (
        "UPDATE audit_logs SET actor_id = NULL, address = NULL, user_agent = NULL, personal_salt = NULL,
             personal_digest = hash WHERE number = 4",
        (4, Fault::Changed),
    ),
    (
        "DELETE FROM audit_logs WHERE number = 5",
        (5, Fault::Missing),
    ),
    (
        "DELETE FROM audit_logs WHERE number = 1",
        (1, Fault::Missing),
    ),
    (
        "DELETE FROM audit_logs WHERE number = 8",
        (8, Fault::Missing),
    ),
    ("DELETE FROM audit_logs", (1, Fault::Missing)),
    // Those after it move up.
    (
        "DELETE FROM audit_logs WHERE number = 5; UPDATE audit_logs SET number = 5 WHERE number = 6;
         UPDATE audit_logs SET number = 6 WHERE number = 7; UPDATE audit_logs SET number = 7 WHERE number = 8",
        (5, Fault::Changed),
    ),
    // Two change places.
    (
        "UPDATE audit_logs SET number = 100 WHERE number = 4; UPDATE audit_logs SET number = 4 WHERE number = 5;
         UPDATE audit_logs SET number = 5 WHERE number = 100",
        (4, Fault::Changed),
    ),
    // An entry is there twice: at the end, before the beginning, and without a number.
    (
        "UPDATE audit_logs SET number = 9, id = organization_id WHERE number = 3;
         INSERT INTO audit_logs SELECT * FROM saved_audit_logs WHERE number = 3",
        (9, Fault::Changed),
    ),
    (
        "UPDATE audit_logs SET number = 0, id = organization_id WHERE number = 3;
         INSERT INTO audit_logs SELECT * FROM saved_audit_logs WHERE number = 3",
        (0, Fault::Added),
    ),
    (
        "UPDATE audit_logs SET number = NULL, id = organization_id WHERE number = 3;
         INSERT INTO audit_logs SELECT * FROM saved_audit_logs WHERE number = 3",
        (0, Fault::Added),
    ),
    (
        "UPDATE change_counters SET last_entry = 7",
        (8, Fault::Added),
    ),
    (
        "UPDATE change_counters SET last_hash = NULL",
        (8, Fault::Changed),
    ),
];

/// A chain of eight entries, the sixth of them a denial.
async fn chain(app: &App) {
    let owner = app.owner("jazz").await;
    let viewer = app.member(&owner, "viewer").await;
    for name in ["Ada", "Bo", "Cy"] {
        owner.patron(name).await;
    }
    viewer
        .denied("createPatron", json!({ "firstName": "Eve" }))
        .await;
    owner.patron("Di").await;
    owner.event("Evening", json!({})).await;
}

async fn proof(app: &App) -> Proof {
    let mut proofs = app.database.proofs().await;
    assert_eq!(proofs.len(), 1);
    proofs.remove(0).1
}

async fn a_chain_holds_whoever_commits(app: App) {
    chain(&app).await;
    let found = proof(&app).await;
    assert_eq!((found.held, found.fault, found.unproved), (8, None, 0));
    let (number, hash) = found.end.expect("an end");
    assert_eq!((number, hash.len()), (8, 32));
    app.stop().await;
}

async fn every_way_to_tamper_is_found(app: App) {
    const TABLES: [&str; 2] = ["audit_logs", "change_counters"];
    chain(&app).await;
    for table in TABLES {
        let save = format!("CREATE TABLE saved_{table} AS SELECT * FROM {table}");
        app.database.look(&save).await;
    }
    for (tampering, fault) in TAMPERING {
        for statement in tampering.split(';') {
            app.database.look(statement).await;
        }
        assert_eq!(proof(&app).await.fault, Some(*fault), "{tampering}");
        for table in TABLES {
            app.database.look(&format!("DELETE FROM {table}")).await;
            let restore = format!("INSERT INTO {table} SELECT * FROM saved_{table}");
            app.database.look(&restore).await;
        }
        assert_eq!(proof(&app).await.fault, None, "without {tampering}");
    }
    app.stop().await;
}

async fn what_is_erased_leaves_a_chain_that_holds(app: App) {
    chain(&app).await;
    app.database
        .look("UPDATE audit_logs SET actor_id = NULL, address = NULL, user_agent = NULL, personal_salt = NULL")
        .await;
    let found = proof(&app).await;
    assert_eq!((found.held, found.fault), (8, None));
    app.stop().await;
}

async fn entries_from_before_the_chain_are_told_apart(app: App) {
    let owner = app.owner("jazz").await;
    owner.patron("Ada").await;
    // As a database is just after it was migrated.
    app.database
        .look("UPDATE audit_logs SET number = NULL, hash = NULL, personal_salt = NULL, personal_digest = NULL")
        .await;
    app.database
        .look("UPDATE change_counters SET last_entry = 0, last_hash = NULL")
        .await;
    owner.patron("Bo").await;
    let found = proof(&app).await;
    assert_eq!((found.held, found.fault, found.unproved), (1, None, 2));
    let query = "{ auditLog { nodes { number hash eventType } } }";
    let told = owner.ok(query, json!({})).await;
    let nodes = told["auditLog"]["nodes"].as_array().expect("entries");
    assert_eq!(
        (&nodes[0]["number"], &nodes[1]["number"]),
        (&json!(1), &json!(null))
    );
    assert!(nodes[0]["hash"].is_string() && nodes[2]["hash"].is_null());
    app.stop().await;
}
