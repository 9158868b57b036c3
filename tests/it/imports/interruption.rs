//! A server that stops in the middle of an import, and one that goes on.

use std::{fmt::Write as _, time::Duration};

use serde_json::json;

use super::{preview, settled};
use crate::harness::{App, on_each_database};

on_each_database!(at crate::harness::evening::at(22, 0); a_commit_that_was_cut_off_goes_on);

async fn a_commit_that_was_cut_off_goes_on(app: App) {
    const ROWS: i64 = 6000;
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    let mut file = String::from("First Name,Last Name,Email,Attended\n");
    for number in 0..ROWS {
        writeln!(file, "P{number},Person,p{number}@example.org,yes").expect("memory");
    }
    let (id, _) = preview(&owner, file.as_bytes(), json!({ "eventId": event })).await;
    owner
        .done("commitImport", "__typename", json!({ "importId": id }))
        .await;
    let written = "SELECT count(*) FROM import_rows WHERE committed";
    while app.database.number(written).await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Whoever stops hands the job back: nobody waits for its lease to be over.
    let app = app.restart_after(|| ()).await;
    let resumed = app.database.look("SELECT status FROM imports").await;
    let owner = owner.at(&app.url);
    let import = settled(&owner, &id).await;
    assert_eq!(
        (&import["status"], &import["rowsDone"]),
        (&json!("COMMITTED"), &json!(ROWS))
    );
    assert_eq!(owner.counts(&event).await, [ROWS, ROWS, ROWS, 0]);
    assert_eq!(
        resumed,
        ["committing"],
        "it was cut off in the middle, or this says nothing"
    );
    for (what, count) in [
        ("patrons", ROWS),
        ("attendances", ROWS),
        ("attendance_scans", ROWS),
        ("loyalty_entries", ROWS),
    ] {
        assert_eq!(
            app.database
                .number(&format!("SELECT count(*) FROM {what}"))
                .await,
            count,
            "{what}"
        );
    }
    app.database.must_be_consistent().await;
    app.stop().await;
}
