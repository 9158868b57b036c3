//! Servers of a test's own, which it may stop: never the machine's.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
};

use super::node::missing;

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A PostgreSQL server with a directory of its own, stopped and removed with this value.
pub struct PostgresServer {
    binaries: PathBuf,
    directory: TempDir,
    port: u16,
}

impl PostgresServer {
    /// Makes a cluster and starts it; none, said once, where there is no PostgreSQL to start.
    pub async fn start() -> Option<Self> {
        let binaries = postgres_binaries()?;
        let directory = tempfile::tempdir().expect("a temporary directory");
        if is_root() {
            // PostgreSQL refuses to run as root; the account that packages install owns its files.
            let owned = Command::new("chown")
                .arg("postgres")
                .arg(directory.path())
                .status();
            if !owned.is_ok_and(|status| status.success()) {
                missing(
                    "an own PostgreSQL",
                    "the tests run as root and there is no account `postgres`",
                );
                return None;
            }
        }
        let server = Self {
            binaries,
            directory,
            port: free_port(),
        };
        let data = server.data();
        let made = server.run(
            "initdb",
            &[
                "--pgdata",
                &data,
                "--username",
                "postgres",
                "--auth",
                "trust",
                "--no-sync",
                "--encoding",
                "UTF8",
            ],
        );
        assert!(made, "initdb failed");
        server.up().await;
        Some(server)
    }

    /// The `DATABASE_URL` of a database in it, which is made.
    pub async fn database(&self, name: &str) -> String {
        let mut connection = PgConnection::connect(&self.url("postgres"))
            .await
            .expect("the server");
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::Executor::execute(&mut connection, create)
            .await
            .expect("a database");
        self.url(name)
    }

    /// Ends every one of its processes at once, as when the machine loses power.
    pub fn kill(&self) {
        let file = std::fs::read_to_string(self.directory.path().join("data/postmaster.pid"));
        let postmaster = file
            .expect("it runs")
            .lines()
            .next()
            .expect("a process")
            .to_owned();
        let children = Command::new("ps")
            .args(["-o", "pid=", "--ppid", &postmaster])
            .output()
            .expect("ps");
        assert!(signal("KILL", &postmaster), "the postmaster runs");
        // They would notice that their parent is gone; until then they would still answer.
        for child in String::from_utf8_lossy(&children.stdout).split_whitespace() {
            signal("KILL", child);
        }
    }

    /// Stops it as an operator does who will not wait: sessions are ended, work is rolled back.
    pub fn stop(&self) {
        assert!(
            self.run(
                "pg_ctl",
                &[
                    "stop",
                    "--wait",
                    "--mode",
                    "fast",
                    "--silent",
                    "--pgdata",
                    &self.data()
                ]
            ),
            "it runs"
        );
    }

    /// Starts it again and waits until it answers.
    pub async fn up(&self) {
        let (data, log) = (self.data(), self.directory.path().join("log"));
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=100",
            self.port
        );
        for _ in 0..50 {
            let log = log.to_str().expect("a path");
            // After a kill, until its last child is gone, the shared memory is in use and it refuses.
            if self.run(
                "pg_ctl",
                &[
                    "start",
                    "--wait",
                    "--silent",
                    "--pgdata",
                    &data,
                    "--log",
                    log,
                    "--options",
                    &options,
                ],
            ) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!(
            "PostgreSQL does not start: {}",
            std::fs::read_to_string(log).unwrap_or_default()
        );
    }

    fn url(&self, name: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    fn data(&self) -> String {
        self.directory
            .path()
            .join("data")
            .to_str()
            .expect("a path")
            .to_owned()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let program = self.binaries.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args([
                    "--reuid",
                    "postgres",
                    "--regid",
                    "postgres",
                    "--init-groups",
                ])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        // Away from this directory, which the account may not read.
        let command = command.args(arguments).current_dir(self.directory.path());
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.run(
            "pg_ctl",
            &[
                "stop",
                "--mode",
                "immediate",
                "--silent",
                "--pgdata",
                &self.data(),
            ],
        );
    }
}

/// A Redis server of a test's own, ended with this value.
pub struct RedisServer {
    child: Option<Child>,
    port: u16,
}

impl RedisServer {
    /// Starts one; none, said once, where there is no Redis to start.
    pub async fn start() -> Option<Self> {
        let mut server = Self {
            child: None,
            port: free_port(),
        };
        if !server.up().await {
            missing("an own Redis", "redis-server cannot be run");
            return None;
        }
        Some(server)
    }

    /// Its `REDIS_URL`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What it answers to a command, line by line.
    pub fn ask(&self, command: &[&str]) -> Vec<String> {
        let port = self.port.to_string();
        let output = Command::new("redis-cli")
            .args(["-p", &port])
            .args(command)
            .output();
        let output = output.expect("redis-cli runs").stdout;
        let text = String::from_utf8(output).expect("text");
        text.lines().map(str::to_owned).collect()
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().expect("it runs");
        child.wait().expect("it ends");
    }

    /// Starts it again on the same port and waits until it listens; false where that cannot be.
    pub async fn up(&mut self) -> bool {
        let port = self.port.to_string();
        let child = Command::new("redis-server")
            .args([
                "--port",
                &port,
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = child.ok();
        while self
            .child
            .as_mut()
            .is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_none()))
        {
            if tokio::net::TcpStream::connect(("127.0.0.1", self.port))
                .await
                .is_ok()
            {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        false
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A road to `address` on which everything takes `delay` longer each way, as between two machines
/// that are far apart; its own address.
pub async fn slow_road(address: String, delay: Duration) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let road = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            if let Ok(far) = tokio::net::TcpStream::connect(&address).await {
                let ((from_near, to_near), (from_far, to_far)) =
                    (near.into_split(), far.into_split());
                tokio::spawn(carry(from_near, to_far, delay));
                tokio::spawn(carry(from_far, to_near, delay));
            }
        }
    });
    road
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        tokio::time::sleep(delay).await;
        if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}

/// Sends a signal to a process; says whether there was one.
pub fn signal(name: &str, process: &str) -> bool {
    let status = Command::new("kill").args(["-s", name, process]).status();
    status.is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id");
    output.stdout.trim_ascii() == b"0"
}

/// Where initdb and pg_ctl are: distributions keep them out of the path.
fn postgres_binaries() -> Option<PathBuf> {
    let told = Command::new("pg_config").arg("--bindir").output().ok();
    let told = told
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map(|path| PathBuf::from(path.trim()));
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let found = told
        .into_iter()
        .chain(versions.map(|version| version.path().join("bin")))
        .find(|path| path.join("initdb").exists());
    if found.is_none() {
        missing(
            "an own PostgreSQL",
            "there is no initdb where pg_config points, nor in /usr/lib/postgresql",
        );
    }
    found
}
