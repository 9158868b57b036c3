//! Writing what the dry run found.

use serde_json::{Value, json};

use super::{commit, names, people, preview, verdicts};
use crate::harness::{App, on_each_database};

on_each_database!(at crate::harness::evening::at(22, 0);
    the_same_file_again_changes_nothing,
    those_who_resemble_somebody_are_left_out_unless_told,
    what_changed_since_the_dry_run_is_seen,
    history_asks_for_no_seats,
    a_ticket_paid_back_gives_its_seat_back,
    each_row_says_whom_it_made,
    who_was_removed_is_made_once_more,
);

const FILE: &str = "First Name,Last Name,Email,Member ID,Status,Checked in at,Checked out at,Seats\n\
    Ada,L,ada@example.org,1,attending,2026-03-01 19:00,2026-03-01 20:30,1\n\
    Bo,B,bo@example.org,2,checked in,,,3\n\
    Cy,C,,3,attending,,,1\n\
    Di,D,di@example.org,4,waitlist,,,1\n\
    Ed,E,ed@example.org,5,refunded,,,1\n\
    Ada,L,ada@example.org,1,attending,2026-03-01 19:00,2026-03-01 20:30,1\n";

async fn the_same_file_again_changes_nothing(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    let more = json!({ "eventId": event, "timeZone": "UTC" });
    let (id, import) = preview(&owner, FILE.as_bytes(), more.clone()).await;
    assert_eq!(verdicts(&import), [4, 1, 0, 1, 0]);
    commit(&owner, &id).await;
    assert_eq!(
        owner.states(&event).await,
        ["Ada CHECKED_OUT", "Bo ATTENDED", "Cy NO_SHOW"]
    );
    assert_eq!(owner.counts(&event).await, [3, 5, 2, 0]);
    app.database.must_be_consistent().await;
    let first = people(&app).await;
    // An order given again is the same order; the file given again is known, row by row.
    let import = commit(&owner, &id).await;
    assert_eq!(
        (&import["status"], people(&app).await == first),
        (&json!("COMMITTED"), true)
    );
    app.clock.set(crate::harness::evening::at(23, 30));
    let (id, import) = preview(&owner, FILE.as_bytes(), more).await;
    assert_eq!(verdicts(&import), [0, 5, 0, 1, 0]);
    commit(&owner, &id).await;
    for (table, rows) in people(&app).await {
        assert_eq!(rows, first[&table], "the same file again changed {table}");
    }
    app.stop().await;
}

async fn those_who_resemble_somebody_are_left_out_unless_told(app: App) {
    let owner = app.owner("jazz").await;
    owner.patron("Ada").await;
    let file = "First Name,Last Name,Email\nAda,Patron,ada@example.org\nBo,B,bo@example.org\n";
    let (id, import) = preview(&owner, file.as_bytes(), json!({})).await;
    assert_eq!(verdicts(&import), [1, 0, 1, 0, 0]);
    commit(&owner, &id).await;
    assert_eq!(
        names(&owner).await,
        ["Bo B bo@example.org -", "Ada Patron - -"]
    );
    let (id, _) = preview(&owner, file.as_bytes(), json!({})).await;
    owner
        .done(
            "commitImport",
            "__typename",
            json!({ "importId": id, "createSuggested": true }),
        )
        .await;
    super::settled(&owner, &id).await;
    // And the same once more makes nobody twice.
    let (id, import) = preview(&owner, file.as_bytes(), json!({})).await;
    assert_eq!(verdicts(&import), [0, 2, 0, 0, 0]);
    owner
        .done(
            "commitImport",
            "__typename",
            json!({ "importId": id, "createSuggested": true }),
        )
        .await;
    super::settled(&owner, &id).await;
    let mut all = names(&owner).await;
    all.sort_unstable();
    assert_eq!(
        all,
        [
            "Ada Patron - -",
            "Ada Patron ada@example.org -",
            "Bo B bo@example.org -"
        ]
    );
    app.stop().await;
}

async fn what_changed_since_the_dry_run_is_seen(app: App) {
    let owner = app.owner("jazz").await;
    let file = "First Name,Last Name,Email\nAda,L,ada@example.org\n";
    let (id, import) = preview(&owner, file.as_bytes(), json!({})).await;
    assert_eq!(verdicts(&import), [1, 0, 0, 0, 0]);
    owner
        .done(
            "createPatron",
            "__typename",
            json!({ "firstName": "Ada", "email": "ada@example.org" }),
        )
        .await;
    assert_eq!(commit(&owner, &id).await["status"], "COMMITTED");
    assert_eq!(
        names(&owner).await,
        ["Ada ada@example.org -"],
        "nobody twice"
    );
    app.stop().await;
}

/// What a file says has happened, whether or not there was room; a walk-in is another thing.
async fn history_asks_for_no_seats(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner
        .evening(json!({ "capacity": 2, "capacityPolicy": "SEATS" }))
        .await;
    let header = "First Name,Last Name,Email,Status,Attended,Seats\n";
    for (row, counts) in [
        ("Ada,L,ada@example.org,attending,,1\n", [1, 1, 0, 0]),
        ("Bo,B,bo@example.org,attending,yes,5\n", [2, 6, 1, 0]),
        ("Cy,C,cy@example.org,waitlist,yes,1\n", [2, 6, 1, 0]),
    ] {
        let (id, _) = preview(
            &owner,
            format!("{header}{row}").as_bytes(),
            json!({ "eventId": event }),
        )
        .await;
        assert_eq!(commit(&owner, &id).await["status"], "COMMITTED");
        assert_eq!(owner.counts(&event).await, counts);
    }
    app.database.must_be_consistent().await;
    app.stop().await;
}

/// Of Bo's two tickets one is paid back, then both.
async fn a_ticket_paid_back_gives_its_seat_back(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner
        .evening(json!({ "capacity": 2, "capacityPolicy": "SEATS" }))
        .await;
    let header = "First Name,Last Name,Email,Member ID,RSVP Status\n";
    let tickets = |ada: &str, bo: &str, other: &str| {
        format!(
            "{header}Ada,L,ada@example.org,1,{ada}\nBo,B,bo@example.org,2,{bo}\nBo,B,bo@example.org,3,{other}\n\
             Cy,C,cy@example.org,4,refunded\n"
        )
    };
    let more = json!({ "eventId": event });
    for (file, verdict, counts, states) in [
        (
            tickets("attending", "attending", "attending"),
            [2, 1, 0, 1, 0],
            [2, 2, 0, 0],
            ["Ada NO_SHOW", "Bo NO_SHOW"],
        ),
        (
            tickets("refunded", "refunded", "attending"),
            [0, 1, 0, 3, 0],
            [1, 1, 0, 0],
            ["Ada CANCELLED", "Bo NO_SHOW"],
        ),
        (
            tickets("refunded", "refunded", "void"),
            [0, 0, 0, 4, 0],
            [0, 0, 0, 0],
            ["Ada CANCELLED", "Bo CANCELLED"],
        ),
    ] {
        let (id, import) = preview(&owner, file.as_bytes(), more.clone()).await;
        assert_eq!(verdicts(&import), verdict);
        commit(&owner, &id).await;
        assert_eq!(owner.counts(&event).await, counts);
        assert_eq!(owner.states(&event).await, states);
        let before = people(&app).await;
        let (id, _) = preview(&owner, file.as_bytes(), more.clone()).await;
        commit(&owner, &id).await;
        assert_eq!(people(&app).await, before, "the same file again");
    }
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn each_row_says_whom_it_made(app: App) {
    let owner = app.owner("jazz").await;
    let (id, _) = preview(&owner, FILE.as_bytes(), json!({})).await;
    commit(&owner, &id).await;
    let query = "query($id: ID!) { importRows(importId: $id, first: 10) { nodes { line committed patron { firstName } } } }";
    let data = owner.ok(query, json!({ "id": id })).await;
    let rows = data["importRows"]["nodes"].as_array().expect("rows");
    let patrons: Vec<&Value> = rows.iter().map(|row| &row["patron"]["firstName"]).collect();
    assert_eq!(
        json!(patrons),
        json!(["Ada", "Bo", "Cy", "Di", null, "Ada"])
    );
    assert!(rows.iter().all(|row| row["committed"] == true), "{rows:?}");
    app.stop().await;
}

async fn who_was_removed_is_made_once_more(app: App) {
    let owner = app.owner("jazz").await;
    let file = "First Name,Last Name,Member ID\nCy,C,3\n";
    for expected in [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]] {
        let (id, import) = preview(&owner, file.as_bytes(), json!({})).await;
        assert_eq!(verdicts(&import), expected);
        commit(&owner, &id).await;
    }
    let data = owner
        .ok("{ patrons(first: 1) { nodes { id } } }", json!({}))
        .await;
    owner
        .done(
            "deletePatron",
            "__typename",
            json!({ "patronId": data["patrons"]["nodes"][0]["id"] }),
        )
        .await;
    for expected in [[1, 0, 0, 0, 0], [0, 1, 0, 0, 0]] {
        let (id, import) = preview(&owner, file.as_bytes(), json!({})).await;
        assert_eq!(verdicts(&import), expected);
        commit(&owner, &id).await;
    }
    app.stop().await;
}
