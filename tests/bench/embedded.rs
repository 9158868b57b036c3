//! The same rows in SQLite, and the limit there: hand-written statements whose JSON SQLite makes.

use std::{path::Path, sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, http::header, response::IntoResponse, routing::post};
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use serde_json::Value;
use sqlx::{
    AssertSqlSafe, Column, Connection, PgConnection, Postgres, Row, Sqlite, SqliteConnection,
    SqlitePool, TypeInfo, ValueRef,
    postgres::PgRow,
    query::Query,
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions,
        SqliteSynchronous,
    },
};
use uuid::Uuid;

const EVENTS: &str = "
    SELECT json_object('data', json_object('events', json_object('nodes', json_group_array(json(node)))))
    FROM (
        SELECT json_object('title', events.title, 'startsAt', events.starts_at,
            'registeredCount', events.registered_count, 'checkedInCount', events.attended_count,
            'host', json_object('user', json_object('firstName', users.first_name, 'lastName', users.last_name))) AS node
        FROM events
        LEFT JOIN members ON members.organization_id = events.organization_id AND members.id = events.host_id
        LEFT JOIN users ON users.id = members.user_id
        WHERE events.organization_id = $1 AND events.starts_at < $2
        ORDER BY events.starts_at DESC, events.id DESC LIMIT 50
    )";
const DOOR: &str = "
    SELECT json_object('data', json_object('event', json_object('title', events.title, 'startsAt', events.starts_at,
        'attendances', json_object('nodes', (
            SELECT json_group_array(json(node)) FROM (
                SELECT json_object('attended', json(iif(attended, 'true', 'false')), 'checkInTime', check_in_time,
                    'checkOutTime', check_out_time, 'secondsPresent', seconds_present,
                    'patron', json_object('firstName', first_name, 'lastName', last_name, 'points', points,
                        'tier', CASE WHEN qualifying_points < 100 THEN 'BRONZE' WHEN qualifying_points < 500 THEN 'SILVER'
                            WHEN qualifying_points < 1000 THEN 'GOLD' ELSE 'PLATINUM' END)) AS node
                FROM attendances JOIN patrons ON patrons.organization_id = attendances.organization_id AND patrons.id = patron_id
                WHERE attendances.organization_id = $1 AND event_id = $2
                ORDER BY attendances.created_at, attendances.id LIMIT 100
            ))))))
    FROM events WHERE organization_id = $1 AND id = $2";
const DEEP: &str = "
    SELECT json_object('data', json_object('events', json_object('nodes', json_group_array(json(node)))))
    FROM (
        SELECT json_object('title', events.title, 'attendances', json_object('nodes', (
            SELECT json_group_array(json(node)) FROM (
                SELECT json_object('checkInTime', check_in_time, 'patron', json_object('firstName', first_name,
                    'lastName', last_name, 'loyaltyEntries', json_object('nodes', (
                        SELECT json_group_array(json(node)) FROM (
                            SELECT json_object('points', entries.points, 'reason', reason, 'createdAt', entries.created_at) AS node
                            FROM loyalty_entries AS entries
                            WHERE entries.organization_id = $1 AND entries.patron_id = patrons.id
                            ORDER BY entries.created_at DESC, entries.id DESC LIMIT 3
                        ))))) AS node
                FROM attendances JOIN patrons ON patrons.organization_id = attendances.organization_id AND patrons.id = patron_id
                WHERE attendances.organization_id = $1 AND event_id = events.id
                ORDER BY attendances.created_at, attendances.id LIMIT 20
            )))) AS node
        FROM events WHERE organization_id = $1 AND starts_at < $2
        ORDER BY starts_at DESC, id DESC LIMIT 20
    )";
const PATRON: &str = "
    SELECT json_object('data', json_object('patron', json_object('firstName', first_name, 'lastName', last_name,
        'email', email, 'points', points)))
    FROM patrons WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL";

/// What a check-in writes: scan, attendance, counts, points, change, audit.
const CHECK_IN: [&str; 8] = [
    "INSERT INTO attendance_scans (organization_id, id, event_id, patron_id, direction, method, occurred_at, claimed_at, received_at, outcome)
        VALUES ($1, $4, $2, $3, 'in', 'manual', $5, $5, $5, 'checked_in')",
    "INSERT INTO attendances (id, organization_id, event_id, patron_id, seats, attended, inside, check_in_time, seconds_present, awards, created_at, updated_at)
        VALUES ($4, $1, $2, $3, 1, true, true, $5, 0, 1, $5, $5)
        ON CONFLICT (organization_id, event_id, patron_id) DO UPDATE SET inside = true",
    "UPDATE events SET attended_count = attended_count + 1, inside_count = inside_count + 1, seats_taken = seats_taken + 1
        WHERE organization_id = $1 AND id = $2",
    "INSERT INTO loyalty_entries (id, organization_id, patron_id, kind, points, reason, source_id, generation, created_at)
        VALUES ($4, $1, $3, 'earn', 10, 'Attended', $4, 1, $5)",
    "UPDATE patrons SET points = points + 10, qualifying_points = qualifying_points + 10 WHERE organization_id = $1 AND id = $3",
    "UPDATE change_counters SET last_sequence = last_sequence + 1 WHERE organization_id = $1",
    "INSERT INTO audit_logs (id, organization_id, event_type, target_id, sequence, changes, created_at)
        SELECT $4, $1, 'attendance.checked_in', $4, last_sequence, 1, $5 FROM change_counters WHERE organization_id = $1",
    "INSERT INTO changes (organization_id, sequence, kind, subject_id, event_id, patron_id, occurred_at, recorded_at, data)
        SELECT $1, last_sequence, 'attendance.checked_in', $4, $2, $3, $5, $5, '{}' FROM change_counters WHERE organization_id = $1",
];
const CHECKED_IN: &str = "
    SELECT json_object('data', json_object('checkIn', json_object('outcome', 'CHECKED_IN', 'attendance',
        json_object('checkInTime', check_in_time, 'patron', json_object('firstName', first_name, 'lastName', last_name)))))
    FROM attendances JOIN patrons ON patrons.organization_id = attendances.organization_id AND patrons.id = patron_id
    WHERE attendances.organization_id = $1 AND event_id = $2 AND patron_id = $3";

/// Copies every row of a PostgreSQL database into the migrated, empty file at `path`.
pub async fn copy(url: &str, path: &Path) {
    let mut from = PgConnection::connect(url).await.expect("the database");
    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(false);
    let mut into = SqliteConnection::connect_with(&options)
        .await
        .expect("the file");
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'seaql_%'",
    )
    .fetch_all(&mut into)
    .await
    .expect("tables");
    let mut transaction = into.begin().await.expect("a transaction");
    for table in tables {
        // One of them is called `column`.
        let quoted = r#"SELECT '"' || name || '"' FROM pragma_table_info($1)"#;
        let columns: Vec<String> = sqlx::query_scalar(quoted)
            .bind(&table)
            .fetch_all(&mut *transaction)
            .await
            .expect("columns");
        let places: Vec<String> = (1..=columns.len())
            .map(|place| format!("${place}"))
            .collect();
        let select = format!("SELECT {} FROM {table}", columns.join(", "));
        let insert = format!(
            "INSERT OR REPLACE INTO {table} ({}) VALUES ({})",
            columns.join(", "),
            places.join(", ")
        );
        let mut rows = sqlx::query::<Postgres>(AssertSqlSafe(select)).fetch(&mut from);
        while let Some(row) = rows.try_next().await.expect("a row") {
            let mut query = sqlx::query(AssertSqlSafe(insert.clone()));
            for column in 0..columns.len() {
                query = bind(query, &row, column);
            }
            query.execute(&mut *transaction).await.expect(&table);
        }
    }
    transaction.commit().await.expect("to commit");
    sqlx::query("ANALYZE")
        .execute(&mut into)
        .await
        .expect("statistics");
}

/// Binds a value as Rollcall writes its kind.
fn bind<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    row: &PgRow,
    column: usize,
) -> Query<'q, Sqlite, SqliteArguments> {
    if row.try_get_raw(column).expect("a value").is_null() {
        return query.bind(None::<String>);
    }
    match row.columns()[column].type_info().name() {
        "UUID" => query.bind(row.get::<Uuid, _>(column)),
        "TIMESTAMPTZ" => query.bind(row.get::<DateTime<Utc>, _>(column)),
        "BOOL" => query.bind(row.get::<bool, _>(column)),
        "INT2" => query.bind(row.get::<i16, _>(column)),
        "INT4" => query.bind(row.get::<i32, _>(column)),
        "INT8" => query.bind(row.get::<i64, _>(column)),
        "JSONB" => query.bind(row.get::<Value, _>(column)),
        "BYTEA" => query.bind(row.get::<Vec<u8>, _>(column)),
        _ => query.bind(row.get::<String, _>(column)),
    }
}

/// Readers, and the one who may write.
struct Pools {
    readers: SqlitePool,
    writer: SqlitePool,
}

/// The router of the limit on the file at `path`.
pub async fn limit(path: &str) -> Router {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let open = async |connections, options| {
        let pool = SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_mins(1))
            .test_before_acquire(false);
        pool.connect_with(options).await.expect("the file")
    };
    let pools = Pools {
        readers: open(8, options.clone().read_only(true)).await,
        writer: open(1, options).await,
    };
    Router::new()
        .route(
            "/Q1",
            post(|pools, body| read(pools, body, EVENTS, "until")),
        )
        .route("/Q2", post(|pools, body| read(pools, body, DOOR, "event")))
        .route("/Q3", post(|pools, body| read(pools, body, DEEP, "until")))
        .route(
            "/Q4",
            post(|pools, body| read(pools, body, PATRON, "patron")),
        )
        .route("/M1", post(check_in))
        .with_state(Arc::new(pools))
}

async fn read(
    State(pools): State<Arc<Pools>>,
    Json(body): Json<Value>,
    sql: &'static str,
    parameter: &'static str,
) -> impl IntoResponse {
    let query = sqlx::query_scalar(sql).bind(id(&body, "organization"));
    let query = match parameter {
        "until" => {
            let until = body[parameter].as_str().expect("a time");
            query.bind(until.parse::<DateTime<Utc>>().expect("a time"))
        }
        _ => query.bind(id(&body, parameter)),
    };
    json(query.fetch_one(&pools.readers).await.expect("a row"))
}

async fn check_in(State(pools): State<Arc<Pools>>, Json(body): Json<Value>) -> impl IntoResponse {
    let [organization, event, patron] =
        ["organization", "event", "patron"].map(|name| id(&body, name));
    let mut transaction = pools
        .writer
        .begin_with("BEGIN IMMEDIATE")
        .await
        .expect("to begin");
    for sql in CHECK_IN {
        let query = sqlx::query(sql).bind(organization).bind(event).bind(patron);
        let query = query.bind(Uuid::now_v7()).bind(Utc::now());
        query.execute(&mut *transaction).await.expect(sql);
    }
    let query = sqlx::query_scalar(CHECKED_IN)
        .bind(organization)
        .bind(event)
        .bind(patron);
    let answer = query.fetch_one(&mut *transaction).await.expect("a row");
    transaction.commit().await.expect("to commit");
    json(answer)
}

fn id(body: &Value, name: &str) -> Uuid {
    body[name]
        .as_str()
        .and_then(|id| id.parse().ok())
        .expect("an id")
}

fn json(text: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], text)
}
