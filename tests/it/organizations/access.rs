//! Access ends at once: with the very next request, on every instance, and on open streams.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    App, Client, on_each_database,
    socket::{Heard, Subscription},
};

on_each_database!(
    a_removed_member_is_out_at_once,
    a_demoted_member_may_less_at_once,
    the_stream_of_a_removed_member_ends,
    a_removed_host_leaves_the_event_behind,
);

async fn id_of(owner: &Client, role: &str) -> Value {
    let data = owner
        .ok("{ members { nodes { id role } } }", json!({}))
        .await;
    let members = data["members"]["nodes"]
        .as_array()
        .expect("members")
        .clone();
    members
        .iter()
        .find(|member| member["role"] == role)
        .expect(role)["id"]
        .clone()
}

async fn a_removed_member_is_out_at_once(app: App) {
    let owner = app.owner("jazz").await;
    let organizer = app.member(&owner, "organizer").await;
    let second = app.beside(&[]).await;
    let elsewhere = organizer.at(&format!("http://{}", second.address()));
    let slug =
        owner.ok("{ organization { slug } }", json!({})).await["organization"]["slug"].clone();
    let slug = slug.as_str().expect("a slug").to_owned();
    // Each has been asked before, so that whatever they remember is remembered.
    let clients = [
        organizer.clone(),
        elsewhere.clone(),
        organizer.acting_in(&slug),
        elsewhere.acting_in(&slug),
    ];
    for client in &clients {
        client.patron("Ada").await;
    }
    owner
        .done(
            "removeMember",
            "__typename",
            json!({ "memberId": id_of(&owner, "organizer").await }),
        )
        .await;
    let before = app.database.holdings().await;
    for client in &clients {
        assert_eq!(
            client
                .denied("createPatron", json!({ "firstName": "Eve" }))
                .await,
            "NOT_FOUND"
        );
        let answer = client.send("{ patrons { nodes { id } } }", json!({})).await;
        assert_eq!(
            (&answer.body["data"], answer.codes()),
            (&Value::Null, vec!["NOT_FOUND".to_owned()])
        );
        let data = client
            .ok(
                "{ organization { name } viewer { organizations { role } permissions } }",
                json!({}),
            )
            .await;
        assert_eq!(
            data,
            json!({ "organization": null, "viewer": { "organizations": [], "permissions": [] } })
        );
    }
    assert_eq!(app.database.holdings().await, before);
    second.stop().await;
    app.stop().await;
}

async fn a_demoted_member_may_less_at_once(app: App) {
    let owner = app.owner("jazz").await;
    let organizer = app.member(&owner, "organizer").await;
    let second = app.beside(&[]).await;
    let clients = [
        organizer.clone(),
        organizer.at(&format!("http://{}", second.address())),
    ];
    for client in &clients {
        client.patron("Ada").await;
    }
    let member = id_of(&owner, "organizer").await;
    owner
        .done(
            "changeMemberRole",
            "member { role }",
            json!({ "memberId": member, "role": "viewer" }),
        )
        .await;
    for client in &clients {
        assert_eq!(
            client
                .denied("createPatron", json!({ "firstName": "Eve" }))
                .await,
            "FORBIDDEN"
        );
        client.ok("{ patrons { nodes { id } } }", json!({})).await;
        let data = client.ok("{ viewer { create: can(permission: \"patrons:create\") read: can(permission: \"patrons:read\") odd: can(permission: \"all\") } }", json!({})).await;
        assert_eq!(
            data["viewer"],
            json!({ "create": false, "read": true, "odd": false })
        );
    }
    owner
        .done(
            "changeMemberRole",
            "__typename",
            json!({ "memberId": member, "role": "admin" }),
        )
        .await;
    for client in &clients {
        client.patron("Bo").await;
    }
    second.stop().await;
    app.stop().await;
}

async fn the_stream_of_a_removed_member_ends(app: App) {
    let owner = app.owner("jazz").await;
    let checkin = app.member(&owner, "checkin").await;
    let event = owner.event("Night", json!({})).await;
    let data = owner
        .ok(
            "query($id: ID!) { event(id: $id) { changeCursor } }",
            json!({ "id": event }),
        )
        .await;
    let query = "subscription($event: ID!, $after: String!) { attendanceChanged(eventId: $event, after: $after) { changes { __typename } cursor } }";
    let variables = json!({ "event": event, "after": data["event"]["changeCursor"] });
    let mut stream = Subscription::open(&checkin, query, variables).await;
    let patience = Duration::from_secs(20);
    owner.check_in(&event, &owner.patron("Ada").await).await;
    stream.changes("attendanceChanged", patience).await;
    owner
        .done(
            "removeMember",
            "__typename",
            json!({ "memberId": id_of(&owner, "checkin").await }),
        )
        .await;
    owner.check_in(&event, &owner.patron("Bo").await).await;
    loop {
        match stream.next(patience).await {
            Heard::Next(payload) => {
                let changes = payload["data"]["attendanceChanged"]["changes"]
                    .as_array()
                    .cloned();
                assert!(
                    changes.is_none_or(|changes| changes.is_empty()),
                    "a removed member heard {payload:#}"
                );
            }
            Heard::Silence => panic!("the stream of a removed member goes on"),
            Heard::Error(_) | Heard::Complete | Heard::Closed(_) => break,
        }
    }
    app.stop().await;
}

async fn a_removed_host_leaves_the_event_behind(app: App) {
    let owner = app.owner("jazz").await;
    app.member(&owner, "organizer").await;
    let host = id_of(&owner, "organizer").await;
    let event = owner.event("Night", json!({ "hostId": host })).await;
    let query = "query($id: ID!) { event(id: $id) { title host { role } } }";
    let data = owner.ok(query, json!({ "id": event })).await;
    assert_eq!(data["event"]["host"], json!({ "role": "organizer" }));
    owner
        .done("removeMember", "__typename", json!({ "memberId": host }))
        .await;
    let data = owner.ok(query, json!({ "id": event })).await;
    assert_eq!(data["event"], json!({ "title": "Night", "host": null }));
    app.stop().await;
}
