//! From a first sign-up to a first check-in, as two people would come to it: through mail, a second
//! factor and an invitation, and through GraphQL alone.

use chrono::TimeDelta;
use serde_json::json;

use crate::harness::{App, authenticator::STEP, mail::OUTBOX, on_each_database, people::PASSWORD};

on_each_database!(at crate::harness::evening::at(12, 0); two_people_open_a_club_and_its_door);

async fn two_people_open_a_club_and_its_door(app: App) {
    let app = app.with(&[OUTBOX]).await;
    let address = |name: &str| format!("{name}@example.org");

    // Ada signs up with her club, and confirms her address.
    let visitor = app.anonymous();
    let account = json!({
        "username": "ada", "email": address("ada"), "password": PASSWORD,
        "firstName": "Ada", "lastName": "Test",
        "organizationName": "Riverside club", "timeZone": "Europe/Vienna",
    });
    let ada = visitor.holding(&visitor.done("signUp", "token", account).await);
    let mail = app.mail("verify_email", &address("ada"), 1).await;
    let proved = json!({ "token": mail["token"] });
    visitor.done("verifyEmail", "__typename", proved).await;

    // She adds a second factor, and wants one of everybody who runs the club.
    let (ada, phone, _) = ada.with_app(app.clock.now()).await;
    let wanted = json!({ "everybody": false, "roles": ["organizer"], "permissions": [] });
    ada.done("requireSecondFactor", "__typename", wanted).await;

    // She invites Bob, who has no account.
    let invited = json!({ "email": address("bob"), "role": "organizer" });
    ada.done("createInvitation", "__typename", invited).await;
    let mail = app.mail("invitation", &address("bob"), 1).await;
    let account = json!({
        "username": "bob", "email": address("bob"), "password": PASSWORD,
        "firstName": "Bob", "lastName": "Test",
    });
    let bob = visitor.holding(&visitor.done("signUp", "token", account).await);
    let accepted = json!({ "token": mail["token"] });
    let accepted = bob
        .done("acceptInvitation", "organization { slug name }", accepted)
        .await;
    assert_eq!(accepted["organization"]["name"], "Riverside club");
    let slug = accepted["organization"]["slug"].as_str().expect("a slug");
    let bob = bob.acting_in(slug);

    // A password is not enough for what he is to do.
    let starts = app.clock.now() + TimeDelta::hours(1);
    let night = json!({
        "title": "Jazz night", "startsAt": starts, "endsAt": starts + TimeDelta::hours(3), "publish": true,
    });
    assert_eq!(
        bob.denied("createEvent", night.clone()).await,
        "SECOND_FACTOR_REQUIRED"
    );
    let (bob, _, _) = bob.with_app(app.clock.now()).await;
    let event = bob.done("createEvent", "event { id }", night).await;
    let person = json!({ "firstName": "Guest", "lastName": "Test" });
    let patron = bob.done("createPatron", "patron { id }", person).await;

    // The evening comes. Ada signs in anew, with her password and what her phone shows.
    app.clock.set(starts + TimeDelta::minutes(5));
    let password = json!({ "login": "ada", "password": PASSWORD });
    let waiting = visitor
        .done("signIn", "token challenge { token factors }", password)
        .await;
    assert!(waiting["token"].is_null(), "{waiting:#}");
    let code = phone.code(app.clock.now() + STEP);
    let given = json!({ "challenge": waiting["challenge"]["token"], "code": code });
    let ada = visitor.holding(&visitor.done("completeSignIn", "token", given).await);

    // Bob's guest comes, and Ada sees it.
    let (event, patron) = (&event["event"]["id"], &patron["patron"]["id"]);
    let arrival = json!({ "eventId": event, "patronId": patron });
    let arrived = bob.done("checkIn", "outcome", arrival).await;
    assert_eq!(arrived["outcome"], "CHECKED_IN");
    let seen = ada
        .ok(
            "query($id: ID!) { event(id: $id) { insideCount attendances { nodes { state patron { firstName } } } } }",
            json!({ "id": event }),
        )
        .await;
    assert_eq!(seen["event"]["insideCount"], 1);
    let guest = &seen["event"]["attendances"]["nodes"][0];
    assert_eq!(guest["patron"]["firstName"], "Guest");
    app.stop().await;
}
