//! Documents and bodies made to hurt, on every road to the schema, against the real process: each
//! is refused with a code, and afterwards the door checks people in as before.

use std::{fmt::Write, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::harness::{
    Backend, Client, TestDatabase,
    process::Process,
    socket::{Heard, Subscription},
};

/// Bytes that the process may keep of all that was sent to it: 64 MiB, a few of its largest bodies.
const KEPT: u64 = 64 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread")]
async fn hostile_documents_are_refused_on_every_road() {
    let door = Door::open().await;
    let documents = documents();
    let mut settled = 0;
    for pass in 0..3 {
        for (code, name, document) in &documents {
            let body = json!({ "query": document }).to_string();
            assert_eq!(door.post("application/json", &body).await, *code, "{name}");
            refused(
                name,
                "event stream",
                &door.post("text/event-stream", &body).await,
            );
            refused(name, "GET", &door.get(document).await);
            refused(
                name,
                "socket",
                &door.socket(&json!({ "query": document })).await,
            );
        }
        door.checks_in().await;
        if pass == 0 {
            // What it holds from here on it holds for good: caches are warm, arenas are there.
            settled = door.memory();
        }
    }
    assert!(
        door.memory() < settled + KEPT,
        "{} bytes became {}",
        settled,
        door.memory()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bodies_are_refused() {
    let door = Door::open().await;
    let before = door.memory();
    let slow = tokio::spawn(byte_by_byte(door.address()));
    let deep = format!(
        "{{\"query\":\"query($v: [Int]) {{ __typename }}\",\"variables\":{{\"v\":{}{}}}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    refused(
        "deep variables",
        "POST",
        &door.post("application/json", &deep).await,
    );
    let operations = vec![json!({ "query": "{ __typename }" }); 5_000];
    refused(
        "a batch",
        "POST",
        &door
            .post("application/json", &json!(operations).to_string())
            .await,
    );
    assert_eq!(door.socket(&json!(operations[..500])).await, "4400");
    let large = json!({ "query": "{ __typename }", "variables": { "v": "x".repeat(70_000) } });
    refused("a message of 70 kB", "socket", &door.socket(&large).await);

    let announced = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 30000000\r\n\r\n{".to_vec();
    refused(
        "30 MB, announced",
        "POST",
        &talk(&door.address(), announced, 0).await,
    );
    refused(
        "30 MB, not announced",
        "POST",
        &talk(&door.address(), CHUNKED.to_vec(), 30).await,
    );
    door.checks_in().await;
    refused(
        "a body byte by byte",
        "POST",
        &slow.await.expect("no panic"),
    );
    door.checks_in().await;
    assert!(
        door.memory() < before + KEPT,
        "{} bytes became {}",
        before,
        door.memory()
    );
}

/// Five large bodies that do not end: there is memory set aside for four.
#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_take_turns() {
    let door = Door::open().await;
    let address = door.address();
    let uploads = (0..5).map(|_| talk(&address, CHUNKED.to_vec(), 2));
    let all = futures_util::future::join_all(uploads);
    let (mut codes, ()) = tokio::join!(all, door.checks_in());
    codes.sort_unstable();
    assert_eq!(
        codes,
        [
            "BODY_TOO_SLOW",
            "BODY_TOO_SLOW",
            "BODY_TOO_SLOW",
            "BODY_TOO_SLOW",
            "UNAVAILABLE"
        ]
    );
    let large = format!(
        "{}{{ \"query\": \"{{ __typename }}\" }}",
        " ".repeat(2_000_000)
    );
    let request = door
        .http
        .post(format!("{}/graphql", door.process.url))
        .header("content-type", "application/json");
    let answer = request.body(large).send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "the turns were given back");
}

const CHUNKED: &[u8] = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

/// Documents, each beyond a limit, with the code that says which.
fn documents() -> Vec<(&'static str, &'static str, String)> {
    let nested =
        |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    let many =
        |count: usize, piece: &dyn Fn(usize) -> String| (0..count).map(piece).collect::<String>();
    let (lists, objects) = (nested("[", "]"), nested("{a:", "}"));
    vec![
        ("DOCUMENT_TOO_DEEP", "lists in an argument", format!("{{ event(id: {lists}) {{ id }} }}")),
        ("DOCUMENT_TOO_DEEP", "objects in an argument", format!("{{ event(id: {objects}) {{ id }} }}")),
        ("DOCUMENT_TOO_DEEP", "lists in a directive", format!("{{ __typename @skip(if: {lists}) }}")),
        ("DOCUMENT_TOO_DEEP", "lists in a default", format!("query($v: Int = {lists}) {{ __typename }}")),
        ("DOCUMENT_TOO_DEEP", "objects in a default", format!("query($v: Int = {objects}) {{ __typename }}")),
        ("DOCUMENT_TOO_DEEP", "types in a variable", format!("query($v: {}) {{ __typename }}", nested("[", "]").replacen("[]", "[Int]", 1))),
        ("DOCUMENT_TOO_DEEP", "selections", format!("{{ {} __typename {} }}", "organization { ".repeat(3_000), "}".repeat(3_000))),
        ("DOCUMENT_TOO_DEEP", "inline fragments", format!("{{ {} __typename {} }}", "... { ".repeat(5_000), "}".repeat(5_000))),
        ("GRAPHQL_PARSE_FAILED", "a string without an end", format!("{{ event(id: \"\"\"\" {lists}")),
        ("TOO_MANY_TOKENS", "2,000 aliases", format!("{{ {} }}", many(2_000, &|number| format!("a{number}: viewer {{ __typename }} ")))),
        ("DOCUMENT_TOO_LARGE", "50,000 aliases of __typename", format!("{{ {} }}", many(50_000, &|number| format!("a{number}:__typename ")))),
        ("TOO_MANY_ALIASES", "400 aliases of __typename", format!("{{ {} }}", many(400, &|number| format!("a{number}:__typename ")))),
        ("QUERY_TOO_COMPLEX", "fragments that double", format!("{{ ...F0 }} {} fragment F30 on Query {{ __typename }}", many(30, &|number| format!("fragment F{number} on Query {{ ...F{next} ...F{next} }} ", next = number + 1)))),
        ("FRAGMENT_CYCLE", "a fragment in itself", "{ ...F } fragment F on Query { ...F }".to_owned()),
        ("DOCUMENT_TOO_DEEP", "a ring of fragments", format!("{{ ...F0 }} {}", many(50, &|number| format!("fragment F{number} on Query {{ ...F{} }} ", (number + 1) % 50)))),
        ("DOCUMENT_TOO_LARGE", "50,000 variables", format!("query({}) {{ __typename }}", many(50_000, &|number| format!("$v{number}:Int ")))),
        ("TOO_MANY_TOKENS", "600 variables that nobody uses", format!("query({}) {{ __typename }}", many(600, &|number| format!("$v{number}:Int ")))),
        ("DOCUMENT_TOO_LARGE", "10,000 directives", format!("query {} {{ __typename }}", "@skip(if: true) ".repeat(10_000))),
        ("GRAPHQL_VALIDATION_FAILED", "900 directives that are none", format!("query {} {{ __typename }}", "@no ".repeat(900))),
        ("DOCUMENT_TOO_LARGE", "5,000 operations", many(5_000, &|number| format!("query Q{number} {{ __typename }} "))),
        ("QUERY_TOO_COMPLEX", "pages of pages of pages", "{ patrons(first: 100) { nodes { attendances(first: 100) { nodes { event { attendances(first: 100) { nodes { id } } } } } } } }".to_owned()),
        ("QUERY_TOO_COMPLEX", "the schema of the schema", "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }".to_owned()),
    ]
}

/// A door that works, and must go on working.
struct Door {
    process: Process,
    owner: Client,
    event: String,
    http: reqwest::Client,
    _database: TestDatabase,
}

impl Door {
    async fn open() -> Self {
        let database = TestDatabase::create(Backend::Sqlite)
            .await
            .expect("SQLite needs nothing");
        let process = Process::start(&[("DATABASE_URL", &database.url())]);
        let owner = process.anonymous().founder("hostile").await;
        let event = owner.event("Jazz night", json!({})).await;
        Self {
            process,
            owner,
            event,
            http: reqwest::Client::new(),
            _database: database,
        }
    }

    async fn checks_in(&self) {
        let patron = self.owner.patron("Ada").await;
        assert_eq!(
            self.owner.check_in(&self.event, &patron).await,
            "CHECKED_IN"
        );
    }

    /// Bytes of its memory that are in use.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        // Told by Linux alone; elsewhere nothing is known, and nothing grows.
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes =
            line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kilobytes.unwrap_or_default() * 1024
    }

    fn address(&self) -> String {
        self.process.url.replacen("http://", "", 1)
    }

    async fn post(&self, accept: &str, body: &str) -> String {
        let request = self
            .http
            .post(format!("{}/graphql", self.process.url))
            .timeout(PATIENCE);
        let request = request
            .header("content-type", "application/json")
            .header("accept", accept);
        let answer = request
            .body(body.to_owned())
            .send()
            .await
            .expect("an answer");
        code(&answer.text().await.expect("text"))
    }

    async fn get(&self, document: &str) -> String {
        let mut encoded = String::new();
        for byte in document.bytes() {
            write!(encoded, "%{byte:02X}").expect("memory");
        }
        let request = self
            .http
            .get(format!("{}/graphql?query={encoded}", self.process.url))
            .timeout(PATIENCE);
        match request.send().await {
            // The address itself is too long: HTTP has a status for that, and nobody reads further.
            Ok(answer) if matches!(answer.status().as_u16(), 414 | 431) => {
                answer.status().as_str().to_owned()
            }
            Ok(answer) => code(&answer.text().await.expect("text")),
            Err(_) if encoded.len() > 64 * 1024 => "414".to_owned(),
            Err(error) => panic!("{error}"),
        }
    }

    /// The code of a refusal, or of the close.
    async fn socket(&self, payload: &Value) -> String {
        let mut subscription = Subscription::open_with(&self.owner, payload).await;
        match subscription.next(PATIENCE).await {
            Heard::Error(errors) => code(&json!({ "errors": errors }).to_string()),
            // A message that is too large is not read to its end: the close may overtake it, or the
            // connection break off under it.
            Heard::Closed(1006) if payload.to_string().len() > 64 * 1024 => "1009".to_owned(),
            Heard::Closed(code) => code.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

/// Says something to a server, then so many chunks of a megabyte, and gives the code of the answer.
async fn talk(address: &str, head: Vec<u8>, megabytes: usize) -> String {
    let (mut reader, mut writer) = TcpStream::connect(address)
        .await
        .expect("a connection")
        .into_split();
    let talking = tokio::spawn(async move {
        writer.write_all(&head).await?;
        let chunk = [
            b"100000\r\n".to_vec(),
            vec![b' '; 0x10_0000],
            b"\r\n".to_vec(),
        ]
        .concat();
        for _ in 0..megabytes {
            writer.write_all(&chunk).await?;
        }
        // Held open: an end would be an answer of its own.
        std::future::pending::<std::io::Result<()>>().await
    });
    let answer = body(&mut reader).await;
    talking.abort();
    code(&answer)
}

async fn byte_by_byte(address: String) -> String {
    let (mut reader, mut writer) = TcpStream::connect(address)
        .await
        .expect("a connection")
        .into_split();
    writer.write_all(b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n").await.expect("a head");
    let dripping = tokio::spawn(async move {
        while writer.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let answer = body(&mut reader).await;
    dripping.abort();
    code(&answer)
}

/// The body of the one answer that comes, after which the connection is closed or broken off.
async fn body(reader: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut bytes = Vec::new();
    let read = async {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut buffer).await {
            bytes.extend_from_slice(&buffer[..count]);
        }
    };
    tokio::time::timeout(PATIENCE, read)
        .await
        .expect("the connection is closed");
    let text = String::from_utf8(bytes).expect("text");
    text.split_once("\r\n\r\n").expect("an answer").1.to_owned()
}

/// The code of an answer that is nothing but a refusal.
fn code(body: &str) -> String {
    let json = body
        .lines()
        .map(|line| line.trim_start_matches("data: "))
        .find(|line| line.starts_with('{'));
    let answer: Value = serde_json::from_str(json.expect(body)).expect(body);
    assert!(answer.get("data").is_none(), "{answer:#}");
    assert!(
        answer["errors"]
            .as_array()
            .is_some_and(|errors| (1..=10).contains(&errors.len())),
        "{answer:#}"
    );
    answer["errors"][0]["extensions"]["code"]
        .as_str()
        .expect("a code")
        .to_owned()
}

fn refused(name: &str, road: &str, code: &str) {
    let known = [
        "BAD_REQUEST",
        "BODY_TOO_LARGE",
        "BODY_TOO_SLOW",
        "DOCUMENT_TOO_DEEP",
        "DOCUMENT_TOO_LARGE",
        "FRAGMENT_CYCLE",
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "QUERY_TOO_COMPLEX",
        "TOO_MANY_ALIASES",
        "TOO_MANY_ROOT_FIELDS",
        "TOO_MANY_TOKENS",
        "414",
        "431",
        "1009",
    ];
    assert!(known.contains(&code), "{name} by {road}: {code}");
}
