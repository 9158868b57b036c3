//! What is understood of each kind of file.

use serde_json::{Value, json};

use super::{commit, names, people, preview, verdicts};
use crate::harness::{App, on_each_database};

on_each_database!(at crate::harness::evening::at(22, 0); eventbrite, meetup_members, meetup_attendees, plain_text_with_a_mapping);

async fn eventbrite(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    let file = "Order #,Order Date,First Name,Last Name,Email,Quantity,Ticket Type,Attendee #,Attendee Status\n\
        11,2026-02-01,Ada,Lovelace,ada@example.org,2,General,901,Checked In\n\
        12,2026-02-01,Bo,Best,bo@example.org,1,General,902,Attending\n\
        13,2026-02-01,Cy,Cole,cy@example.org,1,General,903,Refunded\n\
        14,2026-02-01,Info Requested,Info Requested,buyer@example.org,1,General,904,Attending\n";
    let before = people(&app).await;
    let (id, import) = preview(&owner, file.as_bytes(), json!({ "eventId": event })).await;
    assert_eq!(
        (&import["status"], verdicts(&import)),
        (&json!("PREVIEWED"), [2, 0, 0, 2, 0])
    );
    assert_eq!(
        json!([
            import["file"]["preset"],
            import["file"]["encoding"],
            import["file"]["separator"]
        ]),
        json!(["EVENTBRITE_ATTENDEES", "UTF_8", ","])
    );
    assert_eq!(people(&app).await, before, "a dry run changes nothing");

    let import = commit(&owner, &id).await;
    assert_eq!(
        (&import["status"], &import["rowsDone"]),
        (&json!("COMMITTED"), &json!(4))
    );
    assert_eq!(
        names(&owner).await,
        ["Bo Best bo@example.org -", "Ada Lovelace ada@example.org -"]
    );
    assert_eq!(owner.counts(&event).await, [2, 3, 1, 0]);
    assert_eq!(owner.states(&event).await, ["Ada ATTENDED", "Bo NO_SHOW"]);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn meetup_members(app: App) {
    let owner = app.owner("jazz").await;
    let file = "Name\tUser ID\tTitle\tMember ID\tLocation\tJoined Group on\tLast visited group on\tLast Attended\n\
        Zoë Ñandú\tuser 17\t\t17\tVienna\t01/02/2020\t03/04/2025\t\n\
        Prince\tuser 18\t\t18\tVienna\t01/02/2020\t03/04/2025\t\n";
    let (id, import) = preview(
        &owner,
        file.as_bytes(),
        json!({ "fileName": "members.xls" }),
    )
    .await;
    assert_eq!(
        (&import["file"]["preset"], verdicts(&import)),
        (&json!("MEETUP_MEMBERS"), [2, 0, 0, 0, 0])
    );
    assert_eq!(
        json!([import["file"]["separator"], import["fileName"]]),
        json!(["\t", "members.xls"])
    );
    commit(&owner, &id).await;
    assert_eq!(names(&owner).await, ["Zoë Ñandú - -", "Prince - -"]);
    // The next month's list knows them by their ids, whatever they are called by then.
    let file = file
        .replace("Prince", "The Artist")
        .replace("17\t\t17", "19\t\t19")
        .replace("Zoë Ñandú", "Someone New");
    let (id, import) = preview(&owner, file.as_bytes(), json!({})).await;
    assert_eq!(verdicts(&import), [1, 1, 0, 0, 0]);
    commit(&owner, &id).await;
    assert_eq!(names(&owner).await.len(), 3);
    app.stop().await;
}

async fn meetup_attendees(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({ "attendancePoints": 5 })).await;
    let file = "Name\tAttendance\tUser ID\tTitle\tEvent Host\tRSVP\tGuests\tRSVPed on\tJoined Group on\tURL of Member Profile\n\
        Ada L\tAttended\tuser 1\t\t\tYes\t2\tFebruary 1, 2026\t\t\n\
        Bo B\tNo-show\tuser 2\t\t\tYes\t0\tFebruary 1, 2026\t\t\n\
        Cy C\t\tuser 3\t\t\tNo\t0\tFebruary 1, 2026\t\t\n\
        Di D\tAttended\tuser 4\t\t\tNo\t0\tFebruary 1, 2026\t\t\n";
    let (id, import) = preview(&owner, file.as_bytes(), json!({ "eventId": event })).await;
    assert_eq!(
        (&import["file"]["preset"], verdicts(&import)),
        (&json!("MEETUP_ATTENDEES"), [3, 0, 0, 1, 0])
    );
    commit(&owner, &id).await;
    assert_eq!(
        owner.states(&event).await,
        ["Ada ATTENDED", "Bo NO_SHOW", "Di ATTENDED"]
    );
    assert_eq!(owner.counts(&event).await, [2, 5, 2, 0]);
    let points = owner
        .ok("{ patrons { nodes { points } } }", json!({}))
        .await;
    assert_eq!(
        points["patrons"]["nodes"],
        json!([{ "points": 0 }, { "points": 5 }, { "points": 5 }]),
        "by name: B, D, L"
    );
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn plain_text_with_a_mapping(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    let text = "Vorname;Zuname;Post;Tel;Da seit;Weg\n\
        Zoë;Ñandú;zoe@example.org;\"+43 (1) 2345\";01/03/2026 19:05;01/03/2026 20:05\n\
        \"Ada; die Erste\";L;;0664 12345;;\n";
    let mut utf_16: Vec<u8> = vec![0xFF, 0xFE];
    utf_16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let mapping = json!([
        { "column": "Vorname", "field": "FIRST_NAME" }, { "column": "Zuname", "field": "LAST_NAME" }, { "column": "Post", "field": "EMAIL" },
        { "column": "Tel", "field": "PHONE" }, { "column": "Da seit", "field": "ARRIVED_AT" }, { "column": "Weg", "field": "LEFT_AT" },
    ]);
    let more = json!({ "mapping": mapping, "eventId": event, "timeZone": "UTC", "dayFirst": true, "preset": "CSV" });
    let (id, import) = preview(&owner, &utf_16, more).await;
    assert_eq!(
        json!([import["file"]["encoding"], import["file"]["separator"]]),
        json!(["UTF_16_LE", ";"])
    );
    assert_eq!(
        import["file"]["columns"],
        json!(["Vorname", "Zuname", "Post", "Tel", "Da seit", "Weg"])
    );
    assert_eq!(verdicts(&import), [2, 0, 0, 0, 0]);
    commit(&owner, &id).await;
    assert_eq!(
        names(&owner).await,
        [
            "Ada; die Erste L - 066412345",
            "Zoë Ñandú zoe@example.org +4312345"
        ]
    );
    let query = "query($id: ID!) { event(id: $id) { attendances { nodes { checkInTime checkOutTime secondsPresent patron { firstName } } } } }";
    let data = owner.ok(query, json!({ "id": event })).await;
    let nodes = data["event"]["attendances"]["nodes"]
        .as_array()
        .expect("attendances")
        .clone();
    let zoe = nodes
        .iter()
        .find(|node| node["patron"]["firstName"] == "Zoë")
        .expect("Zoë");
    let expected = json!([
        crate::harness::evening::told(crate::harness::evening::at(19, 5)),
        3600
    ]);
    assert_eq!(json!([zoe["checkInTime"], zoe["secondsPresent"]]), expected);
    // Without the mapping nobody could be made out: that is told, and nothing is written.
    let (_, import) = preview(&owner, &utf_16, json!({})).await;
    assert_eq!(
        (&import["status"], verdicts(&import)[4] > 0),
        (&Value::from("PREVIEWED"), true)
    );
    app.database.must_be_consistent().await;
    app.stop().await;
}
