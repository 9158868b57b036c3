//! Owners, roles and addresses of organizations, pulled at from several sides.

use serde_json::json;

use super::tally;
use crate::harness::{Answer, App, Client, door::at_once, on_each_database};

on_each_database!(
    an_organization_keeps_its_owner_whoever_pulls,
    roles_taken_away_at_once_end_in_one_of_them,
    one_of_two_gets_the_address,
);

const CHANGE_ROLE: &str = "mutation($input: ChangeMemberRoleInput!) { payload: changeMemberRole(input: $input) { member { role } errors { message code } } }";
const REMOVE: &str = "mutation($input: RemoveMemberInput!) { payload: removeMember(input: $input) { member { role } errors { message code } } }";
const CREATE: &str = "mutation($input: CreateOrganizationInput!) { payload: createOrganization(input: $input) { organization { slug } errors { message code path } } }";

async fn an_organization_keeps_its_owner_whoever_pulls(app: App) {
    let owner = app.owner("keep").await;
    let administrators = [
        app.member(&owner, "admin").await,
        app.member(&owner, "admin").await,
    ];
    let id = member(&owner, "owner").await;
    let answers = at_once((0..40).map(|number| {
        let client = match number % 3 {
            0 => owner.clone(),
            other => administrators[other - 1].clone(),
        };
        let id = id.clone();
        async move {
            match number % 4 {
                0 => {
                    client
                        .send(REMOVE, json!({ "input": { "memberId": id } }))
                        .await
                }
                role => {
                    let role = ["viewer", "admin", "owner"][role - 1];
                    client
                        .send(
                            CHANGE_ROLE,
                            json!({ "input": { "memberId": id, "role": role } }),
                        )
                        .await
                }
            }
        }
    }))
    .await;
    for answer in &answers {
        assert_eq!(
            answer.refusals("payload"),
            ["LAST_OWNER"],
            "{:#}",
            answer.body
        );
    }
    assert_owned(&app).await;
    app.stop().await;
}

async fn roles_taken_away_at_once_end_in_one_of_them(app: App) {
    let owner = app.owner("roles").await;
    let administrators = [
        app.member(&owner, "admin").await,
        app.member(&owner, "admin").await,
    ];
    let ids = members(&owner, "admin").await;
    // Two administrators remove and demote one another, and the owner both: whoever is first ends
    // the right of the other to answer in kind.
    let answers = at_once((0..30).map(|number| {
        let client = [&owner, &administrators[0], &administrators[1]][number % 3].clone();
        let id = ids[number % ids.len()].clone();
        async move {
            if number % 5 == 0 {
                client
                    .send(REMOVE, json!({ "input": { "memberId": id } }))
                    .await
            } else {
                client
                    .send(
                        CHANGE_ROLE,
                        json!({ "input": { "memberId": id, "role": "viewer" } }),
                    )
                    .await
            }
        }
    }))
    .await;
    for answer in &answers {
        // A lost right is an error of the whole; a member who is gone or became somebody else, a refusal.
        let known = [
            "FORBIDDEN",
            "NOT_FOUND",
            "ABOVE_OWN_ROLE",
            "UNAUTHENTICATED",
        ];
        for code in codes(answer) {
            assert!(known.contains(&&*code), "{code}: {:#}", answer.body);
        }
    }
    assert_eq!(
        app.database
            .number("SELECT count(*) FROM members WHERE role = 'admin'")
            .await,
        0
    );
    assert_owned(&app).await;
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn one_of_two_gets_the_address(app: App) {
    let founders = [app.sign_up("one").await, app.sign_up("two").await];
    let answers = at_once((0..16).map(|number| {
        let client = founders[number % 2].clone();
        let input = json!({ "input": { "name": "Jazz", "slug": "the-same-one", "timeZone": "Europe/Vienna" } });
        async move { client.send(CREATE, input).await }
    }))
    .await;
    let ends = tally(answers.iter().map(codes));
    assert_eq!(
        ends,
        [(vec![], 1), (vec!["TAKEN".to_owned()], 15)].into(),
        "{answers:#?}"
    );
    for answer in answers
        .iter()
        .filter(|answer| !answer.refusals("payload").is_empty())
    {
        // The refusal is at the field that is to be changed, whoever found out: check or index.
        assert_eq!(
            answer.body["data"]["payload"]["errors"][0]["path"],
            json!(["input", "slug"]),
            "{:#}",
            answer.body
        );
    }
    assert_eq!(
        app.database
            .number("SELECT count(*) FROM organizations")
            .await,
        1
    );
    assert_owned(&app).await;
    app.stop().await;
}

/// Each organization has one owner, who is a member under that role.
async fn assert_owned(app: &App) {
    let orphans = "SELECT count(*) FROM organizations AS organization WHERE 1 <> (
        SELECT count(*) FROM members WHERE organization_id = organization.id AND role = 'owner' AND user_id = organization.owner_id)";
    assert_eq!(
        app.database.number(orphans).await,
        0,
        "an organization without its owner"
    );
}

fn codes(answer: &Answer) -> Vec<String> {
    [answer.codes(), answer.refusals("payload")].concat()
}

async fn member(client: &Client, role: &str) -> String {
    members(client, role).await.pop().expect("a member")
}

async fn members(client: &Client, role: &str) -> Vec<String> {
    let data = client
        .ok("{ members { nodes { id role } } }", json!({}))
        .await;
    let nodes = data["members"]["nodes"]
        .as_array()
        .expect("members")
        .clone();
    let ids = nodes.iter().filter(|node| node["role"] == role);
    ids.map(|node| node["id"].as_str().expect("an id").to_owned())
        .collect()
}
