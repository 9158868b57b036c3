//! Clients that begin a request and never end its header.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{App, Backend, TestDatabase, process::Process};

const COMPLETE: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: rollcall\r\n\r\n";
const UNFINISHED: &[u8] = b"POST /graphql HTTP/1.1\r\nHost: rollcall\r\nX-Slow: ";

async fn connect(url: &str, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://"))
        .await
        .expect("a connection");
    stream.write_all(bytes).await.expect("it is taken");
    stream
}

/// Reads one answer of a connection that stays open.
async fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4096];
    let length = stream.read(&mut bytes).await.expect("an answer");
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

/// Waits until the server has closed the connection.
async fn closed(mut stream: impl AsyncRead + Unpin) {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(90), stream.read_to_end(&mut rest));
    // A connection that is reset is closed, too.
    drop(read.await.expect("it is closed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_never_ends_is_not_waited_for() {
    let app = App::start(Backend::Sqlite)
        .await
        .expect("SQLite needs nothing");
    let (silent, stuck) = (
        connect(&app.url, b"").await,
        connect(&app.url, UNFINISHED).await,
    );
    // Bytes that trickle in earn no time.
    let (reader, mut writer) = connect(&app.url, UNFINISHED).await.into_split();
    let trickle = tokio::spawn(async move {
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    let mut second = connect(&app.url, COMPLETE).await;
    assert!(answer(&mut second).await.starts_with("HTTP/1.1 200"));
    second.write_all(UNFINISHED).await.expect("it is taken");
    let began = Instant::now();
    tokio::join!(
        closed(silent),
        closed(stuck),
        closed(second),
        closed(reader)
    );
    assert!(
        began.elapsed() > Duration::from_mins(1),
        "the control: it was the deadline that closed them"
    );
    trickle.abort();
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_no_header() {
    let database = TestDatabase::create(Backend::Sqlite)
        .await
        .expect("SQLite needs nothing");
    let process = Process::start(&[("DATABASE_URL", &database.url())]);
    let mut idle = connect(&process.url, COMPLETE).await;
    assert!(answer(&mut idle).await.starts_with("HTTP/1.1 200"));
    let mut second = connect(&process.url, COMPLETE).await;
    assert!(answer(&mut second).await.starts_with("HTTP/1.1 200"));
    second.write_all(UNFINISHED).await.expect("it is taken");
    let (silent, stuck) = (
        connect(&process.url, b"").await,
        connect(&process.url, UNFINISHED).await,
    );
    // So that the server has seen what was sent.
    tokio::time::sleep(Duration::from_millis(200)).await;
    process.ask_to_stop();
    let ended = tokio::time::timeout(Duration::from_secs(3), process.ended()).await;
    assert!(ended.expect("it ends at once"));
    tokio::join!(closed(idle), closed(second), closed(silent), closed(stuck));
}
