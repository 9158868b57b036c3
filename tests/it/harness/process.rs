//! The real binary as a process of its own: what is killed has to be real.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use super::{Client, services::signal};

/// A running `rollcall serve`.
pub struct Process {
    child: Child,
    /// Where it listens.
    pub url: String,
}

impl Process {
    /// Starts the binary with these variables and nothing else of ours, and waits until it listens.
    pub fn start(variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binary());
        command
            .arg("serve")
            .env_remove("DATABASE_URL")
            .env_remove("REDIS_URL");
        command
            .env("ROLLCALL_LISTEN", "127.0.0.1:0")
            .env("ROLLCALL_RATE_LIMITS", "off")
            .envs(variables.iter().copied());
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut log = BufReader::new(child.stderr.take().expect("a log"));
        let began = Instant::now();
        let address = loop {
            let mut line = String::new();
            assert!(
                log.read_line(&mut line).expect("a log") > 0,
                "the server ended before it listened"
            );
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "the server did not come up"
            );
            let entry: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if entry["fields"]["message"] == "server.listening" {
                break entry["fields"]["address"]
                    .as_str()
                    .expect("an address")
                    .to_owned();
            }
        };
        // Somebody has to read the log, or its writer stops when the pipe is full.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self {
            child,
            url: format!("http://{address}"),
        }
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// A client of it that has not signed in.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.url)
    }

    /// SQL statements that it ran so far.
    pub async fn statements(&self) -> i64 {
        let metrics = reqwest::get(format!("{}/metrics", self.url)).await;
        let metrics = metrics.expect("metrics").text().await.expect("text");
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("rollcall_database_statements_total "));
        line.expect("a count").trim().parse().expect("a number")
    }

    /// Asks it to stop, as an operator does.
    pub fn ask_to_stop(&self) {
        assert!(signal("TERM", &self.id().to_string()), "it runs");
    }

    /// Waits until it has ended by itself; says whether it ended well.
    pub async fn ended(mut self) -> bool {
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.success();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary, built once by the same Cargo that built the tests; and with them, because alone its
/// dependencies would have fewer features, and all of it would be compiled a second time.
pub fn binary() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "tests", "--test", "it"])
            .args(["--package", "api", "--bin", "rollcall"])
            .status();
        assert!(
            status.expect("cargo").success(),
            "the binary does not build"
        );
        let tests = std::env::current_exe().expect("this program");
        tests
            .parent()
            .and_then(std::path::Path::parent)
            .expect("target/debug")
            .join("rollcall")
    })
}
