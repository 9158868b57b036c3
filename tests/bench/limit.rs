//! The limit: one hand-written statement an operation, whose JSON goes to the socket as PostgreSQL
//! made it. No GraphQL, no credentials, no tenant's transaction, no row-level security.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{
        State,
        ws::{Message, Utf8Bytes, WebSocketUpgrade},
    },
    http::header,
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::Value;
use sqlx::{PgPool, Row, postgres::PgPoolOptions};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::embedded;

/// What every request needs.
struct Limit {
    pool: PgPool,
    live: broadcast::Sender<Utf8Bytes>,
}

const EVENTS: &str = "
    SELECT json_build_object('data', json_build_object('events', json_build_object('nodes', coalesce(json_agg(node), '[]'))))::text
    FROM (
        SELECT json_build_object('title', events.title, 'startsAt', events.starts_at,
            'registeredCount', events.registered_count, 'checkedInCount', events.attended_count,
            'host', json_build_object('user', json_build_object('firstName', users.first_name, 'lastName', users.last_name))) AS node
        FROM events
        LEFT JOIN members ON members.organization_id = events.organization_id AND members.id = events.host_id
        LEFT JOIN users ON users.id = members.user_id
        WHERE events.organization_id = $1 AND events.starts_at < $2
        ORDER BY events.starts_at DESC, events.id DESC LIMIT 50
    ) AS nodes";
const DOOR: &str = "
    SELECT json_build_object('data', json_build_object('event', json_build_object('title', events.title, 'startsAt', events.starts_at,
        'attendances', json_build_object('nodes', (
            SELECT coalesce(json_agg(node), '[]') FROM (
                SELECT json_build_object('attended', attended, 'checkInTime', check_in_time, 'checkOutTime', check_out_time,
                    'secondsPresent', seconds_present, 'patron', json_build_object('firstName', first_name, 'lastName', last_name,
                        'points', points, 'tier', CASE WHEN qualifying_points < 100 THEN 'BRONZE' WHEN qualifying_points < 500 THEN 'SILVER'
                            WHEN qualifying_points < 1000 THEN 'GOLD' ELSE 'PLATINUM' END)) AS node
                FROM attendances JOIN patrons ON patrons.organization_id = attendances.organization_id AND patrons.id = patron_id
                WHERE attendances.organization_id = $1 AND event_id = $2
                ORDER BY attendances.created_at, attendances.id LIMIT 100
            ) AS nodes)))))::text
    FROM events WHERE organization_id = $1 AND id = $2";
const DEEP: &str = "
    SELECT json_build_object('data', json_build_object('events', json_build_object('nodes', coalesce(json_agg(node), '[]'))))::text
    FROM (
        SELECT json_build_object('title', events.title, 'attendances', json_build_object('nodes', (
            SELECT coalesce(json_agg(node), '[]') FROM (
                SELECT json_build_object('checkInTime', check_in_time, 'patron', json_build_object('firstName', first_name,
                    'lastName', last_name, 'loyaltyEntries', json_build_object('nodes', (
                        SELECT coalesce(json_agg(node), '[]') FROM (
                            SELECT json_build_object('points', entries.points, 'reason', reason, 'createdAt', entries.created_at) AS node
                            FROM loyalty_entries AS entries
                            WHERE entries.organization_id = $1 AND entries.patron_id = patrons.id
                            ORDER BY entries.created_at DESC, entries.id DESC LIMIT 3
                        ) AS nodes)))) AS node
                FROM attendances JOIN patrons ON patrons.organization_id = attendances.organization_id AND patrons.id = patron_id
                WHERE attendances.organization_id = $1 AND event_id = events.id
                ORDER BY attendances.created_at, attendances.id LIMIT 20
            ) AS nodes))) AS node
        FROM events WHERE organization_id = $1 AND starts_at < $2
        ORDER BY starts_at DESC, id DESC LIMIT 20
    ) AS nodes";
const PATRON: &str = "
    SELECT json_build_object('data', json_build_object('patron', json_build_object('firstName', first_name, 'lastName', last_name,
        'email', email, 'points', points)))::text
    FROM patrons WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL";
const CHECK_IN: &str = "SELECT bench_check_in($1, $2, $3)";

/// The function that does what a check-in writes: scan, attendance, counts, points, change, audit.
pub const FUNCTION: &str = include_str!("limit.sql");

/// Serves until it is killed.
pub async fn serve(database: &str) {
    let router = match database.strip_prefix("sqlite:") {
        Some(path) => embedded::limit(path).await,
        None => router(database).await,
    };
    let port = std::env::var("PORT")
        .expect("PORT")
        .parse()
        .expect("a port");
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .expect("the port");
    axum::serve(listener, router).await.expect("to serve");
}

async fn router(database: &str) -> Router {
    let pool = PgPoolOptions::new()
        .max_connections(20)
        .test_before_acquire(false)
        .connect(database)
        .await
        .expect("the database");
    let limit = Arc::new(Limit {
        pool,
        live: broadcast::channel(256).0,
    });
    Router::new()
        .route(
            "/Q1",
            post(|state, body| answer(state, body, EVENTS, &["organization", "until"])),
        )
        .route(
            "/Q2",
            post(|state, body| answer(state, body, DOOR, &["organization", "event"])),
        )
        .route(
            "/Q3",
            post(|state, body| answer(state, body, DEEP, &["organization", "until"])),
        )
        .route(
            "/Q4",
            post(|state, body| answer(state, body, PATRON, &["organization", "patron"])),
        )
        .route(
            "/M1",
            post(|state, body| answer(state, body, CHECK_IN, &["organization", "event", "patron"])),
        )
        .route("/live", get(live))
        .with_state(limit)
}

async fn answer(
    State(limit): State<Arc<Limit>>,
    Json(body): Json<Value>,
    sql: &'static str,
    parameters: &'static [&'static str],
) -> impl IntoResponse {
    let mut query = sqlx::query(sql);
    for parameter in parameters {
        let text = body[parameter].as_str().expect("a parameter");
        query = match Uuid::try_parse(text) {
            Ok(id) => query.bind(id),
            Err(_) => query.bind(
                text.parse::<chrono::DateTime<chrono::Utc>>()
                    .expect("a time"),
            ),
        };
    }
    let row = query.fetch_one(&limit.pool).await.expect("a row");
    let json = row.get::<String, _>(0);
    if sql == CHECK_IN && limit.live.receiver_count() > 0 {
        let _ = limit.live.send(json.clone().into());
    }
    ([(header::CONTENT_TYPE, "application/json")], json)
}

/// Bytes that were serialized once, to everybody.
async fn live(State(limit): State<Arc<Limit>>, upgrade: WebSocketUpgrade) -> impl IntoResponse {
    let mut changes = limit.live.subscribe();
    upgrade.on_upgrade(async move |mut socket| {
        while let Ok(change) = changes.recv().await {
            if socket.send(Message::Text(change)).await.is_err() {
                return;
            }
        }
    })
}
