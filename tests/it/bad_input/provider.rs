//! An input that is in order for each mutation of accounts at providers.

use serde_json::json;

use super::samples::{Sample, id};
use crate::harness::{
    App, Client,
    provider::{code, liar, parameter},
};

/// The samples in their order, for somebody who has linked an account.
pub async fn samples(app: &App, owner: &Client) -> Vec<Sample> {
    let prove = "UPDATE users SET email_verified_at = '2000-01-01T00:00:00+00:00'";
    app.database.look(prove).await;
    let linked = linked(app, owner).await;
    let input = json!({ "provider": "sample" });
    let selection = "authorizationUrl browserSecret";
    let client = app.anonymous();
    let begun = client.done("beginProviderSignIn", selection, input).await;
    let url = begun["authorizationUrl"].as_str().expect("a URL");
    let sent = |name| parameter(url, name).expect(name);
    let input = json!({ "provider": "sample", "returnTo": "/there" });
    vec![
        ("beginProviderSignIn", Some(input.clone())),
        (
            "completeProviderSignIn",
            Some(json!({
                "provider": "sample", "state": sent("state"), "code": code("truth", &sent("nonce"), "elsewhere"),
                "iss": liar("sample"), "browserSecret": begun["browserSecret"],
            })),
        ),
        ("unlinkAccount", Some(json!({ "linkedAccountId": linked }))),
        ("beginProviderLink", Some(input)),
    ]
}

/// The id of a new link of a person's.
pub async fn linked(app: &App, person: &Client) -> String {
    let email = id(
        person,
        "{ viewer { user { email } } }",
        "/viewer/user/email",
    )
    .await;
    app.database.linked_account(&email, &email).await
}
