//! Invitations: by address, with or without an account, once.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::role::{own_id, permissions};
use crate::harness::{
    App, Client, door::at_once, evening::at, mail::OUTBOX, on_each_database, people::PASSWORD,
};

on_each_database!(at crate::harness::evening::at(12, 0);
    somebody_without_an_account_comes_by_mail,
    somebody_with_an_account_accepts_or_declines,
    of_a_hundred_who_accept_at_once_one_does,
    an_invitation_is_its_addresss_alone,
    an_invitation_lasts_a_week_and_can_be_sent_again,
    what_was_taken_back_opens_nothing,
    nobody_invites_to_more_than_they_hold,
    whoever_invited_is_asked_again,
    only_some_may_invite,
);

async fn invite(client: &Client, email: &str, role: &str) -> Value {
    let input = json!({ "email": email, "role": role });
    let payload = client
        .done(
            "createInvitation",
            "invitation { id status expiresAt }",
            input,
        )
        .await;
    payload["invitation"].clone()
}

pub async fn token(app: &App, email: &str, count: usize) -> String {
    let mail = app.mail("invitation", email, count).await;
    mail["token"].as_str().expect("a token").to_owned()
}

pub async fn email(client: &Client) -> String {
    let me = client.ok("{ viewer { user { email } } }", json!({})).await;
    let email = me["viewer"]["user"]["email"].as_str();
    email.expect("an address").to_owned()
}

async fn statuses(client: &Client) -> Vec<String> {
    let query = "{ invitations { nodes { status } } }";
    let found = client.ok(query, json!({})).await;
    let nodes = found["invitations"]["nodes"].as_array().expect("a list");
    let status = |node: &Value| node["status"].as_str().expect("a status").to_owned();
    let mut statuses: Vec<String> = nodes.iter().map(status).collect();
    // They came at one moment.
    statuses.sort();
    statuses
}

async fn somebody_without_an_account_comes_by_mail(app: App) {
    let app = app.with(&[OUTBOX]).await;
    let owner = app.owner("jazz").await;
    let invitation = invite(&owner, " New@Example.org", "organizer").await;
    assert_eq!(invitation["status"], "PENDING");
    let mail = app.mail("invitation", "new@example.org", 1).await;
    assert!(mail["text"].as_str().expect("a text").contains("jazz club"));
    let token = mail["token"].as_str().expect("a token");
    let preview = app
        .anonymous()
        .ok(
            "query($token: String!) { invitationPreview(token: $token) { email organizationName roleName status } }",
            json!({ "token": token }),
        )
        .await;
    assert_eq!(
        preview["invitationPreview"],
        json!({ "email": "new@example.org", "organizationName": "jazz club", "roleName": "Organizer", "status": "PENDING" })
    );
    // One operation signs up and accepts, as whoever that made.
    let data = app
        .anonymous()
        .ok(
            "mutation($who: SignUpInput!, $which: AcceptInvitationInput!) {
                signUp(input: $who) { token errors { message } }
                acceptInvitation(input: $which) { organization { name } errors { message } }
            }",
            json!({
                "who": { "username": "newcomer", "email": "new@example.org", "password": PASSWORD, "firstName": "New" },
                "which": { "token": token },
            }),
        )
        .await;
    assert_eq!(
        data["acceptInvitation"]["organization"]["name"],
        "jazz club"
    );
    let newcomer = app
        .anonymous()
        .with_token(data["signUp"]["token"].as_str().expect("a token"));
    let me = newcomer
        .ok(
            "{ viewer { emailVerified organizations { role organization { name } } } events { nodes { id } } }",
            json!({}),
        )
        .await;
    assert_eq!(me["viewer"]["emailVerified"], true, "the token was proof");
    assert_eq!(me["viewer"]["organizations"][0]["role"], "organizer");
    assert_eq!(statuses(&owner).await, ["ACCEPTED"]);
    let again = json!({ "token": token });
    assert_eq!(
        newcomer.refused("acceptInvitation", again.clone()).await,
        ["INVALID_TOKEN input.token"]
    );
    let gone = app
        .anonymous()
        .ok(
            "query($token: String!) { invitationPreview(token: $token) { email } }",
            again,
        )
        .await;
    assert_eq!(gone["invitationPreview"], Value::Null);
    app.stop().await;
}

async fn somebody_with_an_account_accepts_or_declines(app: App) {
    let app = app.with(&[OUTBOX]).await;
    let (owner, bo, cy) = (
        app.owner("jazz").await,
        app.sign_up("bo").await,
        app.sign_up("cy").await,
    );
    for client in [&bo, &cy] {
        invite(&owner, &email(client).await, "viewer").await;
    }
    let accept = json!({ "token": token(&app, &email(&bo).await, 1).await });
    let decline = json!({ "token": token(&app, &email(&cy).await, 1).await });
    assert_eq!(
        app.anonymous()
            .denied("acceptInvitation", accept.clone())
            .await,
        "UNAUTHENTICATED"
    );
    bo.done("acceptInvitation", "organization { id }", accept)
        .await;
    app.anonymous()
        .done("declineInvitation", "__typename", decline.clone())
        .await;
    assert_eq!(
        cy.refused("acceptInvitation", decline).await,
        ["INVALID_TOKEN input.token"]
    );
    assert_eq!(statuses(&owner).await, ["ACCEPTED", "DECLINED"]);
    let before = app.database.holdings().await;
    assert_eq!(
        owner
            .refused(
                "createInvitation",
                json!({ "email": email(&bo).await, "role": "viewer" })
            )
            .await,
        ["TAKEN input.email"]
    );
    assert_eq!(app.database.holdings().await, before);
    // Who said no may be asked again.
    invite(&owner, &email(&cy).await, "viewer").await;
    app.stop().await;
}

async fn of_a_hundred_who_accept_at_once_one_does(app: App) {
    let app = app.with(&[OUTBOX]).await;
    let (owner, bo) = (app.owner("jazz").await, app.sign_up("bo").await);
    let address = email(&bo).await;
    invite(&owner, &address, "viewer").await;
    let accept = json!({ "token": token(&app, &address, 1).await });
    let tries = (0..100).map(|_| {
        let (bo, accept) = (bo.clone(), accept.clone());
        async move {
            bo.mutate("acceptInvitation", "organization { id }", accept)
                .await
        }
    });
    let answers = at_once(tries).await;
    let won = answers
        .iter()
        .filter(|answer| !answer.body["data"]["acceptInvitation"]["organization"].is_null());
    assert_eq!(won.count(), 1);
    let members = "SELECT count(*) FROM members JOIN organizations ON organizations.id = members.organization_id WHERE slug LIKE 'jazz%'";
    assert_eq!(app.database.number(members).await, 2);
    let logged = "SELECT count(*) FROM changes WHERE kind = 'invitation.accepted'";
    assert_eq!(app.database.number(logged).await, 1);
    app.stop().await;
}

async fn an_invitation_is_its_addresss_alone(app: App) {
    let app = app.with(&[OUTBOX]).await;
    let (owner, thief) = (app.owner("jazz").await, app.owner("chess").await);
    let invitation = invite(&owner, "bo@example.org", "viewer").await;
    let accept = json!({ "token": token(&app, "bo@example.org", 1).await });
    app.mailed().await;
    let before = app.database.everything().await;
    assert_eq!(
        thief.refused("acceptInvitation", accept).await,
        ["WRONG_STATE input.token"]
    );
    // Its id opens nothing.
    for wrong in [invitation["id"].clone(), json!(""), json!("x".repeat(43))] {
        assert_eq!(
            thief
                .refused("acceptInvitation", json!({ "token": wrong }))
                .await,
            ["INVALID_TOKEN input.token"]
        );
    }
    for field in ["resendInvitation", "revokeInvitation"] {
        let foreign = json!({ "invitationId": invitation["id"] });
        assert_eq!(
            thief.refused(field, foreign).await,
            ["NOT_FOUND input.invitationId"]
        );
    }
    assert_eq!(app.database.everything().await, before);
    app.stop().await;
}

async fn an_invitation_lasts_a_week_and_can_be_sent_again(app: App) {
    let app = app.with(&[OUTBOX]).await;
    let (owner, bo) = (app.owner("jazz").await, app.sign_up("bo").await);
    let address = email(&bo).await;
    let invitation = invite(&owner, &address, "viewer").await;
    let first = token(&app, &address, 1).await;
    assert_eq!(
        owner
            .refused(
                "createInvitation",
                json!({ "email": address, "role": "member" })
            )
            .await,
        ["TAKEN input.email"]
    );
    app.clock.set(at(12, 0) + TimeDelta::days(7));
    // Their sessions go on, whatever the time.
    assert_eq!(
        bo.refused("acceptInvitation", json!({ "token": first }))
            .await,
        ["INVALID_TOKEN input.token"]
    );
    assert_eq!(statuses(&owner).await, ["EXPIRED"]);
    let resend = json!({ "invitationId": invitation["id"] });
    owner
        .done("resendInvitation", "invitation { status }", resend)
        .await;
    let second = token(&app, &address, 2).await;
    assert_ne!(first, second);
    assert_eq!(
        bo.refused("acceptInvitation", json!({ "token": first }))
            .await,
        ["INVALID_TOKEN input.token"]
    );
    bo.done("acceptInvitation", "__typename", json!({ "token": second }))
        .await;
    // One that nobody answered makes room for another.
    invite(&owner, "cy@example.org", "viewer").await;
    app.clock.set(at(12, 0) + TimeDelta::days(14));
    invite(&owner, "cy@example.org", "member").await;
    assert_eq!(statuses(&owner).await, ["ACCEPTED", "EXPIRED", "PENDING"]);
    app.stop().await;
}

async fn what_was_taken_back_opens_nothing(app: App) {
    let app = app.with(&[OUTBOX]).await;
    let (owner, bo) = (app.owner("jazz").await, app.sign_up("bo").await);
    let address = email(&bo).await;
    let invitation = invite(&owner, &address, "viewer").await;
    let token = token(&app, &address, 1).await;
    let which = json!({ "invitationId": invitation["id"] });
    owner
        .done("revokeInvitation", "invitation { status }", which.clone())
        .await;
    assert_eq!(
        bo.refused("acceptInvitation", json!({ "token": token }))
            .await,
        ["INVALID_TOKEN input.token"]
    );
    for field in ["revokeInvitation", "resendInvitation"] {
        assert_eq!(
            owner.refused(field, which.clone()).await,
            ["WRONG_STATE input.invitationId"]
        );
    }
    app.stop().await;
}

async fn nobody_invites_to_more_than_they_hold(app: App) {
    let owner = app.owner("jazz").await;
    let role = json!({ "name": "Host", "slug": "host", "permissions": ["invitations:create", "events:read"] });
    owner.done("createRole", "__typename", role).await;
    let host = app.member(&owner, "host").await;
    let before = app.database.holdings().await;
    for (role, refusal) in [
        ("admin", "ABOVE_OWN_ROLE input.role"),
        ("owner", "LAST_OWNER input.role"),
        ("king", "NOT_FOUND input.role"),
    ] {
        let input = json!({ "email": "new@example.org", "role": role });
        assert_eq!(host.refused("createInvitation", input).await, [refusal]);
    }
    assert_eq!(app.database.holdings().await, before);
    invite(&host, "new@example.org", "member").await;
    app.stop().await;
}

async fn whoever_invited_is_asked_again(app: App) {
    let app = app.with(&[OUTBOX]).await;
    let (owner, bo) = (app.owner("jazz").await, app.sign_up("bo").await);
    let admin = app.member(&owner, "admin").await;
    let address = email(&bo).await;
    invite(&admin, &address, "organizer").await;
    let accept = json!({ "token": token(&app, &address, 1).await });
    let demote = json!({ "memberId": own_id(&owner, &admin).await, "role": "viewer" });
    owner.done("changeMemberRole", "__typename", demote).await;
    assert_eq!(
        bo.refused("acceptInvitation", accept).await,
        ["WRONG_STATE input.token"]
    );
    // Sent again by the owner, it holds.
    let found = owner
        .ok("{ invitations { nodes { id } } }", json!({}))
        .await;
    let which = json!({ "invitationId": found["invitations"]["nodes"][0]["id"] });
    owner.done("resendInvitation", "__typename", which).await;
    let accept = json!({ "token": token(&app, &address, 2).await });
    bo.done("acceptInvitation", "__typename", accept).await;
    assert!(permissions(&bo).await.contains(&"events:update".to_owned()));
    app.stop().await;
}

async fn only_some_may_invite(app: App) {
    let owner = app.owner("jazz").await;
    let before = json!({ "email": "new@example.org", "role": "member" });
    for (role, allowed) in [
        ("admin", true),
        ("organizer", false),
        ("viewer", false),
        ("member", false),
    ] {
        let client = app.member(&owner, role).await;
        let holdings = app.database.holdings().await;
        if allowed {
            client
                .done("createInvitation", "__typename", before.clone())
                .await;
            continue;
        }
        assert_eq!(
            client.denied("createInvitation", before.clone()).await,
            "FORBIDDEN"
        );
        let list = client
            .send("{ invitations { nodes { id } } }", json!({}))
            .await;
        assert_eq!(list.codes(), ["FORBIDDEN"]);
        assert_eq!(app.database.holdings().await, holdings);
    }
    app.stop().await;
}
