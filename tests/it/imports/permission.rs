//! Who may bring people in.

use serde_json::{Value, json};

use super::{preview, settled};
use crate::harness::{App, on_each_database};

on_each_database!(
    only_some_may_bring_people_in,
    another_organizations_import_is_not_there,
    an_event_that_takes_nobody_takes_no_file
);

// "First Name\nAda\n"
const CONTENT: &str = "Rmlyc3QgTmFtZQpBZGEK";

async fn only_some_may_bring_people_in(app: App) {
    let owner = app.owner("jazz").await;
    let input = json!({ "fileName": "people.csv", "content": CONTENT });
    let (id, _) = preview(&owner, b"First Name\nAda\n", json!({})).await;
    while app.database.number("SELECT count(*) FROM jobs").await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let query = "query($id: ID!) { import(id: $id) { status } }";
    for (role, reads) in [("checkin", false), ("member", false), ("viewer", true)] {
        let member = app.member(&owner, role).await;
        let before = app.database.holdings().await;
        assert_eq!(
            member.denied("startImport", input.clone()).await,
            "FORBIDDEN",
            "{role}"
        );
        assert_eq!(
            member
                .denied("commitImport", json!({ "importId": id }))
                .await,
            "FORBIDDEN",
            "{role}"
        );
        assert_eq!(app.database.holdings().await, before);
        let answer = member.send(query, json!({ "id": id })).await;
        assert_eq!(
            answer.body["data"]["import"]["status"] == "PREVIEWED",
            reads,
            "{role}"
        );
        let rows = member
            .send(
                "query($id: ID!) { importRows(importId: $id) { nodes { line } } }",
                json!({ "id": id }),
            )
            .await;
        assert_eq!(rows.codes().is_empty(), reads, "{role}");
    }
    let organizer = app.member(&owner, "organizer").await;
    let payload = organizer.done("startImport", "import { id }", input).await;
    let second = payload["import"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(settled(&organizer, &second).await["status"], "PREVIEWED");
    assert_eq!(super::commit(&organizer, &id).await["status"], "COMMITTED");
    app.stop().await;
}

async fn another_organizations_import_is_not_there(app: App) {
    let (owner, foreigner) = (app.owner("jazz").await, app.owner("chess").await);
    let (id, _) = preview(&owner, b"First Name\nAda\n", json!({})).await;
    let event = foreigner.event("Night", json!({})).await;
    let query = "query($id: ID!) { import(id: $id) { status } importRows(importId: $id) { nodes { line } } imports { nodes { id } } }";
    let data = foreigner.ok(query, json!({ "id": id })).await;
    assert_eq!(
        data,
        json!({ "import": Value::Null, "importRows": { "nodes": [] }, "imports": { "nodes": [] } })
    );
    let input = json!({ "fileName": "people.csv", "content": CONTENT, "eventId": event });
    assert_eq!(
        owner.refused("startImport", input).await,
        ["NOT_FOUND input.eventId"]
    );
    assert_eq!(
        foreigner
            .refused("commitImport", json!({ "importId": id }))
            .await,
        ["NOT_FOUND input.importId"]
    );
    assert_eq!(settled(&owner, &id).await["status"], "PREVIEWED");
    assert_eq!(app.database.number("SELECT count(*) FROM patrons").await, 0);
    app.stop().await;
}

async fn an_event_that_takes_nobody_takes_no_file(app: App) {
    let owner = app.owner("jazz").await;
    let draft = owner.event("Draft", json!({ "publish": false })).await;
    let cancelled = owner.event("Off", json!({})).await;
    owner
        .done("cancelEvent", "__typename", json!({ "eventId": cancelled }))
        .await;
    let before = app.database.holdings().await;
    for event in [draft, cancelled] {
        let input = json!({ "fileName": "people.csv", "content": CONTENT, "eventId": event });
        assert_eq!(
            owner.refused("startImport", input).await,
            ["EVENT_NOT_OPEN input.eventId"]
        );
    }
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}
