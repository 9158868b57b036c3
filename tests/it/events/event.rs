//! Making and changing an event.

use serde_json::{Value, json};

use crate::harness::{
    App,
    evening::{at, told},
    on_each_database,
};

on_each_database!(at crate::harness::evening::at(18, 0);
    what_is_left_out_has_a_default,
    the_door_moves_with_the_event,
    everything_wrong_is_told_at_once,
    the_door_is_open_while_the_event_is_on,
    a_time_that_cannot_be_read_is_explained,
    each_step_happens_once,
    only_some_may_plan_events,
);

const ALL: &str = "event { title description location startsAt endsAt timeZone checkInOpensAt checkInClosesAt status capacity capacityPolicy attendancePoints host { role } }";

async fn what_is_left_out_has_a_default(app: App) {
    let owner = app.owner("jazz").await;
    let input =
        json!({ "title": " Night ", "startsAt": "2026-03-01T20:00:00+01:00", "endsAt": at(21, 0) });
    let payload = owner.done("createEvent", ALL, input).await;
    let expected = json!({
        "title": "Night", "description": "", "location": "", "startsAt": told(at(19, 0)), "endsAt": told(at(21, 0)), "timeZone": "Europe/Vienna",
        "checkInOpensAt": told(at(17, 0)), "checkInClosesAt": told(at(23, 0)), "status": "DRAFT", "capacity": null,
        "capacityPolicy": "ADVISORY", "attendancePoints": 10, "host": null,
    });
    assert_eq!(payload["event"], expected);
    // Finer times than are kept are kept as they are answered.
    let input = json!({ "title": "Fine", "startsAt": "2026-03-01T19:00:00.123456789Z", "endsAt": at(21, 0) });
    let payload = owner
        .done("createEvent", "event { id startsAt checkInOpensAt }", input)
        .await;
    let query = "query($id: ID!) { event(id: $id) { id startsAt checkInOpensAt } }";
    assert_eq!(
        owner
            .ok(query, json!({ "id": payload["event"]["id"] }))
            .await["event"],
        payload["event"]
    );
    app.stop().await;
}

async fn the_door_moves_with_the_event(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner
        .evening(json!({ "capacity": 5, "description": "About it" }))
        .await;
    let change = |more: Value| {
        let (owner, mut input) = (owner.clone(), json!({ "eventId": event }));
        input
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        async move { owner.done("updateEvent", ALL, input).await["event"].clone() }
    };
    let moved = change(json!({ "startsAt": at(20, 0), "endsAt": at(21, 30) })).await;
    assert_eq!(
        json!([moved["checkInOpensAt"], moved["checkInClosesAt"]]),
        json!([told(at(18, 0)), told(at(23, 30))])
    );
    let set = change(json!({ "startsAt": at(19, 0), "checkInOpensAt": at(18, 30) })).await;
    assert_eq!(
        json!([set["checkInOpensAt"], set["checkInClosesAt"]]),
        json!([told(at(18, 30)), told(at(23, 30))])
    );
    assert_eq!(
        (&set["capacity"], &set["description"]),
        (&json!(5), &json!("About it")),
        "what is left out stays"
    );
    let cleared = change(json!({ "capacity": null, "description": "", "title": null })).await;
    assert_eq!(
        json!([
            cleared["capacity"],
            cleared["description"],
            cleared["title"]
        ]),
        json!([null, "", "Evening"])
    );
    app.stop().await;
}

async fn everything_wrong_is_told_at_once(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    let wrong = json!({
        "title": " ", "description": "x".repeat(10_001), "location": "x".repeat(201), "startsAt": at(21, 0), "endsAt": at(19, 0),
        "timeZone": "Mars", "checkInOpensAt": at(22, 0), "checkInClosesAt": at(22, 0), "capacity": -1, "attendancePoints": -1,
    });
    let expected = [
        "REQUIRED input.title",
        "TOO_LONG input.description",
        "TOO_LONG input.location",
        "INVALID input.timeZone",
        "INVALID input.endsAt",
        "INVALID input.checkInClosesAt",
        "INVALID input.capacity",
        "INVALID input.attendancePoints",
    ];
    let before = app.database.holdings().await;
    assert_eq!(owner.refused("createEvent", wrong.clone()).await, expected);
    let mut update = wrong;
    update["eventId"] = json!(event);
    assert_eq!(owner.refused("updateEvent", update).await, expected);
    for (starts_at, ends_at, field) in [
        ("1899-12-31T23:00:00Z", "1900-01-01T00:00:00Z", "startsAt"),
        ("2999-12-31T23:00:00Z", "3000-01-01T00:00:00Z", "endsAt"),
        ("2026-01-01T00:00:00Z", "2027-01-02T00:00:01Z", "endsAt"),
    ] {
        let refused = owner
            .refused(
                "createEvent",
                json!({ "title": "Odd", "startsAt": starts_at, "endsAt": ends_at }),
            )
            .await;
        assert!(
            refused.contains(&format!("INVALID input.{field}")),
            "{refused:?}"
        );
    }
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}

async fn the_door_is_open_while_the_event_is_on(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    let before = app.database.holdings().await;
    for (opens, closes, field) in [
        (at(21, 0), at(23, 0), "checkInOpensAt"),
        (at(22, 0), at(23, 0), "checkInOpensAt"),
        (at(17, 0), at(19, 0), "checkInClosesAt"),
        (at(17, 0), at(18, 0), "checkInClosesAt"),
    ] {
        let mut input = json!({
            "title": "Night", "startsAt": at(19, 0), "endsAt": at(21, 0),
            "checkInOpensAt": opens, "checkInClosesAt": closes,
        });
        let refusal = [format!("INVALID input.{field}")];
        assert_eq!(owner.refused("createEvent", input.clone()).await, refusal);
        input["eventId"] = json!(event);
        assert_eq!(owner.refused("updateEvent", input).await, refusal);
    }
    assert_eq!(app.database.holdings().await, before);
    // As late, and as briefly, as can be.
    let input = json!({
        "title": "Night", "startsAt": at(19, 0), "endsAt": at(21, 0),
        "checkInOpensAt": at(20, 59), "checkInClosesAt": at(21, 0),
    });
    owner.done("createEvent", "__typename", input).await;
    app.stop().await;
}

/// In a variable or in the text, in an input or an argument: the answer says how one is written.
async fn a_time_that_cannot_be_read_is_explained(app: App) {
    let owner = app.owner("jazz").await;
    let before = app.database.holdings().await;
    for time in ["yesterday", "10000-01-01T00:00:00Z", "2026-11-21"] {
        let input = json!({ "title": "Night", "startsAt": time, "endsAt": at(21, 0) });
        let answers = [
            owner.mutate("createEvent", "__typename", input).await,
            owner
                .send(
                    &format!("{{ events(filter: {{ from: \"{time}\" }}) {{ totalCount }} }}"),
                    json!({}),
                )
                .await,
        ];
        for (answer, place) in answers.iter().zip(["CreateEventInput", "EventFilter"]) {
            let message = answer.body["errors"][0]["message"].as_str();
            let message = message.expect("a message");
            assert_eq!(answer.codes(), ["GRAPHQL_VALIDATION_FAILED"]);
            for said in ["2026-11-21T19:30:00Z", "1 to 9999", time, place] {
                assert!(message.contains(said), "{time}: {message}");
            }
        }
    }
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}

async fn each_step_happens_once(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({ "publish": false })).await;
    let which = json!({ "eventId": event });
    let not_open = ["EVENT_NOT_OPEN input.eventId"];
    assert_eq!(
        owner.refused("closeEvent", which.clone()).await,
        not_open,
        "a draft"
    );
    for (field, status) in [
        ("publishEvent", "SCHEDULED"),
        ("closeEvent", "COMPLETED"),
        ("cancelEvent", "CANCELLED"),
    ] {
        assert_eq!(
            owner.done(field, "event { status }", which.clone()).await["event"]["status"],
            status
        );
        let before = app.database.holdings().await;
        assert_eq!(
            owner.done(field, "event { status }", which.clone()).await["event"]["status"],
            status,
            "{field} again"
        );
        assert_eq!(app.database.holdings().await, before);
    }
    let other = owner.evening(json!({})).await;
    owner
        .done("cancelEvent", "__typename", json!({ "eventId": other }))
        .await;
    assert_eq!(
        owner
            .refused("closeEvent", json!({ "eventId": other }))
            .await,
        not_open,
        "a cancelled one"
    );
    app.stop().await;
}

async fn only_some_may_plan_events(app: App) {
    let (owner, foreigner) = (app.owner("jazz").await, app.owner("chess").await);
    let event = owner.evening(json!({ "publish": false })).await;
    let mutations = [
        (
            "createEvent",
            json!({ "title": "New", "startsAt": at(19, 0), "endsAt": at(20, 0) }),
        ),
        ("updateEvent", json!({ "eventId": event, "title": "Other" })),
        ("publishEvent", json!({ "eventId": event })),
        ("closeEvent", json!({ "eventId": event })),
        ("cancelEvent", json!({ "eventId": event })),
    ];
    let before = app.database.holdings().await;
    for (field, input) in &mutations[1..] {
        assert_eq!(
            foreigner.refused(field, input.clone()).await,
            ["NOT_FOUND input.eventId"],
            "{field}"
        );
        assert_eq!(
            app.anonymous().denied(field, input.clone()).await,
            "UNAUTHENTICATED"
        );
    }
    assert_eq!(app.database.holdings().await, before);
    for role in ["checkin", "viewer", "member", "organizer"] {
        let member = app.member(&owner, role).await;
        for (field, input) in &mutations {
            let before = app.database.holdings().await;
            if role == "organizer" {
                member.done(field, "__typename", input.clone()).await;
            } else {
                assert_eq!(
                    member.denied(field, input.clone()).await,
                    "FORBIDDEN",
                    "{role} {field}"
                );
                assert_eq!(app.database.holdings().await, before);
            }
        }
        // Everybody who belongs sees what is on.
        member.ok("{ events { nodes { title } } }", json!({})).await;
    }
    app.stop().await;
}
