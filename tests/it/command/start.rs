//! What keeps it from starting is told with its name and its cause.

use std::{
    io::{BufRead, BufReader, Read},
    process::Stdio,
    time::Duration,
};

use super::{command, refused, run};
use crate::harness::{
    Backend, TestDatabase, database::admin_url, process::Process, services::signal,
};

#[test]
fn a_database_that_cannot_be_used_is_told_with_its_cause_and_without_its_password() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    std::fs::write(at.join("torn.db"), [7; 9000]).expect("a file");
    for (url, cause) in [
        ("sqlite:", "names no file"),
        ("sqlite::memory:", "names no file"),
        ("sqlite:no/such/x.db", "there is no directory no/such"),
        ("sqlite:torn.db", "not a database"),
        ("postgres://ada:hunter2@127.0.0.1:1/x", "refused"),
        ("postgres://ada:hunter2@nowhere.invalid/x", "lookup"),
    ] {
        for name in ["serve", "migrate"] {
            let text = refused(at, &[name], &[("DATABASE_URL", url)]);
            assert!(
                text.contains("DATABASE_URL") && text.contains(cause),
                "{name} {url}: {text}"
            );
            assert!(
                !text.contains("hunter2") && !text.contains("migrated"),
                "{text}"
            );
        }
    }
    assert!(!at.join("no").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_server_does_not_know_is_told() {
    if TestDatabase::create(Backend::Postgres).await.is_none() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let (server, _) = admin_url()
        .rsplit_once('/')
        .map(|(server, name)| (server.to_owned(), name.to_owned()))
        .expect("a URL");
    let url = format!("{server}/rollcall_that_is_not_there");
    for name in ["serve", "worker", "migrate"] {
        let text = refused(directory.path(), &[name], &[("DATABASE_URL", &url)]);
        assert!(
            text.contains("DATABASE_URL") && text.contains("does not exist"),
            "{text}"
        );
    }
}

#[test]
fn a_database_that_is_not_migrated_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    std::fs::write(at.join("people.csv"), "Name\nAda\n").expect("a file");
    let given = [("DATABASE_URL", "sqlite:rollcall.db")];
    let import = ["import", "people.csv", "--organization", "jazz"];
    for arguments in [&["worker"][..], &import] {
        let text = refused(at, arguments, &given);
        assert!(text.contains("Run rollcall migrate"), "{text}");
    }
    assert!(!at.join("rollcall.db").exists(), "asking makes nothing");
    let said = run(at, &["migrate"], &given);
    assert!(
        said.well && said.out.contains("rollcall.db"),
        "{}",
        said.out
    );
    assert_eq!(said.error, "", "no log in a person's way");
    assert!(refused(at, &import, &given).contains("--organization"));
}

#[test]
fn data_that_cannot_be_written_is_told_by_its_path() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    std::fs::write(at.join("file"), "").expect("a file");
    std::fs::create_dir_all(at.join("data/demo-password")).expect("a directory");
    for (data, name, path) in [
        ("file", "serve", "file"),
        ("file", "demo", "file"),
        ("data", "demo", "data/demo-password"),
    ] {
        let text = refused(at, &[name], &[("ROLLCALL_DATA", data)]);
        assert!(
            text.contains("ROLLCALL_DATA") && text.contains(path),
            "{text}"
        );
    }
}

#[test]
fn the_demo_says_what_is_damaged_and_what_it_ignores() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    std::fs::create_dir(at.join("data")).expect("a directory");
    std::fs::write(at.join("data/demo.db"), [7; 9000]).expect("a file");
    let said = run(at, &["demo"], &[("DATABASE_URL", "postgres://h/x")]);
    assert!(said.out.contains("DATABASE_URL is ignored"), "{}", said.out);
    assert!(
        !said.well && said.error.contains("data/demo.db is damaged, remove it"),
        "{}",
        said.error
    );
}

#[test]
fn an_address_that_is_taken_is_told_before_anything_is_loaded() {
    let directory = tempfile::tempdir().expect("a directory");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken
        .local_addr()
        .map(|address| (address.to_string(), taken));
    let (address, _taken) = taken.expect("an address");
    for name in ["demo", "serve"] {
        let text = refused(directory.path(), &[name], &[("ROLLCALL_LISTEN", &address)]);
        assert!(text.contains("ROLLCALL_LISTEN"), "{text}");
    }
    assert!(!directory.path().join("data").exists());
}

/// The signal comes as soon as the first answer can.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_told_to_stop_at_once_stops_well() {
    for _ in 0..5 {
        let database = TestDatabase::create(Backend::Sqlite)
            .await
            .expect("SQLite needs nothing");
        let process = Process::start(&[("DATABASE_URL", &database.url())]);
        process.ask_to_stop();
        let ended = tokio::time::timeout(Duration::from_secs(20), process.ended());
        assert!(ended.await.expect("it ends"), "a signal killed it");
    }
}

#[test]
fn a_redis_that_is_away_is_told_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut child = command(
        directory.path(),
        &["serve"],
        &[("REDIS_URL", "redis://127.0.0.1:1")],
    )
    .stderr(Stdio::piped())
    .spawn()
    .expect("the binary starts");
    let mut log = BufReader::new(child.stderr.take().expect("a log"));
    let mut line = String::new();
    while !line.contains("redis.unreachable") {
        line.clear();
        assert!(log.read_line(&mut line).expect("a log") > 0, "it ended");
    }
    let pause = std::sync::mpsc::channel::<()>();
    let _ = pause.1.recv_timeout(Duration::from_millis(3500));
    assert!(signal("TERM", &child.id().to_string()), "it runs");
    let mut rest = String::new();
    log.read_to_string(&mut rest).expect("a log");
    assert!(child.wait().expect("a child").success());
    assert!(!rest.contains("redis.unreachable"), "{rest}");
}

#[cfg(unix)]
#[test]
fn the_embedded_file_is_its_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    assert!(run(directory.path(), &["migrate"], &[]).well);
    let file = directory.path().join("data/rollcall.db");
    let mode = std::fs::metadata(file)
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
