//! Teams: who is in them, and the roles that come along.

use serde_json::{Value, json};

use super::role::{own_id, permissions};
use crate::harness::{App, Client, on_each_database};

on_each_database!(
    roles_come_with_a_team_and_with_those_around_it,
    names_are_unique_and_lists_are_in_their_order,
    teams_are_within_one_another_up_to_a_depth,
    nobody_puts_into_a_team_what_they_do_not_hold,
    a_team_ends_with_what_came_with_it,
);

pub async fn team(client: &Client, name: &str, parent: Option<&str>) -> String {
    let made = client
        .done(
            "createTeam",
            "team { id }",
            json!({ "name": name, "parentId": parent }),
        )
        .await;
    made["team"]["id"].as_str().expect("an id").to_owned()
}

async fn roles_come_with_a_team_and_with_those_around_it(app: App) {
    let owner = app.owner("jazz").await;
    let client = app.member(&owner, "member").await;
    let member = own_id(&owner, &client).await;
    let band = team(&owner, "Band", None).await;
    let brass = team(&owner, "Brass", Some(&band)).await;
    for (team, role) in [(&band, "checkin"), (&brass, "viewer")] {
        let grant = json!({ "teamId": team, "role": role });
        owner.done("grantTeamRole", "__typename", grant).await;
    }
    let before = permissions(&client).await;
    let place = json!({ "teamId": brass, "memberId": member });
    owner
        .done("addTeamMember", "__typename", place.clone())
        .await;
    let held = permissions(&client).await;
    for name in ["attendance:record", "members:read", "events:read"] {
        assert!(held.contains(&name.to_owned()), "{name}: {held:?}");
    }
    let why = client
        .ok("{ viewer { roles { role teamName } } }", json!({}))
        .await;
    assert_eq!(
        why["viewer"]["roles"],
        json!([
            { "role": "member", "teamName": null },
            { "role": "checkin", "teamName": "Band" },
            { "role": "viewer", "teamName": "Brass" },
        ])
    );
    let seen = client
        .ok(
            "query($id: ID!) { team(id: $id) { name roles parent { name roles } members { nodes { joinedAt member { role teams { nodes { team { name } } } } } } } }",
            json!({ "id": brass }),
        )
        .await;
    assert_eq!(
        seen["team"]["parent"],
        json!({ "name": "Band", "roles": ["checkin"] })
    );
    let row = &seen["team"]["members"]["nodes"][0]["member"];
    assert_eq!(
        row["teams"]["nodes"],
        json!([{ "team": { "name": "Brass" } }])
    );

    // Out of the band, the brass has its own role alone.
    let alone = json!({ "teamId": brass, "parentId": null });
    owner
        .done("updateTeam", "team { parent { id } }", alone)
        .await;
    assert!(
        !permissions(&client)
            .await
            .contains(&"attendance:record".to_owned())
    );
    let withdrawn = json!({ "teamId": brass, "role": "viewer" });
    owner
        .done("withdrawTeamRole", "__typename", withdrawn)
        .await;
    assert_eq!(permissions(&client).await, before);
    assert_eq!(
        owner.refused("addTeamMember", place.clone()).await,
        ["TAKEN input.memberId"]
    );
    owner
        .done("removeTeamMember", "__typename", place.clone())
        .await;
    assert_eq!(
        owner.refused("removeTeamMember", place).await,
        ["NOT_FOUND input.memberId"]
    );
    app.stop().await;
}

async fn names_are_unique_and_lists_are_in_their_order(app: App) {
    let (owner, other) = (app.owner("jazz").await, app.owner("chess").await);
    for name in ["Zither", "Ärzte", "brass"] {
        team(&owner, name, None).await;
    }
    team(&other, "Brass", None).await;
    let before = app.database.holdings().await;
    for name in ["BRASS", " brass ", "Arzte"] {
        assert_eq!(
            owner.refused("createTeam", json!({ "name": name })).await,
            ["TAKEN input.name"]
        );
    }
    assert_eq!(app.database.holdings().await, before);
    let mut names: Vec<Value> = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = owner
            .ok(
                "query($after: String) { teams(first: 2, after: $after) { totalCount nodes { name } pageInfo { hasNextPage endCursor } } }",
                json!({ "after": after }),
            )
            .await;
        let page = &page["teams"];
        assert_eq!(page["totalCount"], 3);
        let nodes = page["nodes"].as_array().expect("teams");
        names.extend(nodes.iter().map(|node| node["name"].clone()));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(names, ["Ärzte", "brass", "Zither"]);
    app.stop().await;
}

async fn teams_are_within_one_another_up_to_a_depth(app: App) {
    let owner = app.owner("jazz").await;
    let mut chain = vec![team(&owner, "Team 0", None).await];
    for level in 1..8 {
        let parent = chain.last().cloned();
        chain.push(team(&owner, &format!("Team {level}"), parent.as_deref()).await);
    }
    let tall = team(&owner, "Tall", None).await;
    team(&owner, "Taller", Some(&tall)).await;
    let before = app.database.holdings().await;
    let deeper = json!({ "name": "Too deep", "parentId": chain[7] });
    assert_eq!(
        owner.refused("createTeam", deeper).await,
        ["WRONG_STATE input.parentId"]
    );
    for (team, parent) in [
        (&chain[0], &chain[7]),
        (&chain[3], &chain[3]),
        (&tall, &chain[6]),
    ] {
        let within = json!({ "teamId": team, "parentId": parent });
        assert_eq!(
            owner.refused("updateTeam", within).await,
            ["WRONG_STATE input.parentId"]
        );
    }
    assert_eq!(app.database.holdings().await, before);
    let within = json!({ "teamId": tall, "parentId": chain[5] });
    owner.done("updateTeam", "__typename", within).await;
    app.stop().await;
}

async fn nobody_puts_into_a_team_what_they_do_not_hold(app: App) {
    let owner = app.owner("jazz").await;
    let role = json!({
        "name": "Leader", "slug": "leader",
        "permissions": ["members:read", "teams:read", "teams:create", "teams:update", "teams:delete", "events:read"],
    });
    owner.done("createRole", "__typename", role).await;
    let leader = app.member(&owner, "leader").await;
    let client = app.member(&owner, "member").await;
    let member = own_id(&owner, &client).await;
    let strong = team(&owner, "Strong", None).await;
    let weak = team(&owner, "Weak", None).await;
    let grant = json!({ "teamId": strong, "role": "admin" });
    owner.done("grantTeamRole", "__typename", grant).await;
    let before = app.database.holdings().await;
    for (field, input, refusal) in [
        (
            "addTeamMember",
            json!({ "teamId": strong, "memberId": own_id(&owner, &leader).await }),
            "ABOVE_OWN_ROLE input.teamId",
        ),
        (
            "grantTeamRole",
            json!({ "teamId": weak, "role": "admin" }),
            "ABOVE_OWN_ROLE input.role",
        ),
        (
            "grantTeamRole",
            json!({ "teamId": weak, "role": "owner" }),
            "LAST_OWNER input.role",
        ),
        (
            "updateTeam",
            json!({ "teamId": weak, "parentId": strong }),
            "ABOVE_OWN_ROLE input.parentId",
        ),
        (
            "updateTeam",
            json!({ "teamId": strong, "parentId": weak }),
            "ABOVE_OWN_ROLE input.teamId",
        ),
        (
            "deleteTeam",
            json!({ "teamId": strong }),
            "ABOVE_OWN_ROLE input.teamId",
        ),
    ] {
        assert_eq!(leader.refused(field, input).await, [refusal], "{field}");
    }
    assert_eq!(app.database.holdings().await, before);
    let place = json!({ "teamId": weak, "memberId": member });
    leader.done("addTeamMember", "__typename", place).await;
    for field in ["createTeam", "updateTeam", "deleteTeam", "grantTeamRole"] {
        let input = match field {
            "createTeam" => json!({ "name": "Mine" }),
            "grantTeamRole" => json!({ "teamId": weak, "role": "member" }),
            _ => json!({ "teamId": weak }),
        };
        assert_eq!(client.denied(field, input).await, "FORBIDDEN");
    }
    app.stop().await;
}

async fn a_team_ends_with_what_came_with_it(app: App) {
    let owner = app.owner("jazz").await;
    let client = app.member(&owner, "member").await;
    let member = own_id(&owner, &client).await;
    let band = team(&owner, "Band", None).await;
    let brass = team(&owner, "Brass", Some(&band)).await;
    let grant = json!({ "teamId": band, "role": "viewer" });
    owner.done("grantTeamRole", "__typename", grant).await;
    let place = json!({ "teamId": band, "memberId": member });
    owner.done("addTeamMember", "__typename", place).await;
    assert!(
        permissions(&client)
            .await
            .contains(&"members:read".to_owned())
    );
    assert_eq!(
        owner.refused("deleteTeam", json!({ "teamId": band })).await,
        ["WRONG_STATE input.teamId"]
    );
    for team in [&brass, &band] {
        owner
            .done("deleteTeam", "team { name }", json!({ "teamId": team }))
            .await;
    }
    assert_eq!(
        permissions(&client).await,
        ["organization:read", "events:read"]
    );
    let gone = owner
        .ok(
            "query($id: ID!) { team(id: $id) { name } }",
            json!({ "id": band }),
        )
        .await;
    assert_eq!(gone["team"], Value::Null);
    app.stop().await;
}
