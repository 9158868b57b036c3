//! What the audit log tells, and whom.

use serde_json::{Value, json};

use super::{entries, told};
use crate::harness::{App, Client, on_each_database};

on_each_database!(
    what_was_done_is_told_newest_first,
    entries_are_found_by_each_filter,
    a_filter_that_is_none_is_refused,
    who_it_was_is_told_after_they_are_gone,
    another_organization_s_entries_are_not_there,
);

async fn what_was_done_is_told_newest_first(app: App) {
    let owner = app.owner("jazz").await;
    app.member(&owner, "admin").await;
    let (event, patron) = (
        owner.event("Evening", json!({})).await,
        owner.patron("Ada").await,
    );
    owner.check_in(&event, &patron).await;
    let role = json!({ "email": "new@example.org", "role": "viewer" });
    owner.done("createInvitation", "__typename", role).await;
    let fields = "eventType action actorKind result reason changes number hash targetId address userAgent createdAt actor { id username }";
    let told = entries(&owner, json!({}), fields).await;
    let of = |name: &str| -> Vec<Value> { told.iter().map(|entry| entry[name].clone()).collect() };
    assert_eq!(
        of("eventType"),
        [
            "invitation.created",
            "attendance.checked_in",
            "patron.created",
            "event.created",
            "member.added",
            "organization.created"
        ]
    );
    assert_eq!(
        of("action"),
        [
            json!("INVITE_TEAM_MEMBER"),
            Value::Null,
            Value::Null,
            Value::Null,
            json!("INVITE_TEAM_MEMBER"),
            json!("CREATE_TEAM")
        ]
    );
    assert_eq!(of("number"), [6, 5, 4, 3, 2, 1]);
    let me = owner
        .ok("{ viewer { user { id username } } }", json!({}))
        .await["viewer"]["user"]
        .clone();
    for entry in &told {
        assert_eq!(entry["actor"], me);
        assert_eq!(
            (&entry["actorKind"], &entry["result"], &entry["reason"]),
            (&json!("USER"), &json!("SUCCESS"), &Value::Null)
        );
        assert_eq!(entry["address"], "127.0.0.1");
        assert_eq!(entry["changes"], 1);
        assert_eq!(entry["hash"].as_str().map(str::len), Some(64));
    }
    assert_eq!(
        (&told[2]["targetId"], &told[3]["targetId"]),
        (&json!(patron), &json!(event))
    );
    // Each target is a thing that can be asked for.
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename } }";
    let nodes = owner.ok(query, json!({ "ids": of("targetId") })).await;
    let kinds = nodes["nodes"].as_array().expect("nodes").iter();
    assert_eq!(
        kinds.map(|node| &node["__typename"]).collect::<Vec<_>>(),
        [
            "Invitation",
            "Attendance",
            "Patron",
            "Event",
            "Member",
            "Organization"
        ]
    );
    app.stop().await;
}

async fn entries_are_found_by_each_filter(app: App) {
    let owner = app.owner("jazz").await;
    let admin = app.member(&owner, "admin").await;
    let viewer = app.member(&owner, "viewer").await;
    let patron = admin.patron("Ada").await;
    viewer
        .denied("createPatron", json!({ "firstName": "Eve" }))
        .await;
    let id = me(&admin).await;
    for (filter, expected) in [
        (json!({ "actorId": id }), vec!["patron.created"]),
        (json!({ "targetId": patron }), vec!["patron.created"]),
        (
            json!({ "eventType": "member.added" }),
            vec!["member.added", "member.added"],
        ),
        (json!({ "result": "FAILURE" }), vec!["patrons:create"]),
        (
            json!({ "result": "SUCCESS", "actorId": id, "eventType": "member.added" }),
            vec![],
        ),
        (json!({ "until": "2001-01-01T00:00:00Z" }), vec![]),
        (json!({ "from": "+10000-01-01T00:00:00Z" }), vec![]),
        (
            json!({ "from": "2001-01-01T00:00:00Z", "until": "+10000-01-01T00:00:00Z", "targetId": patron }),
            vec!["patron.created"],
        ),
    ] {
        assert_eq!(
            told(&owner, filter.clone(), "eventType").await,
            expected,
            "{filter}"
        );
    }
    // A list's cursors are its filter's.
    let query = "query($filter: AuditFilter, $after: String) { auditLog(first: 1, filter: $filter, after: $after) {
        nodes { number } pageInfo { hasNextPage endCursor } } }";
    let added = json!({ "eventType": "member.added" });
    let first = owner.ok(query, json!({ "filter": added })).await;
    let cursor = &first["auditLog"]["pageInfo"]["endCursor"];
    assert_eq!(first["auditLog"]["pageInfo"]["hasNextPage"], true);
    let next = owner
        .ok(query, json!({ "filter": added, "after": cursor }))
        .await;
    assert_eq!(next["auditLog"]["nodes"], json!([{ "number": 2 }]));
    let other = owner.send(query, json!({ "after": cursor })).await;
    assert_eq!(other.codes(), ["INVALID"]);
    app.stop().await;
}

async fn a_filter_that_is_none_is_refused(app: App) {
    let owner = app.owner("jazz").await;
    let patron = owner.patron("Ada").await;
    let query = "query($filter: AuditFilter) { auditLog(filter: $filter) { nodes { id } } }";
    for (filter, code) in [
        (json!({ "actorId": patron }), "INVALID_ID"),
        (json!({ "actorId": "" }), "INVALID_ID"),
        (json!({ "targetId": "nothing" }), "INVALID_ID"),
        (json!({ "eventType": "\0" }), "INVALID"),
        (json!({ "eventType": "x".repeat(65) }), "INVALID"),
    ] {
        let answer = owner.send(query, json!({ "filter": filter })).await;
        assert_eq!(answer.codes(), [code], "{filter}");
    }
    app.stop().await;
}

async fn who_it_was_is_told_after_they_are_gone(app: App) {
    let owner = app.owner("jazz").await;
    let admin = app.member(&owner, "admin").await;
    admin.patron("Ada").await;
    let id = me(&admin).await;
    let members = owner
        .ok("{ members { nodes { id role } } }", json!({}))
        .await;
    let members = members["members"]["nodes"].as_array().expect("members");
    let member = members.iter().find(|member| member["role"] == "admin");
    let member = member.expect("the admin")["id"].clone();
    owner
        .done("removeMember", "__typename", json!({ "memberId": member }))
        .await;
    // Written by the database where it can, and walked through with `targetId`.
    for fields in ["actorId actor { id }", "targetId actorId actor { id }"] {
        let told = entries(&owner, json!({ "actorId": id }), fields).await;
        assert_eq!(told.len(), 1);
        assert_eq!(
            (&told[0]["actorId"], &told[0]["actor"]["id"]),
            (&json!(id), &json!(id))
        );
    }
    assert_eq!(
        admin
            .send("{ auditLog { nodes { id } } }", json!({}))
            .await
            .codes(),
        ["NOT_FOUND"]
    );
    app.stop().await;
}

async fn another_organization_s_entries_are_not_there(app: App) {
    let (jazz, chess) = (app.owner("jazz").await, app.owner("chess").await);
    let patron = chess.patron("Eve").await;
    let foreign = entries(&chess, json!({}), "id").await;
    let found = jazz
        .ok(
            "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
            json!({ "ids": foreign.iter().map(|entry| &entry["id"]).collect::<Vec<_>>() }),
        )
        .await;
    assert_eq!(found["nodes"], json!([null, null]));
    for filter in [
        json!({ "targetId": patron }),
        json!({ "actorId": me(&chess).await }),
    ] {
        assert_eq!(told(&jazz, filter, "id").await, Vec::<Value>::new());
    }
    let viewer = app.member(&jazz, "organizer").await;
    let answer = viewer
        .send("{ auditLog { nodes { id } } }", json!({}))
        .await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    app.stop().await;
}

async fn me(client: &Client) -> String {
    let data = client.ok("{ viewer { user { id } } }", json!({})).await;
    data["viewer"]["user"]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}
