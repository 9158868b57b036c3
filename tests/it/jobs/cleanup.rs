//! What is removed, and when: nothing that somebody could still use.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{IDLE, Instance, instant, words};
use crate::harness::{App, on_each_database};

on_each_database!(at crate::jobs::long_ago();
    what_is_over_goes_and_what_is_not_stays,
    more_than_a_batch_goes_in_several,
    entries_of_the_audit_log_go_when_their_time_has_come,
    who_comes_back_after_long_acts_where_they_belong,
);

/// A day, and the smallest step that a database keeps.
const DAY: TimeDelta = TimeDelta::days(1);
const STEP: TimeDelta = TimeDelta::microseconds(1);

/// The value of a task's counter.
async fn counted(app: &App, task: &str) -> u64 {
    let answer = reqwest::get(format!("{}/metrics", app.url)).await;
    let text = answer.expect("an answer").text().await.expect("a text");
    let name = format!("rollcall_cleanup_rows_total{{task=\"{task}\"}} ");
    let value = text.lines().find_map(|line| line.strip_prefix(&name));
    value.map_or(0, |value| value.parse().expect("a number"))
}

/// Puts a row on each side of each limit; the first word of its label says whether it is over.
async fn put_rows(app: &App, now: DateTime<Utc>) {
    let database = &app.database;
    let (id, nothing) = words(database);
    let at = |time: DateTime<Utc>| instant(database, time);
    let user = "(SELECT id FROM users ORDER BY email LIMIT 1)";
    let organization = "(SELECT id FROM organizations)";
    let mut statements = Vec::new();
    for (label, used, expires) in [
        ("over ended", now, now),
        ("over idle", now - DAY * 14, now + DAY),
        ("stays open", now - DAY * 14 + STEP, now + STEP),
    ] {
        statements.push(format!(
            "INSERT INTO sessions (id, user_id, token_hash, address, created_at, authenticated_at, last_used_at, expires_at)
             VALUES ({id}, {user}, {}, '{label}', {past}, {past}, {}, {})",
            hash(app, label), at(used), at(expires), past = at(now - DAY * 20),
        ));
    }
    for (place, (label, mailed, used, expires)) in [
        ("over used", true, true, now + DAY),
        ("over expired", true, false, now),
        ("over unmailed", false, false, now - DAY * 90),
        ("stays open", true, false, now + STEP),
        ("stays unmailed", false, false, now - DAY * 90 + STEP),
    ]
    .into_iter()
    .enumerate()
    {
        let hash = if mailed {
            hash(app, label)
        } else {
            "NULL".to_owned()
        };
        let used_at = if used { at(now) } else { "NULL".to_owned() };
        statements.push(format!(
            "INSERT INTO account_tokens (id, user_id, purpose, address, token_hash, created_at, expires_at, used_at)
             VALUES ({id}, (SELECT id FROM users ORDER BY email LIMIT 1 OFFSET {place}), 'reset_password', '{label}', {hash}, {}, {}, {used_at})",
            at(now - DAY * 100), at(expires),
        ));
    }
    for (label, created, sent) in [
        ("over sent", now - DAY * 31, Some(now - DAY * 30)),
        ("over unsent", now - DAY * 90, None),
        ("stays sent", now - DAY * 100, Some(now - DAY * 30 + STEP)),
        ("stays unsent", now - DAY * 90 + STEP, None),
    ] {
        let sent = sent.map_or("NULL".to_owned(), at);
        statements.push(format!(
            "INSERT INTO mails (id, kind, recipient, data, created_at, run_at, attempts, sent_at)
             VALUES ({id}, 'password_changed', '{label}', {nothing}, {}, {}, 9, {sent})",
            at(created),
            at(now),
        ));
    }
    for (label, status, expires) in [
        ("over pending", "pending", now - DAY * 90),
        ("over revoked", "revoked", now - DAY * 90),
        ("stays pending", "pending", now - DAY * 90 + STEP),
        ("stays accepted", "accepted", now - DAY * 90 + STEP),
    ] {
        let settled = if status == "pending" {
            "NULL".to_owned()
        } else {
            at(now)
        };
        statements.push(format!(
            "INSERT INTO invitations (id, organization_id, email, role, status, invited_by, created_at, updated_at, expires_at, settled_at)
             VALUES ({id}, {organization}, '{label}', 'member', '{status}', {user}, {past}, {past}, {}, {settled})",
            at(expires), past = at(now - DAY * 97),
        ));
    }
    statements.push(format!(
        "INSERT INTO invitation_tokens (invitation_id, organization_id, token_hash, created_at)
         SELECT id, organization_id, {}, created_at FROM invitations WHERE email = 'over pending'",
        hash(app, "token"),
    ));
    for (label, status, updated) in [
        ("over previewed", "previewed", now - DAY * 90),
        ("over committed", "committed", now - DAY * 90),
        ("over failed", "failed", now - DAY * 90),
        ("stays previewed", "previewed", now - DAY * 90 + STEP),
        ("stays reading", "reading", now - DAY * 90),
        ("stays committing", "committing", now - DAY * 90),
    ] {
        statements.push(format!(
            "INSERT INTO imports (id, organization_id, file_name, digest, options, status, created_at, updated_at)
             VALUES ({id}, {organization}, '{label}', {}, {nothing}, '{status}', {}, {})",
            hash(app, label), at(now - DAY * 90), at(updated),
        ));
    }
    statements.push(format!(
        "INSERT INTO import_rows (organization_id, import_id, line, verdict, content, committed)
         SELECT organization_id, id, 2, 'create', {nothing}, false FROM imports"
    ));
    statements.push(format!(
        "INSERT INTO import_files (organization_id, import_id, content)
         SELECT organization_id, id, {} FROM imports WHERE status = 'failed'",
        hash(app, "file"),
    ));
    for statement in statements {
        database.look(&statement).await;
    }
}

/// Bytes that stand for a label.
fn hash(app: &App, label: &str) -> String {
    let hex: String = label.bytes().map(|byte| format!("{byte:02x}")).collect();
    match app.database.backend() {
        crate::harness::Backend::Sqlite => format!("x'{hex}'"),
        crate::harness::Backend::Postgres => format!("'\\x{hex}'"),
    }
}

/// The labels in a column that were put there, in order.
async fn labels(app: &App, table: &str, column: &str) -> Vec<String> {
    let sql = format!(
        "SELECT {column} FROM {table} WHERE {column} LIKE 'over %' OR {column} LIKE 'stays %' ORDER BY 1"
    );
    app.database.look(&sql).await
}

async fn what_is_over_goes_and_what_is_not_stays(app: App) {
    let app = app.with(&[IDLE]).await;
    let instance = Instance::of(&app).await;
    app.owner("jazz").await;
    for name in ["ada", "bo", "cy", "di"] {
        app.sign_up(name).await;
    }
    instance.work().await;
    let now = app.clock.now() + DAY;
    put_rows(&app, now).await;
    let tables = [
        ("sessions", "sessions", "address", 2, 1),
        ("account_tokens", "account_tokens", "address", 3, 2),
        ("mails", "mails", "recipient", 2, 2),
        ("invitations", "invitations", "email", 2, 2),
        ("imports", "imports", "file_name", 3, 3),
    ];
    let mut before = Vec::new();
    for (task, table, column, over, stay) in tables {
        assert_eq!(
            labels(&app, table, column).await.len(),
            over + stay,
            "{table}"
        );
        before.push(counted(&app, task).await);
    }
    assert_eq!(instance.work().await, 0, "nothing is due yet");
    app.clock.set(now);
    assert_eq!(instance.work().await, super::TASKS);
    for ((task, table, column, over, stay), before) in tables.into_iter().zip(before) {
        let left = labels(&app, table, column).await;
        assert_eq!(left.len(), stay, "{left:?}");
        assert!(
            left.iter().all(|label| label.starts_with("stays")),
            "{left:?}"
        );
        let over = u64::try_from(over).expect("a small number");
        // Other tests count, too.
        assert!(counted(&app, task).await >= before + over, "{task}");
    }
    for (table, left) in [
        ("invitation_tokens", 0),
        ("import_rows", 3),
        ("import_files", 0),
    ] {
        let count = format!("SELECT count(*) FROM {table}");
        assert_eq!(app.database.number(&count).await, left, "{table}");
    }
    let purged = "SELECT count(*) FROM audit_logs WHERE event_type = 'records.purged' AND actor_kind = 'system'";
    assert_eq!(app.database.number(purged).await, 2);
    let (_, proof) = app.database.proofs().await.remove(0);
    assert_eq!(proof.fault, None);
    // A moment later the rest is over, and after that there is nothing to do.
    let changes = "SELECT max(sequence) FROM changes";
    let mut ends = Vec::new();
    for days in 1..=3 {
        app.clock.set(now + DAY * days);
        assert_eq!(instance.work().await, super::TASKS);
        ends.push(app.database.number(changes).await);
    }
    assert_eq!(ends[0], ends[2]);
    let under_way = ["stays committing", "stays reading"];
    assert_eq!(labels(&app, "imports", "file_name").await, under_way);
    instance.db.close().await;
    app.stop().await;
}

async fn more_than_a_batch_goes_in_several(app: App) {
    let app = app.with(&[IDLE]).await;
    let instance = Instance::of(&app).await;
    app.owner("jazz").await;
    let (id, _) = words(&app.database);
    let past = instant(&app.database, app.clock.now() - DAY * 100);
    let sql = format!(
        "INSERT INTO invitations (id, organization_id, email, role, status, invited_by, created_at, updated_at, expires_at, settled_at)
         WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < 2500)
         SELECT {id}, organizations.id, 'guest' || n, 'member', 'declined', owner_id, {past}, {past}, {past}, {past} FROM series, organizations"
    );
    app.database.look(&sql).await;
    assert_eq!(instance.work_after(&app, DAY).await, super::TASKS);
    let left = "SELECT count(*) FROM invitations";
    assert_eq!(app.database.number(left).await, 0);
    let batches = "SELECT count(*) FROM changes WHERE kind = 'records.purged'";
    assert_eq!(app.database.number(batches).await, 3);
    let rows = "SELECT last_rows FROM schedules WHERE task = 'invitations'";
    assert_eq!(app.database.number(rows).await, 2500);
    instance.db.close().await;
    app.stop().await;
}

async fn entries_of_the_audit_log_go_when_their_time_has_come(app: App) {
    let app = app.with(&[IDLE]).await;
    let instance = Instance::of(&app).await;
    let (keeper, other) = (app.owner("jazz").await, app.owner("choir").await);
    let input = json!({ "auditRetentionDays": 90 });
    keeper.done("updateOrganization", "__typename", input).await;
    other.patron("Ada").await;
    assert_eq!(
        instance.work_after(&app, DAY * 90 + STEP).await,
        super::TASKS
    );
    // Founded and changed here, where a new entry says that the two are gone; founded and visited there.
    let entries = "SELECT count(*) FROM audit_logs";
    assert_eq!(app.database.number(entries).await, 1 + 2);
    for (_, proof) in app.database.proofs().await {
        assert_eq!(proof.fault, None);
    }
    instance.db.close().await;
    app.stop().await;
}

/// No session of theirs is left to say where they were.
async fn who_comes_back_after_long_acts_where_they_belong(app: App) {
    let app = app.with(&[IDLE]).await;
    let instance = Instance::of(&app).await;
    let owner = app.owner("jazz").await;
    let query = "{ viewer { user { username } } organization { name } }";
    let before = owner.ok(query, json!({})).await;
    assert_eq!(instance.work_after(&app, DAY * 31).await, super::TASKS);
    let sessions = "SELECT count(*) FROM sessions";
    assert_eq!(app.database.number(sessions).await, 0);
    let input = json!({
        "login": before["viewer"]["user"]["username"], "password": crate::harness::people::PASSWORD,
    });
    let signed_in = app.anonymous().done("signIn", "token", input).await;
    let owner = owner.with_token(signed_in["token"].as_str().expect("a token"));
    assert_eq!(owner.ok(query, json!({})).await, before);
    instance.db.close().await;
    app.stop().await;
}
