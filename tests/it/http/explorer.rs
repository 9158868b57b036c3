//! The explorer in a real browser, on the demo's data.

use domain::{
    Clock, Database, Db, demo,
    identity::{Passwords, password::Profile},
};
use serde_json::{Value, json};

use crate::harness::{App, Backend, TestDatabase, node, people::PASSWORD};

/// The steps of the README's "Try it", in two windows; any console error, violation of the content policy or request to another host fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_finds_their_way_through_the_explorer() {
    let Some(browser) = browser() else { return };
    let database = TestDatabase::create(Backend::Sqlite)
        .await
        .expect("SQLite needs nothing");
    let file = Database::Sqlite {
        path: database.file().expect("a file"),
    };
    let passwords = Passwords::new(Profile::Standard).expect("a profile");
    demo::load(&file, &passwords, PASSWORD, Clock::system(), |_| {})
        .await
        .expect("the demo loads");
    let db = Db::open(&file, Clock::system())
        .await
        .expect("the file opens");
    demo::refresh(&db).await.expect("an evening is on");
    db.close().await;

    let app = App::start_on(database, Clock::system()).await;
    let page = reqwest::get(&app.url)
        .await
        .expect("a page")
        .text()
        .await
        .expect("text");
    if !page.contains("/assets/") {
        node::missing(
            "the explorer",
            "this build has only the page that stands in for it",
        );
        return;
    }
    let (_, _, login) = demo::logins().swap_remove(0);
    let screenshot =
        std::env::temp_dir().join(format!("rollcall-explorer-{}.png", std::process::id()));
    let arguments = [
        app.url.clone(),
        login.clone(),
        PASSWORD.to_owned(),
        screenshot.to_str().expect("a path").to_owned(),
    ];
    let run = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        node::run("browser", "explorer.mjs", &arguments)
    };
    let Some(result) = tokio::task::spawn_blocking(run).await.expect("no panic") else {
        return;
    };
    let seen: Value = serde_json::from_str(&result.expect(&browser)).expect("JSON");
    assert_eq!(seen["signedInAs"], login);
    assert_eq!(seen["change"]["type"], "CHECKED_IN");
    // Named alike, and in one order, wherever they are spoken of.
    assert_eq!(
        seen["tabs"],
        json!(["SignIn", "Events", "Subscribe", "CheckIn"])
    );
    let read = include_str!("../../../README.md");
    let steps = ["SignIn", "Events", "Subscribe", "CheckIn"];
    let places = steps.map(|step| read.find(&format!("ab **{step}**")));
    assert!(places.is_sorted() && places[0].is_some(), "{places:?}");
    // Kept for whoever has to find out why it failed, and only then.
    std::fs::remove_file(seen["screenshot"].as_str().expect("a path")).expect("a screenshot");
    app.stop().await;
}

fn browser() -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
    let path = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    if std::path::Path::new(&path).exists() {
        return Some(path);
    }
    node::missing("Chromium", &format!("{path} is not there (set CHROMIUM)"));
    None
}
