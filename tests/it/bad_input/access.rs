//! An input that is in order for each mutation of who belongs, and what they may do.

use serde_json::json;

use super::samples::{Sample, id, member};
use crate::harness::{App, Client};

/// The samples in their order, for the owner of an organization with a viewer in it; `login` is the
/// address of somebody who does not belong yet.
pub async fn samples(app: &App, owner: &Client, login: &str) -> Vec<Sample> {
    let (host, member) = (member(owner, "owner").await, member(owner, "viewer").await);
    // The owner belongs to another organization, too, and can leave it.
    let elsewhere = app.owner("choir").await;
    let own = id(owner, "{ viewer { user { email } } }", "/viewer/user/email").await;
    for address in [&*own, login] {
        app.prove(address).await;
    }
    let access = json!({ "email": own, "role": "member" });
    elsewhere.done("addMember", "__typename", access).await;
    let elsewhere = id(&elsewhere, "{ organization { id } }", "/organization/id").await;
    let (choir, basses) = (team(owner, "Choir").await, team(owner, "Basses").await);
    let open = [
        invitation(owner, "one@example.org").await,
        invitation(owner, "two@example.org").await,
    ];
    let until = app.clock.now() + chrono::TimeDelta::days(30);
    let (_, machine) = owner.machine(&["events:read"]).await;
    let door = owner.evening(json!({ "title": "Door" })).await;
    let declining = app.database.invitation_token(&open[0]).await;
    let place = json!({ "teamId": choir, "memberId": member });
    vec![
        (
            "addMember",
            Some(json!({ "email": login, "role": "organizer" })),
        ),
        (
            "changeMemberRole",
            Some(json!({ "memberId": member, "role": "checkin" })),
        ),
        // Who owns it already: the others' samples go on as the owner.
        ("transferOwnership", Some(json!({ "memberId": host }))),
        (
            "updateMember",
            Some(json!({ "memberId": member, "externalId": "77", "metadata": { "a": [1] } })),
        ),
        (
            "grantMemberRole",
            Some(json!({ "memberId": member, "role": "viewer" })),
        ),
        (
            "withdrawMemberRole",
            Some(json!({ "memberId": member, "role": "viewer" })),
        ),
        (
            "createRole",
            Some(
                json!({ "name": "Treasurer", "slug": "treasurer", "description": "Money", "permissions": ["loyalty:read"] }),
            ),
        ),
        (
            "updateRole",
            Some(
                json!({ "slug": "treasurer", "name": "Bursar", "description": "Coins", "permissions": ["events:read"] }),
            ),
        ),
        ("deleteRole", Some(json!({ "slug": "treasurer" }))),
        (
            "createTeam",
            Some(json!({ "name": "Band", "description": "Brass", "parentId": choir })),
        ),
        (
            "updateTeam",
            Some(
                json!({ "teamId": basses, "name": "Low", "description": "Voices", "parentId": choir }),
            ),
        ),
        (
            "grantTeamRole",
            Some(json!({ "teamId": choir, "role": "checkin" })),
        ),
        (
            "withdrawTeamRole",
            Some(json!({ "teamId": choir, "role": "checkin" })),
        ),
        ("addTeamMember", Some(place.clone())),
        ("removeTeamMember", Some(place)),
        ("deleteTeam", Some(json!({ "teamId": basses }))),
        (
            "leaveOrganization",
            Some(json!({ "organizationId": elsewhere })),
        ),
        ("removeMember", Some(json!({ "memberId": member }))),
        (
            "createInvitation",
            Some(json!({ "email": "guest@example.org", "role": "viewer" })),
        ),
        (
            "importInvitations",
            // "email\nfile@example.org\n"
            Some(json!({ "content": "ZW1haWwKZmlsZUBleGFtcGxlLm9yZwo=", "role": "viewer" })),
        ),
        ("declineInvitation", Some(json!({ "token": declining }))),
        (
            "createApiKey",
            Some(
                json!({ "name": "Partner", "permissions": ["attendance:read"], "expiresAt": until }),
            ),
        ),
        (
            "createDeviceKey",
            Some(json!({ "name": "Door", "eventId": door })),
        ),
        (
            "updateApiKey",
            Some(json!({ "apiKeyId": machine, "name": "Renamed" })),
        ),
        (
            "rotateApiKey",
            Some(json!({ "apiKeyId": machine, "overlapHours": 2, "expiresAt": until })),
        ),
        ("adoptApiKey", Some(json!({ "apiKeyId": machine }))),
        ("revokeApiKey", Some(json!({ "apiKeyId": machine }))),
        ("resendInvitation", Some(json!({ "invitationId": open[1] }))),
        ("revokeInvitation", Some(json!({ "invitationId": open[1] }))),
    ]
}

pub async fn team(client: &Client, name: &str) -> String {
    let made = client
        .done("createTeam", "team { id }", json!({ "name": name }))
        .await;
    made["team"]["id"].as_str().expect("an id").to_owned()
}

pub async fn invitation(client: &Client, email: &str) -> String {
    let input = json!({ "email": email, "role": "member" });
    let made = client
        .done("createInvitation", "invitation { id }", input)
        .await;
    made["invitation"]["id"].as_str().expect("an id").to_owned()
}
