//! Who came lately is known, and never believed: whatever changed since, by another process, is
//! answered for as by a server that knows nobody.

use serde_json::json;

use crate::harness::{App, Backend, Client, TestDatabase, on_each_database, process::Process};

on_each_database!(what_changed_behind_our_back_is_seen_at_once);

/// An answer of one row and of one page, one read in a snapshot, and one for which the organization
/// is not read at all.
const QUERIES: [&str; 4] = [
    "query($id: ID!) { patron(id: $id) { id firstName } }",
    "{ patrons { nodes { firstName } } }",
    "query($id: ID!) { patron(id: $id) { id } patrons { totalCount } }",
    "{ viewer { user { username } permissions } }",
];

async fn what_changed_behind_our_back_is_seen_at_once(app: App) {
    let owner = app.owner("known").await;
    let patron = owner.patron("Ada").await;
    app.owner("elsewhere").await;
    let [here, elsewhere] = ["known", "elsewhere"]
        .map(|name| format!("(SELECT id FROM organizations WHERE slug LIKE '{name}%')"));
    let slug = &app
        .database
        .look(&format!("SELECT slug FROM organizations WHERE id = {here}"))
        .await[0];
    // `{user}` is the one whom the change is about.
    let changes = [
        (
            None,
            "UPDATE members SET role = 'member' WHERE user_id = {user}".to_owned(),
        ),
        (
            None,
            "DELETE FROM members WHERE user_id = {user}".to_owned(),
        ),
        (
            None,
            "DELETE FROM sessions WHERE user_id = {user}".to_owned(),
        ),
        (
            None,
            "UPDATE sessions SET expires_at = created_at WHERE user_id = {user}".to_owned(),
        ),
        (
            None,
            "UPDATE users SET deleted_at = created_at WHERE id = {user}".to_owned(),
        ),
        (
            None,
            format!(
                "UPDATE sessions SET active_organization_id = {elsewhere} WHERE user_id = {{user}}"
            ),
        ),
        (
            Some(slug),
            "DELETE FROM members WHERE user_id = {user}".to_owned(),
        ),
        (
            Some(slug),
            format!(
                "UPDATE organization_slugs SET organization_id = {elsewhere} WHERE organization_id = {here}"
            ),
        ),
    ];
    for (slug, change) in changes {
        for query in QUERIES {
            let mut client = app.member(&owner, "organizer").await;
            if let Some(slug) = slug {
                client = client.acting_in(slug);
            }
            let ask = async |client: &Client| {
                let answer = client.send(query, json!({ "id": patron })).await;
                (answer.status, answer.body)
            };
            let before = ask(&client).await;
            assert_eq!(ask(&client).await, before, "{query}");
            assert!(before.1.get("errors").is_none(), "{query}: {}", before.1);

            let user = "(SELECT id FROM users ORDER BY created_at DESC LIMIT 1)";
            let change = format!("{} RETURNING 'done'", change.replace("{user}", user));
            assert_eq!(app.database.look(&change).await.len(), 1, "{change}");
            let after = ask(&client).await;
            assert_ne!(after, before, "{change}: {query}");
            let second = app.beside(&[]).await;
            let anew = ask(&client.at(&format!("http://{}", second.address()))).await;
            assert_eq!(after, anew, "{change}: {query}");
            second.stop().await;
            if change.contains("organization_slugs") {
                let back = format!(
                    "UPDATE organization_slugs SET organization_id = {here} WHERE slug = '{}' RETURNING slug",
                    slug.expect("a slug")
                );
                app.database.look(&back).await;
            }
        }
    }
    app.stop().await;
}

/// One statement that finds out and answers where the database writes the answer; elsewhere one each.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_known_costs_no_statement_of_their_own() {
    for (backend, each) in [(Backend::Sqlite, 2), (Backend::Postgres, 1)] {
        let Some(database) = TestDatabase::create(backend).await else {
            continue;
        };
        let process = Process::start(&[("DATABASE_URL", &database.url())]);
        let owner = process.anonymous().founder("known").await;
        let patron = owner.patron("Ada").await;
        let before = process.statements().await;
        for _ in 0..40 {
            owner.ok(QUERIES[0], json!({ "id": patron })).await;
        }
        let cost = process.statements().await - before;
        // The follower and the jobs look at their tables once a second on their own.
        assert!(
            (each * 40..each * 40 + 20).contains(&cost),
            "{cost} on {backend:?}"
        );
    }
}
