//! Members: who gives access to whom.

use serde_json::{Value, json};

use crate::harness::{App, Client, on_each_database};

on_each_database!(
    an_account_is_given_access_by_its_address,
    the_owner_stays_whoever_asks,
    the_owner_makes_another_member_the_owner,
    of_two_transfers_at_once_one_holds,
    nobody_grants_what_they_do_not_hold,
    only_some_may_touch_members,
    a_foreign_member_is_not_there,
);

async fn members(client: &Client) -> Vec<(String, String)> {
    let data = client
        .ok(
            "{ members(first: 50) { nodes { id role user { username } } } }",
            json!({}),
        )
        .await;
    let nodes = data["members"]["nodes"]
        .as_array()
        .expect("members")
        .clone();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    nodes
        .iter()
        .map(|node| (text(&node["role"]), text(&node["id"])))
        .collect()
}

async fn member(client: &Client, role: &str) -> String {
    let found = members(client)
        .await
        .into_iter()
        .find(|(held, _)| held == role);
    found.expect(role).1
}

async fn email(client: &Client) -> Value {
    client.ok("{ viewer { user { email } } }", json!({})).await["viewer"]["user"]["email"].clone()
}

async fn an_account_is_given_access_by_its_address(app: App) {
    let (owner, bo) = (app.owner("jazz").await, app.sign_up("bo").await);
    let address = email(&bo).await;
    // Whoever signed up may have given an address that is not theirs.
    let input = json!({ "email": address, "role": "checkin" });
    let nobody = json!({ "email": "nobody@example.org", "role": "checkin" });
    let [unproved, unknown] = [input, nobody]
        .map(async |input| owner.mutate("addMember", "__typename", input).await.body);
    let (unproved, unknown) = (unproved.await, unknown.await);
    assert_eq!(unproved, unknown);
    let message = unproved["data"]["addMember"]["errors"][0]["message"].as_str();
    assert!(message.expect("a message").contains("createInvitation"));
    app.prove(address.as_str().expect("an address")).await;
    let upper = address.as_str().expect("an address").to_uppercase();
    let payload = owner
        .done(
            "addMember",
            "member { role user { email } }",
            json!({ "email": upper, "role": "checkin" }),
        )
        .await;
    assert_eq!(
        payload["member"],
        json!({ "role": "checkin", "user": { "email": address } })
    );
    let before = app.database.holdings().await;
    for (email, role, refusal) in [
        (address.clone(), "viewer", "TAKEN input.email"),
        (
            json!("nobody@example.org"),
            "viewer",
            "NOT_FOUND input.email",
        ),
        (json!("nobody"), "viewer", "INVALID input.email"),
        (json!("nobody@example.org"), "king", "NOT_FOUND input.role"),
        (json!("nobody@example.org"), "Admin", "NOT_FOUND input.role"),
    ] {
        assert_eq!(
            owner
                .refused("addMember", json!({ "email": email, "role": role }))
                .await,
            [refusal]
        );
    }
    assert_eq!(app.database.holdings().await, before);
    // Access is given, nothing more: Bo goes on acting where Bo did, and chooses.
    let organizations = bo
        .ok(
            "{ organization { id } viewer { organizations { role organization { id } } } }",
            json!({}),
        )
        .await;
    assert_eq!(organizations["organization"], Value::Null);
    assert_eq!(
        organizations["viewer"]["organizations"][0]["role"],
        "checkin"
    );
    app.stop().await;
}

async fn the_owner_stays_whoever_asks(app: App) {
    let owner = app.owner("jazz").await;
    let admin = app.member(&owner, "admin").await;
    let boss = member(&owner, "owner").await;
    let before = app.database.holdings().await;
    for client in [&owner, &admin] {
        for role in ["admin", "member", "owner"] {
            let refused = client
                .refused(
                    "changeMemberRole",
                    json!({ "memberId": boss, "role": role }),
                )
                .await;
            assert!(refused[0].starts_with("LAST_OWNER"), "{refused:?}");
        }
        assert_eq!(
            client
                .refused("removeMember", json!({ "memberId": boss }))
                .await,
            ["LAST_OWNER input.memberId"]
        );
    }
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}

async fn the_owner_makes_another_member_the_owner(app: App) {
    let (owner, foreign) = (app.owner("jazz").await, app.owner("chess").await);
    let admin = app.member(&owner, "admin").await;
    let (boss, heir) = (member(&owner, "owner").await, member(&owner, "admin").await);
    let before = app.database.holdings().await;
    assert_eq!(
        admin
            .denied("transferOwnership", json!({ "memberId": heir }))
            .await,
        "FORBIDDEN"
    );
    assert_eq!(
        owner
            .refused(
                "transferOwnership",
                json!({ "memberId": member(&foreign, "owner").await })
            )
            .await,
        ["NOT_FOUND input.memberId"]
    );
    // Theirs already: nothing happens.
    owner
        .done(
            "transferOwnership",
            "organization { name }",
            json!({ "memberId": boss }),
        )
        .await;
    assert_eq!(app.database.holdings().await, before);

    let payload = owner
        .done(
            "transferOwnership",
            "organization { owner { email } }",
            json!({ "memberId": heir }),
        )
        .await;
    assert_eq!(
        payload["organization"]["owner"]["email"],
        email(&admin).await
    );
    assert_eq!(
        owner
            .denied("transferOwnership", json!({ "memberId": boss }))
            .await,
        "FORBIDDEN"
    );
    let roles = members(&admin).await;
    assert!(roles.contains(&("admin".to_owned(), boss.clone())));
    assert!(roles.contains(&("owner".to_owned(), heir)));
    // Whoever was the owner can go now.
    admin
        .done("removeMember", "member { id }", json!({ "memberId": boss }))
        .await;
    assert_eq!(
        owner
            .send("{ events { nodes { id } } }", json!({}))
            .await
            .codes(),
        ["NOT_FOUND"]
    );
    app.stop().await;
}

async fn of_two_transfers_at_once_one_holds(app: App) {
    let owner = app.owner("jazz").await;
    let admin = app.member(&owner, "admin").await;
    let viewer = app.member(&owner, "viewer").await;
    // In the order in which they came.
    let ids = members(&owner).await.into_iter().map(|(_, id)| id);
    let mut people: Vec<(Client, String)> = [owner, admin, viewer].into_iter().zip(ids).collect();
    for _ in 0..20 {
        let (holder, heirs) = people.split_first().expect("the owner");
        let attempts = heirs.iter().map(|(_, heir)| {
            holder.0.mutate(
                "transferOwnership",
                "organization { id }",
                json!({ "memberId": heir }),
            )
        });
        let answers = futures_util::future::join_all(attempts).await;
        let held: Vec<bool> = answers
            .iter()
            .map(|answer| !answer.body["data"]["transferOwnership"]["organization"].is_null())
            .collect();
        assert_eq!(held.iter().filter(|held| **held).count(), 1, "{held:?}");
        let owners = "SELECT count(*) FROM members JOIN organizations ON organizations.id = members.organization_id
             AND organizations.owner_id = members.user_id WHERE role = 'owner'";
        assert_eq!(app.database.number(owners).await, 1);
        // Whoever has it now is the next to give it away.
        people.rotate_left(if held[0] { 1 } else { 2 });
    }
    app.stop().await;
}

async fn nobody_grants_what_they_do_not_hold(app: App) {
    let owner = app.owner("jazz").await;
    let (admin, organizer) = (
        app.member(&owner, "admin").await,
        app.member(&owner, "organizer").await,
    );
    let (newcomer, viewer) = (
        app.sign_up("newcomer").await,
        app.member(&owner, "viewer").await,
    );
    let address = email(&newcomer).await;
    app.prove(address.as_str().expect("an address")).await;
    let own = member(&owner, "admin").await;
    let before = app.database.holdings().await;
    for client in [&owner, &admin] {
        assert_eq!(
            client
                .refused("addMember", json!({ "email": address, "role": "owner" }))
                .await,
            ["LAST_OWNER input.role"]
        );
    }
    assert_eq!(
        admin
            .refused(
                "changeMemberRole",
                json!({ "memberId": own, "role": "owner" })
            )
            .await,
        ["LAST_OWNER input.role"]
    );
    for client in [&organizer, &viewer] {
        for role in ["member", "admin", "owner"] {
            assert_eq!(
                client
                    .denied("addMember", json!({ "email": address, "role": role }))
                    .await,
                "FORBIDDEN"
            );
        }
        assert_eq!(
            client
                .denied(
                    "changeMemberRole",
                    json!({ "memberId": own, "role": "member" })
                )
                .await,
            "FORBIDDEN"
        );
        assert_eq!(
            client
                .denied("removeMember", json!({ "memberId": own }))
                .await,
            "FORBIDDEN"
        );
    }
    assert_eq!(app.database.holdings().await, before);
    admin
        .done(
            "addMember",
            "__typename",
            json!({ "email": address, "role": "admin" }),
        )
        .await;
    app.stop().await;
}

async fn only_some_may_touch_members(app: App) {
    let owner = app.owner("jazz").await;
    for (role, allowed) in [
        ("admin", true),
        ("organizer", false),
        ("checkin", false),
        ("viewer", false),
        ("member", false),
    ] {
        let client = app.member(&owner, role).await;
        app.member(&owner, "viewer").await;
        let guest = app.sign_up("guest").await;
        let address = email(&guest).await;
        app.prove(address.as_str().expect("an address")).await;
        let subject = members(&owner)
            .await
            .into_iter()
            .rev()
            .find(|(held, _)| held == "viewer")
            .expect("a viewer")
            .1;
        let mutations = [
            ("addMember", json!({ "email": address, "role": "member" })),
            (
                "changeMemberRole",
                json!({ "memberId": subject, "role": "checkin" }),
            ),
            ("removeMember", json!({ "memberId": subject })),
        ];
        for (field, input) in mutations {
            let before = app.database.holdings().await;
            if allowed {
                client.done(field, "__typename", input).await;
                assert_ne!(app.database.holdings().await, before);
            } else {
                assert_eq!(
                    client.denied(field, input).await,
                    "FORBIDDEN",
                    "{role} {field}"
                );
                assert_eq!(app.database.holdings().await, before);
            }
        }
    }
    app.stop().await;
}

async fn a_foreign_member_is_not_there(app: App) {
    let (jazz, chess) = (app.owner("jazz").await, app.owner("chess").await);
    app.member(&chess, "viewer").await;
    let foreign = member(&chess, "viewer").await;
    let before = app.database.holdings().await;
    assert_eq!(
        jazz.refused(
            "changeMemberRole",
            json!({ "memberId": foreign, "role": "member" })
        )
        .await,
        ["NOT_FOUND input.memberId"]
    );
    assert_eq!(
        jazz.refused("removeMember", json!({ "memberId": foreign }))
            .await,
        ["NOT_FOUND input.memberId"]
    );
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}
