//! Leaving, and that no organization is ever without its owner, whatever many do at once.

use proptest::{prelude::*, test_runner::Config};
use serde_json::json;

use super::role::own_id;
use crate::harness::{App, Backend, Client, on_each_database};

on_each_database!(whoever_belongs_may_go, what_is_known_of_a_member_is_kept);

async fn organization(client: &Client) -> String {
    let found = client.ok("{ organization { id } }", json!({})).await;
    let id = found["organization"]["id"].as_str();
    id.expect("an id").to_owned()
}

async fn whoever_belongs_may_go(app: App) {
    let (owner, stranger) = (app.owner("jazz").await, app.owner("chess").await);
    let client = app.member(&owner, "viewer").await;
    let here = json!({ "organizationId": organization(&owner).await });
    let before = app.database.holdings().await;
    assert_eq!(
        owner.refused("leaveOrganization", here.clone()).await,
        ["LAST_OWNER input.organizationId"]
    );
    assert_eq!(
        stranger.refused("leaveOrganization", here.clone()).await,
        ["NOT_FOUND input.organizationId"]
    );
    assert_eq!(
        app.anonymous()
            .denied("leaveOrganization", here.clone())
            .await,
        "UNAUTHENTICATED"
    );
    assert_eq!(app.database.holdings().await, before);
    let query = "{ events { nodes { id } } }";
    client.ok(query, json!({})).await;
    client
        .done("leaveOrganization", "organizationId", here.clone())
        .await;
    assert_eq!(client.send(query, json!({})).await.codes(), ["NOT_FOUND"]);
    assert_eq!(
        client.refused("leaveOrganization", here).await,
        ["NOT_FOUND input.organizationId"]
    );
    app.stop().await;
}

async fn what_is_known_of_a_member_is_kept(app: App) {
    let owner = app.owner("jazz").await;
    let (one, other) = (
        app.member(&owner, "viewer").await,
        app.member(&owner, "viewer").await,
    );
    let (one, other) = (own_id(&owner, &one).await, own_id(&owner, &other).await);
    let known = owner
        .done(
            "updateMember",
            "member { externalId metadata }",
            json!({ "memberId": one, "externalId": " 77 ", "metadata": { "voice": "alto" } }),
        )
        .await;
    assert_eq!(
        known["member"],
        json!({ "externalId": "77", "metadata": { "voice": "alto" } })
    );
    let before = app.database.holdings().await;
    assert_eq!(
        owner
            .refused(
                "updateMember",
                json!({ "memberId": other, "externalId": "77" })
            )
            .await,
        ["TAKEN input.externalId"]
    );
    assert_eq!(app.database.holdings().await, before);
    let cleared = owner
        .done(
            "updateMember",
            "member { externalId metadata }",
            json!({ "memberId": one, "externalId": null }),
        )
        .await;
    assert_eq!(
        cleared["member"],
        json!({ "externalId": null, "metadata": { "voice": "alto" } })
    );
    app.stop().await;
}

/// One of the ways in which an organization might lose its owner.
#[derive(Clone, Copy, Debug)]
enum Way {
    Transfer,
    Leave,
    Remove,
    Demote,
    Promote,
}

/// Who does it, and to whom, as places in the list of people.
fn attempts() -> impl Strategy<Value = Vec<(usize, usize, Way)>> {
    let way = prop_oneof![
        3 => Just(Way::Transfer),
        1 => Just(Way::Leave),
        1 => Just(Way::Remove),
        1 => Just(Way::Demote),
        1 => Just(Way::Promote),
    ];
    prop::collection::vec((0..4_usize, 0..4_usize, way), 4..12)
}

/// Of any number of attempts at once, by people who own the organization or did a moment ago, some are
/// done and some are refused; there is one owner at every moment between.
async fn never_ownerless(app: &App, rounds: Vec<Vec<(usize, usize, Way)>>) {
    for attempts in rounds {
        let owner = app.owner("jazz").await;
        let mut people = vec![owner.clone()];
        for _ in 0..3 {
            people.push(app.member(&owner, "admin").await);
        }
        let mut ids = Vec::new();
        for person in &people {
            ids.push(own_id(&owner, person).await);
        }
        let here = organization(&owner).await;
        let attempts = attempts.into_iter().map(|(who, whom, way)| {
            let (client, member, here) = (people[who].clone(), &ids[whom], &here);
            async move {
                let (field, input) = match way {
                    Way::Transfer => ("transferOwnership", json!({ "memberId": member })),
                    Way::Leave => ("leaveOrganization", json!({ "organizationId": here })),
                    Way::Remove => ("removeMember", json!({ "memberId": member })),
                    Way::Demote => (
                        "changeMemberRole",
                        json!({ "memberId": member, "role": "member" }),
                    ),
                    Way::Promote => (
                        "changeMemberRole",
                        json!({ "memberId": member, "role": "owner" }),
                    ),
                };
                let answer = client.mutate(field, "__typename", input).await;
                assert!(
                    !answer.codes().contains(&"INTERNAL".to_owned()),
                    "{:#}",
                    answer.body
                );
            }
        });
        futures_util::future::join_all(attempts).await;
        let ownerless = "SELECT count(*) FROM organizations WHERE 1 <> (
            SELECT count(*) FROM members WHERE members.organization_id = organizations.id AND role = 'owner'
            AND members.user_id = organizations.owner_id)";
        assert_eq!(app.database.number(ownerless).await, 0);
    }
}

#[test]
fn no_organization_is_ever_without_its_owner() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut runner = proptest::test_runner::TestRunner::new(Config::default());
    let rounds: Vec<_> = (0..8)
        .map(|_| {
            let tree = attempts().new_tree(&mut runner).expect("attempts");
            proptest::strategy::ValueTree::current(&tree)
        })
        .collect();
    for backend in [Backend::Sqlite, Backend::Postgres] {
        runtime.block_on(async {
            if let Some(app) = App::start(backend).await {
                never_ownerless(&app, rounds.clone()).await;
                app.stop().await;
            }
        });
    }
}
