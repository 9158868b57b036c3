//! Until when API keys work, and how their secrets are replaced.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::api_key::{OWN, code};
use crate::harness::{
    App, Client,
    door::at_once,
    evening::{at, told},
    on_each_database,
    people::PASSWORD,
};

on_each_database!(at crate::harness::evening::at(18, 0);
    a_key_expires,
    a_secret_is_replaced_without_a_gap,
    use_is_noted_once_a_minute,
    a_revoked_key_is_none,
);
mod races {
    use super::two_secrets_work_at_most;

    crate::harness::on_each_database!(two_secrets_work_at_most);
}

/// The same client after its session is made fresh again.
async fn renewed(client: &Client) -> Client {
    let input = json!({ "password": PASSWORD });
    let payload = client.done("confirmPassword", "token", input).await;
    client.with_token(payload["token"].as_str().expect("a token"))
}

async fn a_key_expires(app: App) {
    let owner = app.owner("jazz").await;
    let (machine, id) = owner.machine(&["events:read"]).await;
    let query = "query($id: ID!) { node(id: $id) { ... on ApiKey { expiresAt } } }";
    let end = at(18, 0) + TimeDelta::days(90);
    let key = owner.ok(query, json!({ "id": id })).await;
    assert_eq!(key["node"]["expiresAt"], told(end));
    let year = at(18, 0) + TimeDelta::days(365);
    for wrong in [at(18, 0), year + TimeDelta::seconds(1)] {
        let input = json!({ "name": "Key", "permissions": [], "expiresAt": wrong });
        assert_eq!(
            owner.refused("createApiKey", input).await,
            ["INVALID input.expiresAt"]
        );
    }
    let input = json!({ "name": "Key", "permissions": ["events:read"], "expiresAt": year });
    let (lasting, _) = owner.issued("createApiKey", input).await;
    app.clock.set(end - TimeDelta::microseconds(1));
    assert_eq!(code(&machine).await, None);
    app.clock.set(end);
    assert_eq!(code(&machine).await.as_deref(), Some("UNAUTHENTICATED"));
    assert_eq!(code(&lasting).await, None);
    app.stop().await;
}

async fn a_secret_is_replaced_without_a_gap(app: App) {
    let owner = app.owner("jazz").await;
    let (first, id) = owner.machine(&["events:read"]).await;
    let (second, same) = owner
        .issued("rotateApiKey", json!({ "apiKeyId": id, "overlapHours": 2 }))
        .await;
    assert_eq!(id, same);
    for client in [&first, &second] {
        assert_eq!(client.ok(OWN, json!({})).await["currentApiKey"]["id"], id);
    }
    app.clock.set(at(20, 0) - TimeDelta::microseconds(1));
    assert_eq!(code(&first).await, None);
    app.clock.set(at(20, 0));
    assert_eq!(code(&first).await.as_deref(), Some("UNAUTHENTICATED"));
    assert_eq!(code(&second).await, None);
    let owner = renewed(&owner).await;
    for overlap in [-1, 169] {
        let input = json!({ "apiKeyId": id, "overlapHours": overlap });
        assert_eq!(
            owner.refused("rotateApiKey", input).await,
            ["INVALID input.overlapHours"]
        );
    }
    // Two work at most: the older ends.
    let (third, _) = owner
        .issued("rotateApiKey", json!({ "apiKeyId": id }))
        .await;
    let (fourth, _) = owner
        .issued("rotateApiKey", json!({ "apiKeyId": id }))
        .await;
    assert_eq!(code(&second).await.as_deref(), Some("UNAUTHENTICATED"));
    for client in [&third, &fourth] {
        assert_eq!(code(client).await, None);
    }
    let input = json!({ "apiKeyId": id, "overlapHours": 0, "expiresAt": at(23, 0) });
    let (fifth, _) = owner.issued("rotateApiKey", input).await;
    for client in [&third, &fourth] {
        assert_eq!(code(client).await.as_deref(), Some("UNAUTHENTICATED"));
    }
    assert_eq!(code(&fifth).await, None);
    // One that expired comes back only with another end.
    app.clock.set(at(23, 0));
    assert_eq!(code(&fifth).await.as_deref(), Some("UNAUTHENTICATED"));
    let owner = renewed(&owner).await;
    let input = json!({ "apiKeyId": id });
    assert_eq!(
        owner.refused("rotateApiKey", input).await,
        ["WRONG_STATE input.expiresAt"]
    );
    let input = json!({ "apiKeyId": id, "expiresAt": at(23, 0) + TimeDelta::days(1) });
    let (sixth, _) = owner.issued("rotateApiKey", input).await;
    assert_eq!(code(&sixth).await, None);
    app.stop().await;
}

async fn use_is_noted_once_a_minute(app: App) {
    let owner = app.owner("jazz").await;
    let (machine, id) = owner.machine(&["events:read"]).await;
    let query = "query($id: ID!) { node(id: $id) { ... on ApiKey { lastUsedAt updatedAt } } }";
    let last = async || owner.ok(query, json!({ "id": id })).await["node"]["lastUsedAt"].take();
    assert_eq!(last().await, Value::Null);
    let minute = |seconds: i64| at(18, 0) + TimeDelta::seconds(seconds);
    for (seconds, noted) in [(0, 0), (59, 0), (60, 60), (119, 60), (121, 121)] {
        app.clock.set(minute(seconds));
        assert_eq!(code(&machine).await, None);
        assert_eq!(last().await, told(minute(noted)));
    }
    app.stop().await;
}

async fn a_revoked_key_is_none(app: App) {
    let owner = app.owner("jazz").await;
    let (machine, id) = owner.machine(&["events:read", "api_keys:delete"]).await;
    let (second, _) = owner
        .issued("rotateApiKey", json!({ "apiKeyId": id }))
        .await;
    // A machine may revoke what leaked, itself included.
    let payload = second
        .done("revokeApiKey", "apiKey { id }", json!({ "apiKeyId": id }))
        .await;
    assert_eq!(payload["apiKey"]["id"], id);
    for client in [&machine, &second] {
        assert_eq!(code(client).await.as_deref(), Some("UNAUTHENTICATED"));
    }
    for (field, input) in [
        ("revokeApiKey", json!({ "apiKeyId": id })),
        ("rotateApiKey", json!({ "apiKeyId": id })),
        ("adoptApiKey", json!({ "apiKeyId": id })),
        ("updateApiKey", json!({ "apiKeyId": id, "name": "Other" })),
    ] {
        assert_eq!(
            owner.refused(field, input).await,
            ["WRONG_STATE input.apiKeyId"]
        );
    }
    let keys = owner
        .ok("{ apiKeys { nodes { revokedAt } } }", json!({}))
        .await;
    assert_eq!(keys["apiKeys"]["nodes"][0]["revokedAt"], told(at(18, 0)));
    app.stop().await;
}

/// However many replace a secret at once, two work, and one of them is the key's present one.
async fn two_secrets_work_at_most(app: App) {
    let owner = app.owner("jazz").await;
    let (_, id) = owner.machine(&["events:read"]).await;
    for _ in 0..25 {
        let rotate = |client: Client, id: String| async move {
            client
                .issued("rotateApiKey", json!({ "apiKeyId": id }))
                .await
                .0
        };
        let machines = at_once((0..4).map(|_| rotate(owner.again(), id.clone()))).await;
        let mut working = 0;
        for machine in &machines {
            working += usize::from(code(machine).await.is_none());
        }
        assert_eq!(working, 2);
        let rows = "SELECT count(*) FROM api_key_secrets";
        assert_eq!(app.database.number(rows).await, 2);
        let present = "SELECT count(*) FROM api_key_secrets JOIN api_keys ON api_keys.lookup = api_key_secrets.lookup WHERE ends_at IS NULL";
        assert_eq!(app.database.number(present).await, 1);
    }
    app.database.must_be_consistent().await;
    app.stop().await;
}
