//! Speed, measured against what a user would pick instead and against what the database allows.
//!
//! `cargo bench -p tests` builds the release binary, fetches the peers and the load generator from
//! their registries, makes the data set in a database of its own, compares the answers of all
//! servers, runs them interleaved, and prints a table; the same goes to `target/bench.json`. It
//! needs PostgreSQL (`TEST_DATABASE_URL`, or the standard port) and about a quarter of an hour.

#![expect(
    clippy::disallowed_methods,
    reason = "looks at the product, its clock and its database from outside"
)]

mod beside;
mod data;
mod embedded;
mod limit;
mod live;
mod load;
mod operations;
mod report;
mod servers;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use clap::Parser;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use data::Data;
use load::Run;
use operations::{OPERATIONS, Operation, SERVERS, canonical};
use report::{Machine, Measured};
use servers::Server;

/// Speed, measured against what a user would pick instead and against what the database allows.
#[derive(Parser)]
struct Arguments {
    /// Rounds; medians are over them
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds of one run
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Connections at a time
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    connections: Vec<usize>,
    /// Operations; besides those of the tables, C (check-ins beside a list), S (subscribers, replay,
    /// batches), E (all that reads, on SQLite) and G (ten times the rows: a quarter of an hour more); all but G when left out
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Servers; all when left out
    #[arg(long, value_delimiter = ',')]
    servers: Vec<String>,
    /// How many times the usual data set
    #[arg(long, default_value_t = 1)]
    scale: i32,
    /// Measure this binary instead of building one
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Serve the limit on this database: what the benchmark starts itself with
    #[arg(long, hide = true)]
    limit: Option<String>,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    if let Some(database) = &arguments.limit {
        return limit::serve(database).await;
    }
    let places = Places::prepare(arguments.binary.clone());
    let oha = load::generator(&places.target.join("bench-tools"));
    let admin = std::env::var("TEST_DATABASE_URL")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    let (rollcall, url) = places.rollcall_on(&admin, "rollcall_bench").await;
    println!("making the data set ...");
    let data = data::fill(&url, &rollcall, arguments.scale).await;
    let mut connection = PgConnection::connect(&url).await.expect("the database");
    for sql in [limit::FUNCTION, include_str!("peers/functions.sql")] {
        connection
            .execute(AssertSqlSafe(sql))
            .await
            .expect("functions");
    }
    let mut servers = vec![rollcall];
    for &name in SERVERS {
        let wanted =
            arguments.servers.is_empty() || arguments.servers.iter().any(|server| server == name);
        if name != "rollcall" && wanted {
            servers.push(places.start(name, &url).await);
        }
    }
    servers.sort_by_key(|server| SERVERS.iter().position(|&name| name == server.name));

    let report = places.target.join("bench.json");
    measure(&arguments, &oha, &servers, &data, EVENINGS, &report).await;
    // What a server with autovacuum does by itself, after so many check-ins.
    connection
        .execute("VACUUM ANALYZE")
        .await
        .expect("a vacuum");
    let load = Load {
        oha: &oha,
        connections: 16,
        seconds: arguments.seconds,
    };
    let asked =
        |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    if asked("C") {
        beside::during_check_ins(load, arguments.rounds, ours(&servers), &data);
    }
    if asked("S") {
        live_operations(&servers, &data, &url).await;
    }
    if arguments.only.iter().any(|name| name == "G") {
        println!("making ten times the data set ...");
        let (large, url) = places.rollcall_on(&admin, "rollcall_bench_large").await;
        let larger = data::fill(&url, &large, arguments.scale * 10).await;
        let both = [(ours(&servers), &data), (&large, &larger)];
        beside::ten_times_the_rows(load, arguments.rounds, both);
    }
    if asked("E") {
        println!("copying the data set into SQLite ...");
        let directory = tempfile::tempdir().expect("a directory");
        let servers = places.embedded(directory.path(), &url).await;
        let report = places.target.join("bench-sqlite.json");
        measure(
            &arguments,
            &oha,
            &servers,
            &data,
            EMBEDDED_EVENINGS,
            &report,
        )
        .await;
    }
}

/// Compares the servers' answers, runs every operation that is asked for against each in turn, and
/// reports. Check-ins are at the first `evenings`, from the last of them on.
async fn measure(
    arguments: &Arguments,
    oha: &Path,
    servers: &[Server],
    data: &Data,
    evenings: usize,
    report: &Path,
) {
    let wanted = |operation: &&Operation| {
        arguments.only.is_empty() || arguments.only.iter().any(|name| name == operation.name)
    };
    let mut measured = Vec::new();
    let mut statements = Vec::new();
    for operation in OPERATIONS.iter().filter(wanted) {
        let mut variables = operation.variables(data, evenings);
        if !operation.writes {
            compare(operation, servers, data, &variables).await;
        }
        let first = variables.first().cloned().unwrap_or_default();
        let answer = ask(operation, ours(servers), data, &first).await;
        let told = answer["extensions"]["cost"]["statements"].as_u64();
        statements.push((operation.name, told.unwrap_or_default()));
        for &connections in &arguments.connections {
            for _ in 0..arguments.rounds {
                for server in servers {
                    let sets = if operation.writes {
                        variables.split_off(variables.len().saturating_sub(WRITES))
                    } else {
                        variables.clone()
                    };
                    let load = Load {
                        oha,
                        connections,
                        seconds: arguments.seconds,
                    };
                    server.forget_peak();
                    let run = load.put_on(server, operation, &sets, data);
                    measured.push(Measured {
                        operation: operation.name,
                        server: server.name,
                        connections,
                        run,
                        memory: server.memory().1,
                    });
                }
            }
            report::line(operation, connections, &measured);
        }
    }
    report::print(&Machine::look(), servers, &measured, &statements);
    report::save(report, servers, &measured);
}

/// Evenings at which check-ins are measured. Those of the embedded database's copy must be empty
/// still, and the others are kept for subscribers and batches.
const EVENINGS: usize = 58;
const EMBEDDED_EVENINGS: usize = 18;

/// Subscribers, replay and batches: each at evenings that no check-in was measured at.
async fn live_operations(servers: &[Server], data: &Data, url: &str) {
    let mut evenings = (EVENINGS..data.evenings.len()).rev();
    for server in servers {
        let loads: &[(usize, u64)] = match server.name {
            "limit" | "rollcall" => &[(1000, 5), (1000, 40), (100, 40)],
            "postgraphile" => &[(1000, 5), (1000, 40)],
            // Its requests alone are compared.
            _ => &[],
        };
        for &(subscribers, rate) in loads {
            let evening = evenings.next().expect("an evening");
            println!(
                "{}",
                live::subscribers(server, data, evening, subscribers, rate).await
            );
        }
    }
    live::batches(ours(servers), data, EVENINGS).await;
    live::replay(ours(servers), data, url).await;
}

/// Check-ins of one run: each of another patron, or at another event.
const WRITES: usize = 5000;

/// How an operation is run.
#[derive(Clone, Copy)]
struct Load<'a> {
    oha: &'a Path,
    connections: usize,
    seconds: f64,
}

impl Load<'_> {
    fn put_on(self, server: &Server, operation: &Operation, sets: &[Value], data: &Data) -> Run {
        let bodies: Vec<String> = sets
            .iter()
            .map(|set| operation.body(server.name, set).to_string())
            .collect();
        let url = format!("{}{}", server.url, operation.path(server.name));
        let token = (server.name == "rollcall").then_some(&*data.token);
        let extent = if operation.writes {
            load::Extent::Requests(bodies.len())
        } else {
            load::Extent::Seconds(self.seconds)
        };
        load::run(self.oha, &url, token, &bodies, self.connections, extent)
    }
}

/// A faster wrong answer does not count.
async fn compare(operation: &Operation, servers: &[Server], data: &Data, variables: &[Value]) {
    for set in variables.iter().take(10) {
        let mut expected: Option<(&str, Value)> = None;
        for server in servers {
            let answer = ask(operation, server, data, set).await;
            assert!(
                answer.get("errors").is_none(),
                "{}: {answer:#}",
                server.name
            );
            let answer = canonical(&answer["data"]);
            match &expected {
                None => expected = Some((server.name, answer)),
                Some((name, expected)) => assert!(
                    answer == *expected,
                    "{} of {} and {name} differ:\n{answer:#}\n{expected:#}",
                    operation.name,
                    server.name
                ),
            }
        }
    }
}

async fn ask(operation: &Operation, server: &Server, data: &Data, variables: &Value) -> Value {
    let url = format!("{}{}", server.url, operation.path(server.name));
    let token = (server.name == "rollcall").then_some(&*data.token);
    servers::post(&url, token, &operation.body(server.name, variables)).await
}

fn ours(servers: &[Server]) -> &Server {
    let mut servers = servers.iter();
    let rollcall = servers.find(|server| server.name == "rollcall");
    rollcall.expect("Rollcall runs")
}

/// Where things are.
struct Places {
    target: PathBuf,
    peers: PathBuf,
    rollcall: PathBuf,
}

impl Places {
    /// Builds the binary, unless there is one, and fetches the peers.
    fn prepare(binary: Option<PathBuf>) -> Self {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let root = here.parent().expect("the workspace").to_owned();
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        if binary.is_none() {
            run(Command::new("cargo")
                .args(["build", "--release", "--quiet", "-p", "api"])
                .current_dir(&root));
        }
        let peers = here.join("bench/peers");
        run(Command::new("npm")
            .args(["ci", "--silent"])
            .current_dir(&peers));
        Self {
            rollcall: binary.unwrap_or_else(|| target.join("release/rollcall")),
            target,
            peers,
        }
    }

    /// Rollcall on an empty database of this name, and the database's URL.
    async fn rollcall_on(&self, admin: &str, name: &str) -> (Server, String) {
        let url = data::create(admin, name).await;
        run(Command::new(&self.rollcall)
            .arg("migrate")
            .env("DATABASE_URL", &url));
        let mut command = Command::new(&self.rollcall);
        command.arg("serve").env("DATABASE_URL", &url);
        (Server::start("rollcall", command, "/readyz").await, url)
    }

    /// Rollcall and the limit on the rows of `url`, copied into a file in `directory`.
    async fn embedded(&self, directory: &Path, url: &str) -> Vec<Server> {
        let file = directory.join("rollcall.db");
        let embedded = format!("sqlite:{}", file.display());
        let rollcall = |verb| {
            let mut command = Command::new(&self.rollcall);
            command.arg(verb).env("DATABASE_URL", &embedded);
            command
        };
        run(&mut rollcall("migrate"));
        embedded::copy(url, &file).await;
        vec![
            self.start("limit", &embedded).await,
            Server::start("rollcall", rollcall("serve"), "/readyz").await,
        ]
    }

    async fn start(&self, name: &'static str, url: &str) -> Server {
        let mut command = match name {
            "limit" => {
                let mut command = Command::new(std::env::current_exe().expect("this program"));
                command.args(["--limit", url]);
                command
            }
            _ => servers::node(&self.peers, &format!("{name}.mjs")),
        };
        command.env("DATABASE_URL", url);
        Server::start(name, command, "/").await
    }
}

fn run(command: &mut Command) {
    let status = command
        .status()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?} failed");
}
