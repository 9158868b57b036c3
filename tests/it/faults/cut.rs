//! Clients whose connections break in the middle of a request: what they began is ended, one way or
//! the other, and no connection to the database stays inside a transaction that nobody ends.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Connection, Executor, PgConnection};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{
    App, Backend, Client, TestDatabase,
    door::{CHECK_IN, Scan, at_once},
    on_each_database,
    services::slow_road,
};

on_each_database!(connections_cut_in_the_middle_leave_nothing_behind);

const CUTS: usize = 200;
/// Connections that are cut at about the same time.
const FEW: usize = 8;
const IN_TRANSACTION: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'rollcall' AND xact_start IS NOT NULL";
const READ: &str = "query($id: ID!) { event(id: $id) { attendances(first: 50) { nodes { state patron { name points } } } } }";

async fn connections_cut_in_the_middle_leave_nothing_behind(app: App) {
    // Few connections, so that each one that is stuck is missed; and far away, so that a request is
    // cut between its statements as often as anywhere.
    let url = far_away(&app.database).await;
    let variables = [
        ("ROLLCALL_DATABASE_CONNECTIONS", "4"),
        ("DATABASE_URL", &*url),
    ];
    let beside = app.beside(&variables).await;
    let near = app.owner("cut").await;
    let event = near.event("Jazz night", json!({})).await;
    let (patrons, more) = (near.patrons(CUTS).await, near.patrons(12).await);
    let owner = near.at(&format!("http://{}", beside.address()));
    let mut acknowledged = Vec::new();
    // A few at a time, so that each is cut at work and not while it stands in line; and looked at
    // after each few, because whoever uses a connection next may end what was left open on it.
    for (round, patrons) in patrons.chunks(FEW).enumerate() {
        let cuts = patrons.iter().enumerate().map(|(index, patron)| {
            let number = round * FEW + index;
            let scan = Scan::new(&event, patron, "IN", app.clock.now());
            let (owner, event) = (owner.clone(), event.clone());
            async move {
                // Moments spread over the time that a request takes, the same in every run.
                let moment = u64::try_from(number * 7919 % CUTS).expect("few");
                let moment = Duration::from_millis(moment);
                // Every other one only reads: what runs in the connection's own task ends with it.
                if number.is_multiple_of(2) {
                    cut(&owner, READ, json!({ "id": event }), moment).await;
                    return None;
                }
                let answer = cut(&owner, CHECK_IN, scan.of_check_in(), moment).await?;
                (answer["data"]["checkIn"]["outcome"] == "CHECKED_IN").then(|| scan.id.to_string())
            }
        });
        acknowledged.extend(at_once(cuts).await.into_iter().flatten());
        nobody_stays_in_a_transaction(&app.database).await;
    }

    // More than there are connections, and all of them are served.
    let served = at_once(more.into_iter().map(|patron| {
        let (owner, event) = (owner.again(), event.clone());
        async move { owner.check_in(&event, &patron).await }
    }));
    assert_eq!(served.await, ["CHECKED_IN"; 12]);
    let kept = app.database.scan_ids().await;
    assert!(
        kept.len() > 12 + acknowledged.len(),
        "the control: none was cut before its answer"
    );
    for id in acknowledged {
        assert!(kept.contains(&id), "{id} was acknowledged and is not there");
    }
    app.database.must_be_consistent().await;
    beside.stop().await;
    app.stop().await;
}

/// Sends a request and breaks the connection at a moment; the answer, if it came before.
async fn cut(client: &Client, query: &str, variables: Value, moment: Duration) -> Option<Value> {
    let address = client.url.trim_start_matches("http://");
    let body = json!({ "query": query, "variables": variables }).to_string();
    let token = client.token.as_deref().expect("a token");
    let request = format!(
        "POST /graphql HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("a request");
    let mut answer = vec![0; 64 * 1024];
    let read = tokio::time::timeout(moment, stream.read(&mut answer)).await;
    // Dropped with a reset, and not with a goodbye.
    stream.set_zero_linger().expect("a socket");
    let text = String::from_utf8_lossy(&answer[..read.ok()?.ok()?]).into_owned();
    serde_json::from_str(text.split_once("\r\n\r\n")?.1).ok()
}

/// The same database behind a slow road; a file has none.
async fn far_away(database: &TestDatabase) -> String {
    let url = database.url();
    if database.backend() == Backend::Sqlite {
        return url;
    }
    let (login, rest) = url.split_once('@').expect("a login");
    let (server, name) = rest.split_once('/').expect("a name");
    let road = slow_road(server.to_owned(), Duration::from_millis(4)).await;
    format!("{login}@{road}/{name}")
}

/// Waits for what still runs to its end. SQLite has no such list: there the next writes tell.
async fn nobody_stays_in_a_transaction(database: &TestDatabase) {
    if database.backend() == Backend::Sqlite {
        return;
    }
    let ended = async {
        while database.number(IN_TRANSACTION).await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // Shorter than PostgreSQL's own limit for idle transactions, which would hide them.
    tokio::time::timeout(Duration::from_secs(8), ended)
        .await
        .expect("no transaction stays open");
}

/// The control of the above: a transaction that is left open is seen.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_stays_open_is_seen() {
    let Some(database) = TestDatabase::create(Backend::Postgres).await else {
        return;
    };
    let url = format!("{}?application_name=rollcall", database.url());
    let mut connection = PgConnection::connect(&url).await.expect("the database");
    assert_eq!(database.number(IN_TRANSACTION).await, 0);
    connection.execute("BEGIN").await.expect("a transaction");
    assert_eq!(database.number(IN_TRANSACTION).await, 1);
}
