//! Subscribers, replay, and devices that send what they kept: measured with clients of our own, as
//! no load generator speaks `graphql-transport-ws`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};
use uuid::Uuid;

use crate::{
    data::Data,
    operations::global,
    servers::{Server, post},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const FOLLOW: &str = "subscription($event: ID!, $after: String) { attendanceChanged(eventId: $event, after: $after) {
    cursor changes { sequence type patron { firstName lastName } attendance { checkInTime } } } }";
const FOLLOW_ALL: &str = "subscription($after: String) { attendanceChanged(after: $after) { cursor changes { sequence type } } }";
const CHECK_IN: &str = "mutation($event: ID!, $patron: ID!) { checkIn(input: { eventId: $event, patronId: $patron }) { outcome } }";
/// The same for PostGraphile, whose check-in is one upsert and one NOTIFY.
const FOLLOW_ARRIVALS: &str = "subscription($event: UUID!) { attendanceChanged(event: $event) {
    attendance { checkInTime patron: patronByOrganizationIdAndPatronId { firstName lastName } } } }";
const ARRIVE: &str = "mutation($organization: UUID!, $event: UUID!, $patron: UUID!) {
    checkIn: benchArrive(input: { organization: $organization, event: $event, patron: $patron }) { attendance { id } } }";
const RECORD: &str = "mutation($scans: [ScanInput!]!) { recordScans(input: { scans: $scans }) { results { outcome error { code } } errors { message } } }";
/// Check-ins of one run at each rate.
const SECONDS: u64 = 10;
/// Scans of one batch, the devices that send them, and how many batches each sends.
const BATCH: usize = 500;
const DEVICES: usize = 8;
const ROUNDS: usize = 3;

/// What one load of subscribers came to.
pub struct Delivered {
    server: &'static str,
    subscribers: usize,
    rate: u64,
    p50: f64,
    p99: f64,
    deliveries: f64,
    processor: f64,
    memory: u64,
}

/// S1: subscribers of one event, while check-ins come at a rate. The limit writes the same rows and
/// broadcasts bytes that were serialized once.
pub async fn subscribers(
    server: &Server,
    data: &Data,
    evening: usize,
    subscribers: usize,
    rate: u64,
) -> Delivered {
    let event = data.evenings[evening];
    let (heard, mut hearing) = mpsc::unbounded_channel::<Instant>();
    let ready = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for _ in 0..subscribers {
        let mut socket = follow(server, data, event).await;
        let (heard, ready) = (heard.clone(), Arc::clone(&ready));
        tasks.push(tokio::spawn(async move {
            ready.fetch_add(1, Ordering::Relaxed);
            while let Some(Ok(message)) = socket.next().await {
                if let Message::Text(text) = message
                    && text.contains("checkInTime")
                {
                    let _ = heard.send(Instant::now());
                }
            }
        }));
    }
    while ready.load(Ordering::Relaxed) < subscribers {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // PostGraphile does not say when it listens.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = server.processor_time();
    let began = Instant::now();
    let mut pause =
        tokio::time::interval(Duration::from_secs(1) / u32::try_from(rate).expect("a rate"));
    let mut latencies = Vec::new();
    for patron in data
        .patrons
        .iter()
        .take(usize::try_from(rate * SECONDS).expect("a number"))
    {
        pause.tick().await;
        let sent = Instant::now();
        check_in(server, data, event, *patron).await;
        for _ in 0..subscribers {
            let heard = tokio::time::timeout(Duration::from_secs(30), hearing.recv());
            let heard = heard.await.expect("a delivery").expect("a subscriber");
            latencies.push((heard - sent).as_secs_f64() * 1000.0);
        }
    }
    let elapsed = began.elapsed().as_secs_f64();
    let used = server.processor_time().saturating_sub(before).as_secs_f64();
    let memory = server.memory().0;
    for task in tasks {
        task.abort();
    }
    latencies.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "a count of deliveries")]
    let deliveries = latencies.len() as f64;
    Delivered {
        server: server.name,
        subscribers,
        rate,
        p50: latencies[latencies.len() / 2],
        p99: latencies[latencies.len() * 99 / 100],
        deliveries: deliveries / elapsed,
        processor: used / deliveries * 1_000_000.0,
        memory,
    }
}

impl std::fmt::Display for Delivered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "S1 {}: {} subscribers, {} check-ins a second: p50 {:.1} ms, p99 {:.1} ms, {:.0} deliveries a second, {:.0} us of processor a delivery, {} MB",
            self.server,
            self.subscribers,
            self.rate,
            self.p50,
            self.p99,
            self.deliveries,
            self.processor,
            self.memory / 1_000_000
        )
    }
}

/// S2: a hundred thousand changes that a subscriber missed.
pub async fn replay(server: &Server, data: &Data, database: &str) {
    const CHANGES: i32 = 100_000;
    let body = json!({ "query": "query($event: ID!) { event(id: $event) { changeCursor } }",
        "variables": { "event": global(b'E', &json!(data.events[0])) } });
    let answer = post(&format!("{}/graphql", server.url), Some(&data.token), &body).await;
    let after = answer["data"]["event"]["changeCursor"].clone();
    let mut connection = PgConnection::connect(database).await.expect("the database");
    sqlx::query(
        "WITH counter AS (UPDATE change_counters SET last_sequence = last_sequence + $2 WHERE organization_id = $1 RETURNING last_sequence - $2 AS first)
         INSERT INTO changes (organization_id, sequence, kind, subject_id, event_id, patron_id, occurred_at, recorded_at, data)
         SELECT $1, first + n, 'attendance.checked_in', gen_random_uuid(), $3, $4, now(), now(), '{}' FROM counter, generate_series(1, $2) AS n",
    )
    .bind(data.organization)
    .bind(CHANGES)
    .bind(data.events[0])
    .bind(data.patrons[0])
    .execute(&mut connection)
    .await
    .expect("changes");
    let began = Instant::now();
    let mut socket = open(server, &data.token, FOLLOW_ALL, json!({ "after": after })).await;
    let mut heard = 0;
    while heard < CHANGES {
        let message = socket
            .next()
            .await
            .expect("an open socket")
            .expect("a message");
        let Message::Text(text) = message else {
            continue;
        };
        heard += i32::try_from(text.matches("\"sequence\"").count()).expect("a number");
    }
    println!(
        "S2 {}: {heard} changes in {:.1} s, memory {} MB",
        server.name,
        began.elapsed().as_secs_f64(),
        server.memory().0 / 1_000_000
    );
}

/// M2: several devices send what they kept, each of people of its own, in batches.
pub async fn batches(server: &Server, data: &Data, evening: usize) {
    let began = Instant::now();
    let people = data.patrons.chunks_exact(BATCH).take(DEVICES);
    let devices = people.enumerate().map(|(device, patrons)| {
        let events = data.evenings.clone();
        async move {
            let mut scans = 0;
            for round in 0..ROUNDS {
                let event = events[evening + device * ROUNDS + round];
                let scans_of = patrons.iter().map(|patron| {
                    json!({ "id": Uuid::now_v7(), "eventId": global(b'E', &json!(event)), "patronId": global(b'P', &json!(patron)),
                        "direction": "IN", "occurredAt": chrono::Utc::now() })
                });
                let body = json!({ "query": RECORD, "variables": { "scans": scans_of.collect::<Vec<_>>() } });
                let answer = post(&format!("{}/graphql", server.url), Some(&data.token), &body).await;
                let results = answer["data"]["recordScans"]["results"].as_array();
                let results = results.unwrap_or_else(|| panic!("{answer:#}"));
                assert!(results.iter().all(|result| result["outcome"] == "CHECKED_IN"), "{answer:#}");
                scans += results.len();
            }
            scans
        }
    });
    let scans: usize = futures_util::future::join_all(devices)
        .await
        .into_iter()
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "a count of scans")]
    let rate = scans as f64 / began.elapsed().as_secs_f64();
    println!(
        "M2 {}: {scans} scans in batches of {BATCH} from {DEVICES} devices, {rate:.0} a second",
        server.name
    );
}

/// Checks one patron in.
pub async fn check_in(server: &Server, data: &Data, event: Uuid, patron: Uuid) {
    let plain = json!({ "organization": data.organization, "event": event, "patron": patron });
    let url = format!("{}/graphql", server.url);
    let answer = match server.name {
        "limit" => post(&format!("{}/M1", server.url), None, &plain).await,
        "postgraphile" => {
            let body = json!({ "query": ARRIVE, "variables": plain });
            post(&url, None, &body).await
        }
        _ => {
            let variables = json!({ "event": global(b'E', &json!(event)), "patron": global(b'P', &json!(patron)) });
            let body = json!({ "query": CHECK_IN, "variables": variables });
            post(&url, Some(&data.token), &body).await
        }
    };
    let arrived = &answer["data"]["checkIn"];
    assert!(
        arrived["outcome"] == "CHECKED_IN" || arrived["attendance"].is_object(),
        "{answer:#}"
    );
}

async fn follow(server: &Server, data: &Data, event: Uuid) -> Socket {
    if server.name == "limit" {
        let url = format!("{}/live", server.url.replacen("http", "ws", 1));
        return connect_async(url).await.expect("a socket").0;
    }
    if server.name == "postgraphile" {
        return open(server, "", FOLLOW_ARRIVALS, json!({ "event": event })).await;
    }
    let mut socket = open(
        server,
        &data.token,
        FOLLOW,
        json!({ "event": global(b'E', &json!(event)) }),
    )
    .await;
    // The first batch says that it listens.
    while !matches!(&socket.next().await, Some(Ok(Message::Text(text))) if text.contains("\"next\""))
    {
    }
    socket
}

async fn open(server: &Server, token: &str, query: &str, variables: Value) -> Socket {
    let url = format!("{}/graphql", server.url.replacen("http", "ws", 1));
    let mut request = url.into_client_request().expect("a request");
    let protocol = "graphql-transport-ws".parse().expect("a header");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = connect_async(request).await.expect("a socket");
    let hello = json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } });
    let wish = json!({ "type": "subscribe", "id": "1", "payload": { "query": query, "variables": variables } });
    say(&mut socket, &hello).await;
    let acknowledged = socket.next().await.expect("an answer");
    acknowledged.expect("an acknowledgement");
    say(&mut socket, &wish).await;
    socket
}

async fn say(socket: &mut Socket, message: &Value) {
    let message = Message::text(message.to_string());
    socket.send(message).await.expect("to be heard");
}
