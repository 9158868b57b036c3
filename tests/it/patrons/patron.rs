//! Adding, changing and removing patrons.

use serde_json::{Value, json};

use crate::harness::{App, Client, on_each_database};

on_each_database!(
    what_is_known_is_tidied,
    an_update_changes_what_it_names,
    an_address_is_one_living_patrons,
    a_removed_patron_is_only_history,
    only_some_may_look_after_patrons,
);

const ALL: &str = "patron { id firstName lastName name email phone }";

async fn create(client: &Client, input: Value) -> Value {
    client.done("createPatron", ALL, input).await["patron"].clone()
}

async fn what_is_known_is_tidied(app: App) {
    let owner = app.owner("jazz").await;
    let input = json!({ "firstName": " Zoë ", "lastName": "Ñandú", "email": " ZOË@Example.org", "phone": "+43 (1) 234-56.78" });
    let mut patron = create(&owner, input).await;
    patron["id"].take();
    let expected = json!({ "id": null, "firstName": "Zoë", "lastName": "Ñandú", "name": "Zoë Ñandú", "email": "zoë@example.org", "phone": "+4312345678" });
    assert_eq!(patron, expected);
    let blank = create(
        &owner,
        json!({ "firstName": "Bo", "email": " ", "phone": "" }),
    )
    .await;
    assert_eq!(
        json!([blank["name"], blank["email"], blank["phone"]]),
        json!(["Bo", null, null])
    );
    let before = app.database.holdings().await;
    for (field, value, code) in [
        ("firstName", json!(""), "REQUIRED"),
        ("firstName", json!("x".repeat(201)), "TOO_LONG"),
        ("lastName", json!("x\u{7}"), "INVALID"),
        ("email", json!("nowhere"), "INVALID"),
        ("phone", json!("1234"), "INVALID"),
        ("phone", json!("123456789012345678901"), "INVALID"),
        ("phone", json!("12345 ext 7"), "INVALID"),
    ] {
        let mut input = json!({ "firstName": "Cy" });
        input[field] = value;
        assert_eq!(
            owner.refused("createPatron", input).await,
            [format!("{code} input.{field}")]
        );
    }
    let wrong = json!({ "firstName": " ", "email": "x", "phone": "x" });
    assert_eq!(
        owner.refused("createPatron", wrong).await,
        [
            "REQUIRED input.firstName",
            "INVALID input.email",
            "INVALID input.phone"
        ]
    );
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}

async fn an_update_changes_what_it_names(app: App) {
    let owner = app.owner("jazz").await;
    let ada = create(&owner, json!({ "firstName": "Ada", "lastName": "L", "email": "ada@example.org", "phone": "12345" })).await;
    let change = |more: Value| {
        let (owner, mut input) = (owner.clone(), json!({ "patronId": ada["id"] }));
        input
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        async move {
            let patron = owner.done("updatePatron", ALL, input).await["patron"].clone();
            json!([patron["name"], patron["email"], patron["phone"]])
        }
    };
    assert_eq!(
        change(json!({})).await,
        json!(["Ada L", "ada@example.org", "12345"])
    );
    assert_eq!(
        change(json!({ "lastName": "Byron" })).await,
        json!(["Ada Byron", "ada@example.org", "12345"])
    );
    assert_eq!(
        change(json!({ "email": null })).await,
        json!(["Ada Byron", null, "12345"])
    );
    assert_eq!(
        change(json!({ "email": "a@example.org", "phone": null, "lastName": "" })).await,
        json!(["Ada", "a@example.org", null])
    );
    assert_eq!(
        owner
            .ok("{ patrons(search: \"byron\") { totalCount } }", json!({}))
            .await["patrons"]["totalCount"],
        0,
        "the old name is not found"
    );
    app.stop().await;
}

async fn an_address_is_one_living_patrons(app: App) {
    let (owner, foreigner) = (app.owner("jazz").await, app.owner("chess").await);
    let with_address = json!({ "firstName": "Ada", "email": "ada@example.org" });
    let ada = create(&owner, with_address.clone()).await;
    let bo = create(&owner, json!({ "firstName": "Bo" })).await;
    create(&foreigner, with_address.clone()).await;
    let taken = ["TAKEN input.email"];
    let before = app.database.holdings().await;
    assert_eq!(
        owner
            .refused(
                "createPatron",
                json!({ "firstName": "Eve", "email": "ADA@example.org" })
            )
            .await,
        taken
    );
    assert_eq!(
        owner
            .refused(
                "updatePatron",
                json!({ "patronId": bo["id"], "email": "ada@EXAMPLE.org" })
            )
            .await,
        taken
    );
    assert_eq!(app.database.holdings().await, before);
    owner
        .done(
            "updatePatron",
            "__typename",
            json!({ "patronId": ada["id"], "email": "ada@example.org" }),
        )
        .await;
    owner
        .done(
            "deletePatron",
            "__typename",
            json!({ "patronId": ada["id"] }),
        )
        .await;
    let second = create(&owner, with_address).await;
    assert_ne!(second["id"], ada["id"]);
    assert_eq!(
        owner
            .refused(
                "updatePatron",
                json!({ "patronId": bo["id"], "email": "ada@example.org" })
            )
            .await,
        taken
    );
    app.stop().await;
}

async fn a_removed_patron_is_only_history(app: App) {
    let owner = app.owner("jazz").await;
    let (event, ada) = (
        owner.event("Night", json!({})).await,
        owner.patron("Ada").await,
    );
    owner.check_in(&event, &ada).await;
    let which = json!({ "patronId": ada });
    assert_eq!(
        owner
            .done("deletePatron", "patron { firstName }", which.clone())
            .await["patron"]["firstName"],
        "Ada"
    );
    let query = "query($id: ID!, $event: ID!) { patron(id: $id) { name } patrons { totalCount nodes { name } } event(id: $event) { checkedInCount attendances { nodes { patron { name } } } } }";
    let data = owner.ok(query, json!({ "id": ada, "event": event })).await;
    assert_eq!(data["patron"], Value::Null);
    assert_eq!(data["patrons"], json!({ "totalCount": 0, "nodes": [] }));
    assert_eq!(
        data["event"],
        json!({ "checkedInCount": 1, "attendances": { "nodes": [{ "patron": { "name": "Ada Patron" } }] } })
    );
    let before = app.database.holdings().await;
    let who = json!({ "patronId": ada, "eventId": event });
    for (field, input) in [
        ("deletePatron", which.clone()),
        ("updatePatron", which),
        ("checkIn", who.clone()),
        ("register", who),
    ] {
        assert_eq!(
            owner.refused(field, input).await,
            ["NOT_FOUND input.patronId"],
            "{field}"
        );
    }
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}

async fn only_some_may_look_after_patrons(app: App) {
    let (owner, foreigner) = (app.owner("jazz").await, app.owner("chess").await);
    let mutations = |patron: &str| {
        [
            ("createPatron", json!({ "firstName": "New" })),
            (
                "updatePatron",
                json!({ "patronId": patron, "lastName": "Other" }),
            ),
            ("deletePatron", json!({ "patronId": patron })),
        ]
    };
    let ada = owner.patron("Ada").await;
    let query = "query($id: ID!) { patron(id: $id) { name } }";
    for role in ["checkin", "viewer", "member", "organizer", "admin"] {
        let member = app.member(&owner, role).await;
        for (field, input) in mutations(&owner.patron(role).await) {
            let before = app.database.holdings().await;
            if ["organizer", "admin"].contains(&role) {
                member.done(field, "__typename", input).await;
            } else {
                assert_eq!(
                    member.denied(field, input).await,
                    "FORBIDDEN",
                    "{role} {field}"
                );
                assert_eq!(app.database.holdings().await, before);
            }
        }
        let answer = member.send(query, json!({ "id": ada })).await;
        let seen = if role == "member" {
            vec!["FORBIDDEN".to_owned()]
        } else {
            vec![]
        };
        assert_eq!(
            (answer.codes(), answer.body["data"]["patron"].is_null()),
            (seen.clone(), !seen.is_empty()),
            "{role}"
        );
    }
    let before = app.database.holdings().await;
    for (field, input) in &mutations(&ada)[1..] {
        assert_eq!(
            foreigner.refused(field, input.clone()).await,
            ["NOT_FOUND input.patronId"]
        );
    }
    assert_eq!(
        foreigner.ok(query, json!({ "id": ada })).await["patron"],
        Value::Null
    );
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}
