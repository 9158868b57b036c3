//! Founding an organization whose name makes no slug, or one that is taken.

use serde_json::{Value, json};

use crate::harness::{Answer, App, door::at_once, on_each_database, people::PASSWORD};

on_each_database!(
    any_name_founds_an_organization,
    a_taken_address_is_avoided_unless_it_was_asked_for,
    many_at_once_found_under_one_name,
);

const SIGN_UP: &str =
    "mutation($input: SignUpInput!) { signUp(input: $input) { token errors { code path } } }";

fn sign_up(number: usize, name: &str) -> Value {
    json!({
        "username": format!("founder_{number}"), "email": format!("founder_{number}@example.org"), "password": PASSWORD,
        "firstName": "Ada", "organizationName": name,
    })
}

fn slug(organization: &Value) -> &str {
    organization["slug"].as_str().expect("a slug")
}

/// Whether it is `base`, and an end by chance.
fn varies(slug: &str, base: &str) -> bool {
    let end = slug
        .strip_prefix(base)
        .and_then(|end| end.strip_prefix('-'));
    end.is_some_and(|end| end.len() == 8 && end.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

async fn any_name_founds_an_organization(app: App) {
    let long = "x".repeat(100);
    for (number, (name, base)) in [
        ("日本", "organization"),
        ("!!!", "organization"),
        ("Zz", "zz"),
        ("Z", "z"),
        ("Admin", "admin"),
        ("日本", "organization"),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = app
            .anonymous()
            .send(SIGN_UP, json!({ "input": sign_up(number, name) }))
            .await;
        let payload = &answer.body["data"]["signUp"];
        assert_eq!(payload["errors"], json!([]), "{name}: {:#}", answer.body);
        let ada = app
            .anonymous()
            .with_token(payload["token"].as_str().expect("a token"));
        let organization =
            ada.ok("{ organization { name slug } }", json!({})).await["organization"].clone();
        assert_eq!(organization["name"], name);
        assert!(varies(slug(&organization), base), "{organization}");
        // The address leads there.
        let named = ada.acting_in(slug(&organization));
        let data = named.ok("{ organization { name } }", json!({})).await;
        assert_eq!(data["organization"]["name"], name);
    }
    let ada = app.sign_up("ada").await;
    let selection = "organization { slug }";
    for expected in [63, 63] {
        let payload = ada
            .done("createOrganization", selection, json!({ "name": long }))
            .await;
        assert_eq!(slug(&payload["organization"]).len(), expected);
    }
    app.stop().await;
}

async fn a_taken_address_is_avoided_unless_it_was_asked_for(app: App) {
    let ada = app.sign_up("ada").await;
    let selection = "organization { slug }";
    let mut slugs = Vec::new();
    for _ in 0..3 {
        let payload = ada
            .done(
                "createOrganization",
                selection,
                json!({ "name": "Jazz Club" }),
            )
            .await;
        slugs.push(slug(&payload["organization"]).to_owned());
    }
    assert_eq!(slugs[0], "jazz-club");
    assert!(
        slugs[1..].iter().all(|slug| varies(slug, "jazz-club")),
        "{slugs:?}"
    );
    let before = app.database.holdings().await;
    let asked = json!({ "name": "Jazz Club", "slug": "jazz-club" });
    assert_eq!(
        ada.refused("createOrganization", asked).await,
        ["TAKEN input.slug"]
    );
    assert_eq!(app.database.holdings().await, before);
    let input = json!({ "input": sign_up(0, "Jazz Club") });
    let answer = app.anonymous().send(SIGN_UP, input).await;
    assert_eq!(answer.refusals("signUp"), Vec::<String>::new());
    assert_eq!(
        app.database
            .number("SELECT count(*) FROM organizations")
            .await,
        4
    );
    app.stop().await;
}

async fn many_at_once_found_under_one_name(app: App) {
    let answers: Vec<Answer> = at_once((0..12).map(|number| {
        let client = app.anonymous();
        async move {
            client
                .send(SIGN_UP, json!({ "input": sign_up(number, "Rush") }))
                .await
        }
    }))
    .await;
    for answer in &answers {
        assert_eq!(
            answer.body["data"]["signUp"]["errors"],
            json!([]),
            "{:#}",
            answer.body
        );
    }
    let founded = "SELECT count(*) FROM organizations WHERE slug LIKE 'rush%'";
    assert_eq!(app.database.number(founded).await, 12);
    let plain = "SELECT count(*) FROM organizations WHERE slug = 'rush'";
    assert_eq!(app.database.number(plain).await, 1);
    app.stop().await;
}
