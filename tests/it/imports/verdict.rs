//! What the dry run says of each row, and of files that are none.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{people, preview, verdicts};
use crate::harness::{App, Backend, Client, on_each_database};

on_each_database!(
    each_row_has_a_verdict_with_its_place,
    who_shares_an_address_with_a_doubtful_row_is_doubtful,
    no_time_is_in_the_future_and_no_registration_without_bounds,
    a_file_that_is_none_fails,
);

async fn rows(client: &Client, id: &str, verdict: Value) -> Vec<String> {
    let query = "query($id: ID!, $verdict: ImportVerdict) { importRows(importId: $id, first: 100, verdict: $verdict) {
        nodes { line verdict code column message committed patron { firstName } } } }";
    let data = client
        .ok(query, json!({ "id": id, "verdict": verdict }))
        .await;
    let nodes = data["importRows"]["nodes"]
        .as_array()
        .expect("rows")
        .clone();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    nodes
        .iter()
        .map(|row| {
            assert_eq!(
                (row["committed"].clone(), row["code"].is_null()),
                (json!(false), row["message"].is_null())
            );
            format!(
                "{} {} {} {} {}",
                row["line"],
                text(&row["verdict"]),
                text(&row["code"]),
                text(&row["column"]),
                text(&row["patron"]["firstName"])
            )
        })
        .collect()
}

async fn each_row_has_a_verdict_with_its_place(app: App) {
    let owner = app.owner("jazz").await;
    for (first, last, email) in [
        ("Ada", "Known", json!("ada@example.org")),
        ("Bo", "Alike", json!(null)),
    ] {
        owner
            .done(
                "createPatron",
                "__typename",
                json!({ "firstName": first, "lastName": last, "email": email }),
            )
            .await;
    }
    let file = "First Name,Last Name,Email,Phone\n\
        New,Person,new@example.org,\n\
        Other,Name,ADA@example.org,\n\
        bo,ALIKE,,\n\
        Cy,\"Two\nlines\",cy@,\n\
        Di,D,,12\n\
        Ed,E\n\
        ,,,\n\
        New,Again,new@example.org,\n\
        Fy,F,f@example.org,1,2\n";
    let before = people(&app).await;
    let (id, import) = preview(&owner, file.as_bytes(), json!({})).await;
    let all = [
        "2 CREATE - - -",
        "3 LINK - - Ada",
        "4 SUGGEST RESEMBLES - Bo",
        "5 ERROR INVALID_EMAIL Email -",
        "7 ERROR INVALID_PHONE Phone -",
        "8 ERROR TOO_FEW_COLUMNS - -",
        "10 LINK EARLIER_ROW - -",
        "11 ERROR TOO_MANY_COLUMNS - -",
    ];
    assert_eq!(rows(&owner, &id, Value::Null).await, all);
    assert_eq!(
        rows(&owner, &id, json!("ERROR")).await,
        [all[3], all[4], all[5], all[7]]
    );
    assert_eq!(
        (verdicts(&import), &import["rowsTotal"]),
        ([1, 2, 1, 0, 4], &json!(8))
    );
    assert_eq!(people(&app).await, before);
    app.stop().await;
}

async fn who_shares_an_address_with_a_doubtful_row_is_doubtful(app: App) {
    let owner = app.owner("jazz").await;
    owner
        .done(
            "createPatron",
            "__typename",
            json!({ "firstName": "Ann", "lastName": "Bee" }),
        )
        .await;
    let file = "First Name,Last Name,Email\nAnn,Bee,q@example.org\nBob,Cee,q@example.org\n";
    let before = people(&app).await;
    let (id, import) = preview(&owner, file.as_bytes(), json!({})).await;
    assert_eq!(verdicts(&import), [0, 0, 2, 0, 0]);
    assert_eq!(
        rows(&owner, &id, Value::Null).await,
        ["2 SUGGEST RESEMBLES - Ann", "3 SUGGEST EARLIER_ROW - -"]
    );
    super::commit(&owner, &id).await;
    assert_eq!(people(&app).await, before, "nobody is made");
    app.stop().await;
}

async fn no_time_is_in_the_future_and_no_registration_without_bounds(app: App) {
    let owner = app.owner("jazz").await;
    let file = "First Name,Email,RSVP Status,Arrived at,Seats\n\
        Ada,ada@example.org,going,2999-01-01 19:00,1\n\
        Bo,bo@example.org,going,,51\n\
        Cy,cy@example.org,going,,50\n";
    let (id, import) = preview(&owner, file.as_bytes(), json!({ "timeZone": "UTC" })).await;
    assert_eq!(verdicts(&import), [1, 0, 0, 0, 2], "{import:#}");
    assert_eq!(
        rows(&owner, &id, json!("ERROR")).await,
        [
            "2 ERROR TIME_OUT_OF_RANGE - -",
            "3 ERROR INVALID_SEATS Seats -"
        ]
    );
    app.stop().await;
}

async fn a_file_that_is_none_fails(app: App) {
    let owner = app.owner("jazz").await;
    let before = people(&app).await;
    let wide = vec!["x"; 201].join(",");
    for (content, why) in [
        (&b"PK\x03\x04 and so on"[..], "spreadsheet"),
        (b"Name\nA\0da\n", "not a text file"),
        (b" \n , \n", "empty"),
        (b"\"Name\nAda", "header"),
        (wide.as_bytes(), "200 columns"),
        (b"\xFF\xFE\x00\xD8", "UTF-16"),
    ] {
        let (id, import) = preview(&owner, content, json!({})).await;
        let failure = import["failure"].as_str().unwrap_or_default();
        assert!(
            import["status"] == "FAILED" && failure.contains(why),
            "{why}: {import:#}"
        );
        assert_eq!(
            owner
                .refused("commitImport", json!({ "importId": id }))
                .await,
            ["WRONG_STATE input.importId"]
        );
    }
    let unknown = json!({ "mapping": [{ "column": "Nom", "field": "FIRST_NAME" }] });
    let (_, import) = preview(&owner, b"Name\nAda\n", unknown).await;
    assert!(
        import["failure"]
            .as_str()
            .unwrap_or_default()
            .contains("Nom"),
        "{import:#}"
    );
    for (content, refusal) in [("", "TOO_LONG"), ("@@@", "INVALID")] {
        let refused = owner
            .refused(
                "startImport",
                json!({ "fileName": "x", "content": content }),
            )
            .await;
        assert_eq!(refused, [format!("{refusal} input.content")]);
    }
    assert_eq!(people(&app).await, before);
    assert_eq!(
        app.database
            .number("SELECT count(*) FROM import_files")
            .await,
        0,
        "bytes are kept no longer than needed"
    );
    app.stop().await;
}

/// As many rows as a file may have, and one more. On SQLite only: it is the same code on both.
#[tokio::test(flavor = "multi_thread")]
async fn fifty_thousand_rows_are_previewed() {
    let app = App::start(Backend::Sqlite)
        .await
        .expect("SQLite needs nothing");
    let owner = app.owner("jazz").await;
    let mut file = String::from("First Name,Last Name,Email\n");
    for number in 0..50_001 {
        writeln!(file, "P{number},Person,p{number}@example.org").expect("memory");
    }
    let (id, import) = preview(&owner, file.as_bytes(), json!({})).await;
    assert_eq!(verdicts(&import), [50_000, 0, 0, 0, 1]);
    assert_eq!(
        rows(&owner, &id, json!("ERROR")).await,
        ["50002 ERROR TOO_MANY_ROWS - -"]
    );
    assert_eq!(app.database.number("SELECT count(*) FROM patrons").await, 0);
    app.stop().await;
}
