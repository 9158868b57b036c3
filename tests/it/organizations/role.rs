//! Roles of an organization's own, further roles of a member, and why somebody may do something.

use serde_json::{Value, json};

use crate::harness::{App, Client, on_each_database};

on_each_database!(
    a_role_of_ones_own_permits_what_it_says,
    a_role_is_refused_for_what_is_wrong_with_it,
    a_change_of_a_role_bites_at_once,
    further_roles_add_up,
    a_role_that_comes_with_every_organization_stays,
    nobody_makes_or_takes_what_they_do_not_hold,
);

/// What the client may do, by name.
pub async fn permissions(client: &Client) -> Vec<String> {
    let me = client.ok("{ viewer { permissions } }", json!({})).await;
    let permissions = me["viewer"]["permissions"].as_array().expect("a list");
    let name = |name: &Value| name.as_str().expect("a name").to_owned();
    permissions.iter().map(name).collect()
}

/// The client's own membership's id.
pub async fn own_id(owner: &Client, client: &Client) -> String {
    let me = client.ok("{ viewer { user { id } } }", json!({})).await;
    let query = "{ members(first: 100) { nodes { id user { id } } } }";
    let members = owner.ok(query, json!({})).await;
    let members = members["members"]["nodes"].as_array().expect("members");
    let own = members
        .iter()
        .find(|member| member["user"]["id"] == me["viewer"]["user"]["id"]);
    let id = own.expect("a member")["id"].as_str();
    id.expect("an id").to_owned()
}

async fn a_role_of_ones_own_permits_what_it_says(app: App) {
    let owner = app.owner("jazz").await;
    let made = owner
        .done(
            "createRole",
            "role { slug name builtIn permissions description }",
            json!({ "name": "Trésorière", "description": "Money", "permissions": ["loyalty:read", "patrons:read"] }),
        )
        .await;
    assert_eq!(
        made["role"],
        json!({
            "slug": "tresoriere", "name": "Trésorière", "builtIn": false, "description": "Money",
            "permissions": ["organization:read", "patrons:read", "loyalty:read"],
        })
    );
    let client = app.member(&owner, "tresoriere").await;
    assert_eq!(
        permissions(&client).await,
        ["organization:read", "patrons:read", "loyalty:read"]
    );
    client
        .ok("{ patrons { nodes { points } } }", json!({}))
        .await;
    let denied = client.send("{ events { nodes { id } } }", json!({})).await;
    assert_eq!(denied.codes(), ["FORBIDDEN"]);
    let roles = owner.ok("{ roles { slug } }", json!({})).await;
    assert_eq!(roles["roles"][6]["slug"], "tresoriere");
    app.stop().await;
}

async fn a_role_is_refused_for_what_is_wrong_with_it(app: App) {
    let owner = app.owner("jazz").await;
    let role = json!({ "name": "Bursar", "slug": "bursar", "permissions": [] });
    owner.done("createRole", "__typename", role.clone()).await;
    let before = app.database.holdings().await;
    for (field, value, refusal) in [
        ("slug", json!("bursar"), "TAKEN input.slug"),
        ("slug", json!("admin"), "TAKEN input.slug"),
        ("slug", json!("Bursar"), "INVALID input.slug"),
        ("slug", json!("b".repeat(51)), "TOO_LONG input.slug"),
        ("name", json!(" "), "REQUIRED input.name"),
        ("name", json!("b".repeat(101)), "TOO_LONG input.name"),
        (
            "description",
            json!("b".repeat(501)),
            "TOO_LONG input.description",
        ),
        (
            "permissions",
            json!(["events:fly"]),
            "INVALID input.permissions",
        ),
        (
            "permissions",
            json!(["events:*"]),
            "INVALID input.permissions",
        ),
        // The owner's alone, even where the owner asks for it.
        (
            "permissions",
            json!(["organization:transfer"]),
            "INVALID input.permissions",
        ),
    ] {
        let mut role = json!({ "name": "Other", "slug": "other", "permissions": [] });
        role[field] = value;
        assert_eq!(owner.refused("createRole", role).await, [refusal]);
    }
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}

async fn a_change_of_a_role_bites_at_once(app: App) {
    let owner = app.owner("jazz").await;
    let role = json!({ "name": "Bursar", "slug": "bursar", "permissions": ["patrons:read"] });
    owner.done("createRole", "__typename", role).await;
    let client = app.member(&owner, "bursar").await;
    // Another instance, which has seen the client and remembers.
    let beside = app.beside(&[]).await;
    let there = client.at(&format!("http://{}", beside.address()));
    let query = "{ patrons { nodes { firstName } } }";
    for _ in 0..2 {
        there.ok(query, json!({})).await;
    }
    let update = json!({ "slug": "bursar", "permissions": ["events:read"] });
    owner.done("updateRole", "__typename", update).await;
    assert_eq!(there.send(query, json!({})).await.codes(), ["FORBIDDEN"]);
    there.ok("{ events { nodes { id } } }", json!({})).await;

    // Held, it stays.
    assert_eq!(
        owner
            .refused("deleteRole", json!({ "slug": "bursar" }))
            .await,
        ["WRONG_STATE input.slug"]
    );
    let member = own_id(&owner, &client).await;
    let demote = json!({ "memberId": member, "role": "member" });
    owner.done("changeMemberRole", "__typename", demote).await;
    owner
        .done("deleteRole", "role { slug }", json!({ "slug": "bursar" }))
        .await;
    assert_eq!(
        owner
            .refused("deleteRole", json!({ "slug": "bursar" }))
            .await,
        ["NOT_FOUND input.slug"]
    );
    assert_eq!(
        permissions(&there).await,
        ["organization:read", "events:read"]
    );
    beside.stop().await;
    app.stop().await;
}

async fn further_roles_add_up(app: App) {
    let owner = app.owner("jazz").await;
    let client = app.member(&owner, "checkin").await;
    let member = own_id(&owner, &client).await;
    let before = permissions(&client).await;
    let viewer = json!({ "memberId": member, "role": "viewer" });
    owner
        .done("grantMemberRole", "__typename", viewer.clone())
        .await;
    let after = app.database.holdings().await;
    owner
        .done("grantMemberRole", "__typename", viewer.clone())
        .await;
    assert_eq!(app.database.holdings().await, after, "held already");
    let held = permissions(&client).await;
    assert!(before.iter().all(|name| held.contains(name)));
    assert!(held.contains(&"members:read".to_owned()));
    let why = client
        .ok(
            "{ viewer { roles { role name teamName } can(permission: \"members:read\") } }",
            json!({}),
        )
        .await;
    assert_eq!(
        why["viewer"],
        json!({
            "can": true,
            "roles": [
                { "role": "checkin", "name": "Check-in", "teamName": null },
                { "role": "viewer", "name": "Viewer", "teamName": null },
            ],
        })
    );
    let told = owner
        .ok(
            "query($id: ID!) { node(id: $id) { ... on Member { permissions roles { role permissions } } } }",
            json!({ "id": member }),
        )
        .await;
    assert_eq!(told["node"]["permissions"], json!(held));
    assert_eq!(told["node"]["roles"][0]["permissions"], json!(before));
    for _ in 0..2 {
        owner
            .done("withdrawMemberRole", "__typename", viewer.clone())
            .await;
    }
    assert_eq!(permissions(&client).await, before);
    app.stop().await;
}

async fn a_role_that_comes_with_every_organization_stays(app: App) {
    let owner = app.owner("jazz").await;
    let before = app.database.holdings().await;
    for slug in ["owner", "admin", "member"] {
        let update = json!({ "slug": slug, "permissions": [] });
        assert_eq!(
            owner.refused("updateRole", update).await,
            ["WRONG_STATE input.slug"]
        );
        assert_eq!(
            owner.refused("deleteRole", json!({ "slug": slug })).await,
            ["WRONG_STATE input.slug"]
        );
    }
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}

async fn nobody_makes_or_takes_what_they_do_not_hold(app: App) {
    let owner = app.owner("jazz").await;
    let limited = json!({
        "name": "Deputy", "slug": "deputy",
        "permissions": ["members:read", "members:update", "roles:create", "roles:update", "roles:delete", "events:read"],
    });
    owner.done("createRole", "__typename", limited).await;
    let strong = json!({ "name": "Strong", "slug": "strong", "permissions": ["patrons:delete"] });
    owner.done("createRole", "__typename", strong).await;
    let deputy = app.member(&owner, "deputy").await;
    let client = app.member(&owner, "member").await;
    let powerful = app.member(&owner, "strong").await;
    let (member, above) = (
        own_id(&owner, &client).await,
        own_id(&owner, &powerful).await,
    );
    let before = app.database.holdings().await;
    for (field, input, refusal) in [
        (
            "createRole",
            json!({ "name": "Mine", "permissions": ["events:read", "patrons:read"] }),
            "ABOVE_OWN_ROLE input.permissions",
        ),
        (
            "updateRole",
            json!({ "slug": "deputy", "permissions": ["patrons:read"] }),
            "ABOVE_OWN_ROLE input.permissions",
        ),
        (
            "updateRole",
            json!({ "slug": "strong", "permissions": [] }),
            "ABOVE_OWN_ROLE input.slug",
        ),
        (
            "deleteRole",
            json!({ "slug": "strong" }),
            "ABOVE_OWN_ROLE input.slug",
        ),
        (
            "grantMemberRole",
            json!({ "memberId": member, "role": "strong" }),
            "ABOVE_OWN_ROLE input.role",
        ),
        (
            "grantMemberRole",
            json!({ "memberId": member, "role": "owner" }),
            "LAST_OWNER input.role",
        ),
        (
            "changeMemberRole",
            json!({ "memberId": above, "role": "member" }),
            "ABOVE_OWN_ROLE input.memberId",
        ),
    ] {
        assert_eq!(deputy.refused(field, input).await, [refusal], "{field}");
    }
    assert_eq!(app.database.holdings().await, before);
    // What the deputy holds, the deputy gives.
    let mine = json!({ "name": "Mine", "slug": "mine", "permissions": ["events:read"] });
    deputy.done("createRole", "__typename", mine).await;
    let grant = json!({ "memberId": member, "role": "mine" });
    deputy.done("grantMemberRole", "__typename", grant).await;
    app.stop().await;
}
