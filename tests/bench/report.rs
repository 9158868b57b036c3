//! What is printed, and what is saved.

use std::{fmt::Write as _, path::Path, process::Command};

use serde_json::json;

use crate::{
    load::Run,
    operations::{OPERATIONS, Operation, SERVERS},
    servers::Server,
};

/// One run of one operation against one server.
pub struct Measured {
    /// What the tables call the operation.
    pub operation: &'static str,
    /// What they call the server.
    pub server: &'static str,
    /// At a time.
    pub connections: usize,
    /// What it came to.
    pub run: Run,
    /// Bytes that the server used at most meanwhile.
    pub memory: u64,
}

/// What the figures were taken on.
pub struct Machine(String);

impl Machine {
    /// Looks at this one.
    pub fn look() -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = information
            .lines()
            .find_map(|line| line.strip_prefix("model name"));
        let model = model
            .unwrap_or("unknown")
            .trim_start_matches([' ', '\t', ':']);
        let kernel = Command::new("uname").arg("-sr").output();
        let kernel = kernel.map_or_else(
            |_| String::new(),
            |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        );
        Self(format!(
            "{cores} x {model}, {kernel}; servers, database and load generator share it"
        ))
    }
}

/// Tells how an operation went at one number of connections, while the rest still runs.
pub fn line(operation: &Operation, connections: usize, measured: &[Measured]) {
    let mut line = format!("{} c={connections:<3}", operation.name);
    for &server in SERVERS {
        if let Some(figures) = Figures::of(operation.name, server, connections, measured) {
            write!(line, "  {server} {:.0}/s", figures.rate).expect("memory");
        }
    }
    println!("{line}");
}

/// Prints the table: rates with their spread, ratios, percentiles.
pub fn print(
    machine: &Machine,
    servers: &[Server],
    measured: &[Measured],
    statements: &[(&str, u64)],
) {
    println!("\n{}\n", machine.0);
    println!(
        "| | c | rollcall/s (spread) | statements | p50 / p99 ms | of the limit | p99 of the limit's | x PostGraphile | x Mercurius | MB at most |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let mut connections: Vec<usize> = measured.iter().map(|one| one.connections).collect();
    connections.sort_unstable();
    connections.dedup();
    for operation in OPERATIONS {
        let told = statements.iter().find(|(name, _)| *name == operation.name);
        let run = told.map_or(0, |(_, run)| *run);
        for &connections in &connections {
            let of = |server| Figures::of(operation.name, server, connections, measured);
            let Some(ours) = of("rollcall") else { continue };
            let ratio = |server, value: fn(&Figures) -> f64| {
                of(server).map_or("-".to_owned(), |theirs: Figures| {
                    format!("{:.2}", value(&ours) / value(&theirs))
                })
            };
            println!(
                "| {} {} | {connections} | {:.0} ({:.0}-{:.0}) | {run} | {:.1} / {:.1} | {} | {} | {} | {} | {:.0} |",
                operation.name,
                operation.title,
                ours.rate,
                ours.least,
                ours.most,
                ours.p50,
                ours.p99,
                ratio("limit", |figures| figures.rate),
                ratio("limit", |figures| figures.p99),
                ratio("postgraphile", |figures| figures.rate),
                ratio("mercurius", |figures| figures.rate),
                ours.memory / 1e6,
            );
        }
    }
    println!();
    for server in servers {
        let (now, peak) = server.memory();
        println!(
            "{}: start to first answer {} ms, memory {} MB then, {} MB now, at most {} MB",
            server.name,
            server.started_in.as_millis(),
            server.idle / 1_000_000,
            now / 1_000_000,
            peak / 1_000_000
        );
    }
}

/// Writes every run as JSON.
pub fn save(path: &Path, servers: &[Server], measured: &[Measured]) {
    let runs: Vec<_> = measured
        .iter()
        .map(|one| {
            json!({ "operation": one.operation, "server": one.server, "connections": one.connections,
                "rate": one.run.rate, "p50": one.run.p50, "p99": one.run.p99, "memoryAtMost": one.memory })
        })
        .collect();
    let servers: Vec<_> = servers
        .iter()
        .map(|server| {
            let (now, peak) = server.memory();
            json!({ "server": server.name, "startMilliseconds": server.started_in.as_millis(), "memoryIdle": server.idle, "memory": now, "memoryAtMost": peak })
        })
        .collect();
    let report = json!({ "machine": Machine::look().0, "runs": runs, "servers": servers });
    std::fs::write(path, report.to_string()).expect("the report");
    println!("\nEvery run: {}", path.display());
}

/// Medians over the rounds.
struct Figures {
    rate: f64,
    least: f64,
    most: f64,
    p50: f64,
    p99: f64,
    memory: f64,
}

/// The one in the middle.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Figures {
    fn of(
        operation: &str,
        server: &str,
        connections: usize,
        measured: &[Measured],
    ) -> Option<Self> {
        let runs = measured.iter().filter(|one| {
            one.operation == operation && one.server == server && one.connections == connections
        });
        let runs: Vec<&Measured> = runs.collect();
        let all =
            |value: fn(&Measured) -> f64| runs.iter().map(|one| value(one)).collect::<Vec<_>>();
        let rates = all(|one| one.run.rate);
        #[expect(clippy::cast_precision_loss, reason = "a count of bytes")]
        let memory = all(|one| one.memory as f64);
        (!runs.is_empty()).then(|| Self {
            rate: median(&rates),
            least: rates.iter().copied().fold(f64::INFINITY, f64::min),
            most: rates.iter().copied().fold(0.0, f64::max),
            p50: median(&all(|one| one.run.p50)),
            p99: median(&all(|one| one.run.p99)),
            memory: memory.into_iter().fold(0.0, f64::max),
        })
    }
}
