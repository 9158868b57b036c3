//! The load generator: `oha`, a process of its own, whose report is read.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Requests answered a second.
    pub rate: f64,
    /// Milliseconds within which half of the answers came.
    pub p50: f64,
    /// The same for 99 of a hundred.
    pub p99: f64,
}

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub enum Extent {
    /// For so long.
    Seconds(f64),
    /// So many.
    Requests(usize),
}

/// Where `oha` is; built from its registry the first time.
pub fn generator(tools: &Path) -> PathBuf {
    let path = tools.join("bin/oha");
    if !path.exists() {
        println!("installing oha ...");
        let mut install = Command::new("cargo");
        install.args([
            "install",
            "oha",
            "--version",
            "=1.16.0",
            "--locked",
            "--quiet",
            "--root",
        ]);
        let installed = install.arg(tools).status().expect("cargo");
        assert!(installed.success(), "oha could not be installed");
    }
    path
}

/// Sends `bodies`, one after another and, if there is time, over again.
///
/// # Panics
/// If an answer is not 200.
pub fn run(
    oha: &Path,
    url: &str,
    token: Option<&str>,
    bodies: &[String],
    connections: usize,
    extent: Extent,
) -> Run {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bodies.join("\n").as_bytes())
        .expect("the bodies");
    let mut command = Command::new(oha);
    command
        .args([
            "--no-tui",
            "--output-format",
            "json",
            "-m",
            "POST",
            "-T",
            "application/json",
        ])
        .args(["-H", "accept: application/json"])
        .args(["-c", &connections.to_string()])
        .arg("-Z")
        .arg(file.path());
    match extent {
        Extent::Seconds(seconds) => command.args(["-z", &format!("{}ms", seconds * 1000.0)]),
        Extent::Requests(count) => command.args(["-n", &count.to_string()]),
    };
    if let Some(token) = token {
        command.args(["-H", &format!("authorization: Bearer {token}")]);
    }
    let output = command.arg(url).output().expect("oha");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let statuses = report["statusCodeDistribution"]
        .as_object()
        .expect("statuses");
    assert!(
        statuses.keys().all(|status| status == "200") && !statuses.is_empty(),
        "{url}: {report:#}"
    );
    let milliseconds = |name: &str| {
        report["latencyPercentiles"][name]
            .as_f64()
            .unwrap_or(f64::NAN)
            * 1000.0
    };
    let answered: u64 = statuses.values().filter_map(Value::as_u64).sum();
    let total = report["summary"]["total"].as_f64().expect("a time");
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    Run {
        rate: answered as f64 / total,
        p50: milliseconds("p50"),
        p99: milliseconds("p99"),
    }
}
