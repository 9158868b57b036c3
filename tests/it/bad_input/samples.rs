//! An input that is in order for each mutation, in an order in which all of them can be done.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{access, provider};
use crate::harness::{
    Answer, App, Client,
    authenticator::{Authenticator, STEP},
    evening::at,
    people::PASSWORD,
};

/// A mutation and its input; none where it takes none.
pub type Sample = (&'static str, Option<Value>);

/// What the samples name.
pub struct World {
    /// Owns the organization in which everything is done.
    pub owner: Client,
    /// One id of each kind that another organization has.
    pub foreign: Vec<String>,
    samples: Vec<Sample>,
    /// What the owner's authenticator app shows next.
    code: String,
}

impl World {
    pub async fn new(app: &App) -> Self {
        let (owner, foreigner) = (app.owner("jazz").await, app.owner("chess").await);
        let foreign = vec![
            foreigner.evening(json!({})).await,
            foreigner.patron("Eve").await,
            id(
                &foreigner,
                "{ members { nodes { id } } }",
                "/members/nodes/0/id",
            )
            .await,
            id(&foreigner, "{ organization { id } }", "/organization/id").await,
            id(
                &foreigner,
                "{ viewer { sessions { id } } }",
                "/viewer/sessions/0/id",
            )
            .await,
            start_import(&foreigner).await,
            access::team(&foreigner, "Foreign").await,
            access::invitation(&foreigner, "foreign@example.org").await,
            foreigner.machine(&[]).await.1,
            provider::linked(app, &foreigner).await,
        ];
        settle(app).await;
        let (event, patron) = (owner.evening(json!({})).await, owner.patron("Ada").await);
        let draft = owner.evening(json!({ "publish": false })).await;
        app.member(&owner, "viewer").await;
        let joining = app.sign_up("joiner").await;
        let login = id(
            &joining,
            "{ viewer { user { email } } }",
            "/viewer/user/email",
        )
        .await;
        let host = member(&owner, "owner").await;
        let organization = id(&owner, "{ organization { id } }", "/organization/id").await;
        let own = id(
            &owner,
            "{ viewer { user { username } } }",
            "/viewer/user/username",
        )
        .await;
        owner
            .done(
                "signIn",
                "__typename",
                json!({ "login": own, "password": PASSWORD }),
            )
            .await;
        let session = other_session(&owner).await;
        let address = id(
            &owner,
            "{ viewer { user { email } } }",
            "/viewer/user/email",
        )
        .await;
        let invited = access::invitation(&app.owner("opera").await, &address).await;
        let accepting = app.database.invitation_token(&invited).await;
        let who = json!({ "eventId": event, "patronId": patron });
        let (arrival, departure) = (Uuid::now_v7(), Uuid::now_v7());
        let scan = |id: Uuid, method: &str| {
            json!({
                "eventId": event, "patronId": patron, "scanId": id, "occurredAt": at(17, 30), "device": "Door", "method": method,
            })
        };
        let mut samples = vec![
            (
                "signUp",
                Some(json!({
                    "username": "newcomer", "email": "newcomer@example.org", "password": PASSWORD, "firstName": "New", "lastName": "Comer", "locale": "DE",
                    "organizationName": "Newcomers", "timeZone": "Europe/Vienna",
                })),
            ),
            (
                "signIn",
                Some(json!({ "login": own, "password": PASSWORD })),
            ),
            ("acceptInvitation", Some(json!({ "token": accepting }))),
            (
                "createOrganization",
                Some(json!({ "name": "Second", "slug": "second-club", "timeZone": "Asia/Tokyo" })),
            ),
            (
                "activateOrganization",
                Some(json!({ "organizationId": organization })),
            ),
            (
                "updateOrganization",
                Some(
                    json!({ "name": "Jazz", "slug": "jazz-renamed", "timeZone": "UTC", "metadata": { "a": [1] }, "auditRetentionDays": 400 }),
                ),
            ),
            (
                "createEvent",
                Some(json!({
                    "title": "New", "description": "About it", "location": "Here", "startsAt": at(19, 0), "endsAt": at(20, 0), "timeZone": "UTC",
                    "checkInOpensAt": at(18, 0), "checkInClosesAt": at(21, 0), "capacity": 5, "capacityPolicy": "SEATS",
                    "attendancePoints": 3, "hostId": host, "publish": true,
                })),
            ),
            (
                "updateEvent",
                Some(json!({
                    "eventId": event, "title": "Other", "description": "About it", "location": "Here", "startsAt": at(18, 30),
                    "endsAt": at(20, 0), "timeZone": "UTC", "checkInOpensAt": at(17, 0), "checkInClosesAt": at(21, 0), "capacity": 5,
                    "capacityPolicy": "ADVISORY", "attendancePoints": 3, "hostId": host,
                })),
            ),
            ("publishEvent", Some(json!({ "eventId": draft }))),
            (
                "createPatron",
                Some(
                    json!({ "firstName": "Bo", "lastName": "Best", "email": "bo@example.org", "phone": "+43 1 12345" }),
                ),
            ),
            (
                "updatePatron",
                Some(
                    json!({ "patronId": patron, "firstName": "Ada", "lastName": "L", "email": "ada@example.org", "phone": "12345" }),
                ),
            ),
            (
                "register",
                Some(json!({ "eventId": event, "patronId": patron, "seats": 2 })),
            ),
            ("cancelRegistration", Some(who.clone())),
            ("checkIn", Some(scan(arrival, "CODE"))),
            ("checkOut", Some(scan(departure, "KIOSK"))),
            (
                "revertCheckIn",
                Some(
                    json!({ "eventId": event, "patronId": patron, "scanId": Uuid::now_v7(), "scanToRevert": departure, "reason": "Mistake" }),
                ),
            ),
            (
                "recordScans",
                Some(json!({ "scans": [{
                "id": Uuid::now_v7(), "eventId": event, "patronId": patron, "direction": "OUT", "occurredAt": at(17, 50), "method": "MANUAL", "device": "Door",
            }] })),
            ),
            ("closeEvent", Some(json!({ "eventId": event }))),
            ("cancelEvent", Some(json!({ "eventId": event }))),
            ("deletePatron", Some(json!({ "patronId": patron }))),
            ("startImport", Some(import(&draft))),
            // Then comes the commit of what this starts, as `next_sample` says.
            ("revokeSession", Some(json!({ "sessionId": session }))),
        ];
        samples.extend(access::samples(app, &owner, &login).await);
        samples.extend(provider::samples(app, &owner).await);
        samples.extend(by_mail(app, &owner, &login).await);
        let begun = owner.begin_totp().await;
        let now = app.clock.now();
        samples.extend(of_an_account(&begun, now));
        Self {
            owner,
            foreign,
            samples,
            code: begun.code(now + STEP),
        }
    }

    /// The samples, the first to do last.
    pub fn first_samples(&self) -> Vec<Sample> {
        self.samples.iter().rev().cloned().collect()
    }

    /// What is only possible after `field` was done.
    pub async fn next_sample(&self, app: &App, field: &str, answer: &Answer) -> Option<Sample> {
        match field {
            "startImport" => {
                settle(app).await;
                let import = answer.body.pointer("/data/startImport/import/id")?;
                Some((
                    "commitImport",
                    Some(json!({ "importId": import, "createSuggested": true })),
                ))
            }
            "confirmSecondFactor" => {
                let query = "{ viewer { user { username } } }";
                let login = id(&self.owner, query, "/viewer/user/username").await;
                let input = json!({ "login": login, "password": PASSWORD });
                let waiting = app
                    .anonymous()
                    .done("signIn", "challenge { token }", input)
                    .await;
                let challenge = &waiting["challenge"]["token"];
                Some((
                    "completeSignIn",
                    Some(
                        json!({ "challenge": challenge, "code": self.code, "recoveryCode": null }),
                    ),
                ))
            }
            "commitImport" => {
                settle(app).await;
                None
            }
            _ => None,
        }
    }
}

/// What a person does with their own account, up to its end; `app` is an authenticator app of theirs.
fn of_an_account(app: &Authenticator, now: DateTime<Utc>) -> Vec<Sample> {
    vec![
        ("beginTotp", None),
        ("confirmTotp", Some(json!({ "code": app.code(now - STEP) }))),
        (
            "confirmSecondFactor",
            Some(json!({ "code": app.code(now), "recoveryCode": null })),
        ),
        // Then comes the end of a sign-in, as `next_sample` says.
        (
            "requireSecondFactor",
            Some(
                json!({ "everybody": false, "roles": ["checkin"], "permissions": ["audit:read"] }),
            ),
        ),
        ("regenerateRecoveryCodes", None),
        ("disableTotp", None),
        ("confirmPassword", Some(json!({ "password": PASSWORD }))),
        (
            "changePassword",
            Some(json!({ "currentPassword": PASSWORD, "newPassword": PASSWORD })),
        ),
        ("revokeOtherSessions", None),
        (
            "updateProfile",
            Some(json!({
                "firstName": "Ada", "lastName": "L", "phone": "+43 1 2345", "avatarUrl": "https://example.org/me.png", "locale": "DE",
            })),
        ),
        ("changeUsername", Some(json!({ "username": "renamed" }))),
        ("deleteAccount", None),
        ("signOut", None),
    ]
}

/// What takes a token that was mailed: to the owner, and to somebody who is signed out by it.
async fn by_mail(app: &App, owner: &Client, other: &str) -> Vec<Sample> {
    let own = id(owner, "{ viewer { user { email } } }", "/viewer/user/email").await;
    let token = app.database.token("verify_email", other, other);
    let verification = token.await;
    let token = app.database.token("reset_password", other, other);
    let reset = token.await;
    let token = app
        .database
        .token("change_email", &own, "moved@example.org");
    let change = token.await;
    vec![
        ("verifyEmail", Some(json!({ "token": verification }))),
        (
            "resetPassword",
            Some(json!({ "token": reset, "newPassword": PASSWORD })),
        ),
        (
            "requestPasswordReset",
            Some(json!({ "email": "forgetful@example.org" })),
        ),
        ("confirmEmailChange", Some(json!({ "token": change }))),
        (
            "requestEmailChange",
            Some(json!({ "email": "moving@example.org" })),
        ),
        ("requestEmailVerification", None),
    ]
}

pub async fn id(client: &Client, query: &str, pointer: &str) -> String {
    let data = client.ok(query, json!({})).await;
    data.pointer(pointer)
        .and_then(Value::as_str)
        .expect(pointer)
        .to_owned()
}

pub async fn member(client: &Client, role: &str) -> String {
    let data = client
        .ok("{ members { nodes { id role } } }", json!({}))
        .await;
    let members = data["members"]["nodes"]
        .as_array()
        .expect("members")
        .clone();
    let found = members.iter().find(|member| member["role"] == role);
    found
        .and_then(|member| member["id"].as_str())
        .expect(role)
        .to_owned()
}

async fn other_session(client: &Client) -> String {
    let data = client
        .ok("{ viewer { sessions { id current } } }", json!({}))
        .await;
    let sessions = data["viewer"]["sessions"]
        .as_array()
        .expect("sessions")
        .clone();
    let other = sessions.iter().find(|session| session["current"] == false);
    other
        .and_then(|session| session["id"].as_str())
        .expect("another session")
        .to_owned()
}

fn import(event: &str) -> Value {
    json!({
        // "First,Mail\nCy,cy@example.org\n"
        "fileName": "people.csv", "content": "Rmlyc3QsTWFpbApDeSxjeUBleGFtcGxlLm9yZwo=", "eventId": event, "preset": "CSV",
        "mapping": [{ "column": "First", "field": "FIRST_NAME" }, { "column": "Mail", "field": "EMAIL" }],
        "timeZone": "Europe/Vienna", "dayFirst": true,
    })
}

async fn start_import(client: &Client) -> String {
    let event = client.evening(json!({})).await;
    let payload = client
        .done("startImport", "import { id }", import(&event))
        .await;
    payload["import"]["id"].as_str().expect("an id").to_owned()
}

/// Waits until no job is left.
async fn settle(app: &App) {
    while app.database.number("SELECT count(*) FROM jobs").await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
