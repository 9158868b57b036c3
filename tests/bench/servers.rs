//! The servers that are compared: processes of their own, so that each one's memory and processor
//! time can be told.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// A running server; dropped, it is killed.
pub struct Server {
    /// What the tables call it.
    pub name: &'static str,
    /// Where it answers, without a path.
    pub url: String,
    /// From its start to its first answer.
    pub started_in: Duration,
    /// Bytes of memory in use then.
    pub idle: u64,
    process: Child,
}

impl Server {
    /// Starts `command`, which is told its port in `PORT`, and waits until `path` answers.
    pub async fn start(name: &'static str, mut command: Command, path: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let started = Instant::now();
        let process = command
            .env("PORT", port.to_string())
            .env("ROLLCALL_LISTEN", format!("127.0.0.1:{port}"))
            .env("ROLLCALL_RATE_LIMITS", "off")
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let url = format!("http://127.0.0.1:{port}");
        let client = reqwest::Client::new();
        while client.get(format!("{url}{path}")).send().await.is_err() {
            assert!(
                started.elapsed() < Duration::from_mins(1),
                "{name} does not answer"
            );
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let mut server = Self {
            name,
            url,
            started_in: started.elapsed(),
            idle: 0,
            process,
        };
        server.idle = server.memory().0;
        server
    }

    /// Bytes of memory in use now and at most, with its child processes.
    pub fn memory(&self) -> (u64, u64) {
        let sum = |field: &str| {
            let all = self.processes().into_iter();
            all.map(|id| kilobytes(id, field) * 1024).sum()
        };
        (sum("VmRSS:"), sum("VmHWM:"))
    }

    /// What was used at most is forgotten, so that one run's peak can be told.
    pub fn forget_peak(&self) {
        for id in self.processes() {
            // Where the kernel does not let us, the peak is that since the start.
            let _ = std::fs::write(format!("/proc/{id}/clear_refs"), "5");
        }
    }

    /// Processor time used so far, with its child processes.
    pub fn processor_time(&self) -> Duration {
        self.processes().into_iter().map(ticks).sum()
    }

    fn processes(&self) -> Vec<u32> {
        let id = self.process.id();
        let children = format!("/proc/{id}/task/{id}/children");
        let children = std::fs::read_to_string(children).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|id| id.parse().ok());
        std::iter::once(id).chain(children).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for id in self.processes() {
            let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
        }
        let _ = self.process.wait();
    }
}

/// Sends a JSON body and gives the JSON that comes back.
pub async fn post(url: &str, token: Option<&str>, body: &Value) -> Value {
    let mut request = reqwest::Client::new().post(url).json(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.expect("an answer");
    response.json().await.expect("JSON")
}

/// The Node that the peers' lockfile brings, with one of their scripts.
pub fn node(peers: &Path, script: &str) -> Command {
    let mut command = Command::new(peers.join("node_modules/.bin/node"));
    command.arg(peers.join(script)).current_dir(peers);
    command.env("NODE_ENV", "production");
    command
}

fn kilobytes(id: u32, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or_default()
}

/// User and system time of a process; the kernel counts in hundredths of a second.
fn ticks(id: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold spaces; user and system time are fields 14 and 15.
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}
