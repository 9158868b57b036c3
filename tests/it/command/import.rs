//! `rollcall import`, as a person reads it.

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use serde_json::json;

use super::{command, refused, run};
use crate::harness::{App, Client, on_each_database};

on_each_database!(
    a_file_is_shown_and_written_once,
    columns_are_mapped,
    what_does_not_fit_is_told_by_its_option,
    a_reader_who_leaves_stops_nothing,
);

/// The slug of the organization that a client acts in.
async fn slug(client: &Client) -> String {
    let data = client.ok("{ organization { slug } }", json!({})).await;
    data["organization"]["slug"]
        .as_str()
        .expect("a slug")
        .to_owned()
}

/// How many patrons the organization has.
async fn patrons(client: &Client) -> serde_json::Value {
    let data = client
        .ok("{ patrons(first: 1) { totalCount } }", json!({}))
        .await;
    data["patrons"]["totalCount"].clone()
}

async fn a_file_is_shown_and_written_once(app: App) {
    let owner = app.owner("jazz").await;
    let (slug, url) = (slug(&owner).await, app.database.url());
    owner
        .done(
            "createPatron",
            "__typename",
            json!({ "firstName": "Bo", "lastName": "Alike" }),
        )
        .await;
    let directory = tempfile::tempdir().expect("a directory");
    let rows = "Name;Email;Shoes\nAda New;ada@example.org;40\nBo Alike;;41\nCy;nowhere;42\n";
    std::fs::write(directory.path().join("people.csv"), rows).expect("a file");
    let import = |more: &[&str]| {
        let mut arguments = vec!["import", "people.csv", "--organization", &slug];
        arguments.extend(more);
        let said = run(directory.path(), &arguments, &[("DATABASE_URL", &url)]);
        assert!(said.well, "{}", said.error);
        assert_eq!(said.error, "", "no log in a person's way");
        said.out
    };
    let dry = import(&[]);
    for part in [
        "people.csv: taken for csv (50 % sure), UTF-8, columns separated by semicolons.",
        "Name -> full-name",
        "not read: Shoes",
        "Rows: 3 (create 1, link 0, suggest 1, skip 0, error 1).",
        "line 4, column Email: error: ",
        "line 3: suggest: resembles Bo Alike. Left out; --create-suggested",
        "Nothing was changed.",
    ] {
        assert!(dry.contains(part), "{part}: {dry}");
    }
    assert_eq!(patrons(&owner).await, 1);
    let first = import(&["--commit"]);
    let said = "Patrons made: 1. Rows linked to patrons that were there: 0. Rows left out: 2.";
    assert!(first.contains(said), "{first}");
    let second = import(&["--commit"]);
    let said = "Patrons made: 0. Rows linked to patrons that were there: 1. Rows left out: 2.";
    assert!(second.contains(said), "{second}");
    assert_eq!(patrons(&owner).await, 2);
    let third = import(&["--commit", "--create-suggested"]);
    let said = "Patrons made: 1. Rows linked to patrons that were there: 1. Rows left out: 1.";
    assert!(third.contains(said), "{third}");
    assert_eq!(patrons(&owner).await, 3);
    app.stop().await;
}

async fn columns_are_mapped(app: App) {
    let owner = app.owner("chess").await;
    let (slug, url) = (slug(&owner).await, app.database.url());
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    std::fs::write(at.join("people.csv"), "Wer,Wo,a=b\nAda,ada@example.org,x\n").expect("a file");
    let variables = [("DATABASE_URL", &*url)];
    let import = ["import", "people.csv", "--organization", &slug];
    let text = refused(at, &import, &variables);
    for part in ["Wer, Wo, a=b", "--map", "full-name"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let with = |more: &[&'static str]| [&import[..], more].concat();
    let mapped = [
        "--map",
        "Wer=FULL_NAME",
        "--map",
        "Wo=email",
        "--map",
        "a=b=ignore",
        "--commit",
    ];
    let said = run(at, &with(&mapped), &variables);
    assert!(
        said.well && said.out.contains("Patrons made: 1."),
        "{} {}",
        said.out,
        said.error
    );
    assert!(
        said.out.contains("Wo -> email") && said.out.contains("not read: a=b"),
        "{}",
        said.out
    );
    for (wrong, parts) in [
        (["--map", "Wer=shoes"], ["--map", "first-name"]),
        (["--map", "Wer"], ["--map", "COLUMN=FIELD"]),
        (["--map", "Who=email"], ["--map", "Wer, Wo, a=b"]),
        (["--preset", "excel"], ["--preset", "meetup-members"]),
    ] {
        let text = refused(at, &with(&wrong), &variables);
        assert!(
            parts.iter().all(|part| text.contains(part)),
            "{wrong:?}: {text}"
        );
    }
    app.stop().await;
}

async fn what_does_not_fit_is_told_by_its_option(app: App) {
    let owner = app.owner("opera").await;
    let (slug, url) = (slug(&owner).await, app.database.url());
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path();
    std::fs::write(at.join("people.csv"), "Name\nAda\n").expect("a file");
    std::fs::write(at.join("empty.csv"), "").expect("a file");
    std::fs::write(at.join("bad.csv"), "Email\nnowhere\n").expect("a file");
    for (file, more, part) in [
        ("people.csv", &["--event", "x"][..], "--event: "),
        ("people.csv", &["--time-zone", "Mars"], "--time-zone"),
        ("none.csv", &[], "none.csv: "),
        ("empty.csv", &[], "empty.csv: The file is empty."),
        ("bad.csv", &[], "no row could be read"),
    ] {
        let arguments = [&["import", file, "--organization", &slug], more].concat();
        let text = refused(at, &arguments, &[("DATABASE_URL", &url)]);
        assert!(text.contains(part), "{part}: {text}");
    }
    app.stop().await;
}

async fn a_reader_who_leaves_stops_nothing(app: App) {
    let owner = app.owner("pipe").await;
    let (slug, url) = (slug(&owner).await, app.database.url());
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("people.csv"), "Name\nAda\n").expect("a file");
    let arguments = ["import", "people.csv", "--organization", &slug, "--commit"];
    let mut child = command(directory.path(), &arguments, &[("DATABASE_URL", &url)])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("an output"));
    out.read_line(&mut line).expect("a line");
    drop(out);
    assert!(child.wait().expect("a child").success());
    assert_eq!(patrons(&owner).await, 1);
    app.stop().await;
}
