//! Several mutations in one operation: one after another, and each on its own.

use serde_json::json;

use crate::harness::{App, on_each_database};

on_each_database!(one_that_is_denied_does_not_hide_those_before_it);

async fn one_that_is_denied_does_not_hide_those_before_it(app: App) {
    let owner = app.owner("jazz").await;
    let organizer = app.member(&owner, "organizer").await;
    let answer = organizer
        .send(
            r#"mutation {
                first: createPatron(input: { firstName: "Ada" }) { patron { firstName } }
                denied: updateOrganization(input: { name: "Mine" }) { organization { name } }
                last: createPatron(input: { firstName: "Bo" }) { patron { firstName } }
            }"#,
            json!({}),
        )
        .await;
    assert_eq!(
        answer.body["data"],
        json!({
            "first": { "patron": { "firstName": "Ada" } },
            "denied": null,
            "last": { "patron": { "firstName": "Bo" } },
        }),
        "{:#}",
        answer.body
    );
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    assert_eq!(answer.body["errors"][0]["path"], json!(["denied"]));
    app.stop().await;
}
