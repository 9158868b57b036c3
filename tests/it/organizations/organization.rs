//! Founding and changing an organization, and naming one in a request.

use serde_json::{Value, json};

use crate::harness::{App, on_each_database};

on_each_database!(
    who_founds_one_owns_it_and_acts_in_it,
    the_rule_for_slugs,
    a_slug_is_one_organizations,
    metadata_is_an_object_of_bounded_size,
    a_request_may_name_its_organization,
    without_an_organization_one_is_told_so,
    only_some_may_change_it,
);

const ORGANIZATION: &str =
    "{ organization { name slug timeZone status metadata owner { username } } }";

async fn who_founds_one_owns_it_and_acts_in_it(app: App) {
    let ada = app.sign_up("ada").await;
    assert_eq!(
        ada.ok("{ organization { name } }", json!({})).await["organization"],
        Value::Null
    );
    let input = json!({ "name": " Jazz Club ", "timeZone": "Europe/Vienna" });
    let selection = "organization { name slug status timeZone metadata }";
    let payload = ada.done("createOrganization", selection, input).await;
    let expected = json!({ "name": "Jazz Club", "slug": "jazz-club", "status": "TRIAL", "timeZone": "Europe/Vienna", "metadata": {} });
    assert_eq!(payload["organization"], expected);
    let data = ada.ok("{ organization { name } viewer { organizations { role } permissions } roles { slug builtIn } }", json!({})).await;
    assert_eq!(data["organization"]["name"], "Jazz Club");
    assert_eq!(
        data["viewer"]["organizations"],
        json!([{ "role": "owner" }])
    );
    let roles: Vec<&str> = data["roles"]
        .as_array()
        .expect("roles")
        .iter()
        .filter_map(|role| role["slug"].as_str())
        .collect();
    assert_eq!(
        roles,
        ["owner", "admin", "organizer", "checkin", "viewer", "member"]
    );
    // One person may own several, and acts in the newest until they choose.
    ada.done(
        "createOrganization",
        "__typename",
        json!({ "name": "Chess" }),
    )
    .await;
    assert_eq!(
        ada.ok("{ organization { name } }", json!({})).await["organization"]["name"],
        "Chess"
    );
    assert_eq!(
        app.anonymous()
            .denied("createOrganization", json!({ "name": "Nobody's" }))
            .await,
        "UNAUTHENTICATED"
    );
    assert_eq!(
        app.database
            .number("SELECT count(*) FROM organizations")
            .await,
        2
    );
    app.stop().await;
}

async fn the_rule_for_slugs(app: App) {
    let ada = app.sign_up("ada").await;
    let long = "x".repeat(64);
    let before = app.database.holdings().await;
    for wrong in [
        "",
        "ab",
        "Jazz",
        "jazz club",
        "jazz--club",
        "-jazz",
        "jazz-",
        "jäzz",
        "jazz_club",
        &long,
    ] {
        let input = json!({ "name": "Jazz", "slug": wrong });
        assert_eq!(
            ada.refused("createOrganization", input).await,
            ["INVALID input.slug"],
            "{wrong}"
        );
    }
    assert_eq!(
        ada.refused(
            "createOrganization",
            json!({ "name": "Jazz", "slug": "graphql" })
        )
        .await,
        ["TAKEN input.slug"]
    );
    let wrong = json!({ "name": "", "slug": "x", "timeZone": "Mars" });
    assert_eq!(
        ada.refused("createOrganization", wrong).await,
        [
            "REQUIRED input.name",
            "INVALID input.slug",
            "INVALID input.timeZone"
        ]
    );
    assert_eq!(app.database.holdings().await, before);
    for right in ["abc", "a-1-b", &long[1..]] {
        ada.done(
            "createOrganization",
            "__typename",
            json!({ "name": "Jazz", "slug": right }),
        )
        .await;
    }
    app.stop().await;
}

async fn a_slug_is_one_organizations(app: App) {
    let (ada, bo) = (app.sign_up("ada").await, app.sign_up("bo").await);
    let jazz = json!({ "name": "Jazz", "slug": "jazz" });
    ada.done("createOrganization", "__typename", jazz.clone())
        .await;
    bo.done(
        "createOrganization",
        "__typename",
        json!({ "name": "Chess", "slug": "chess" }),
    )
    .await;
    let before = app.database.holdings().await;
    assert_eq!(
        bo.refused("createOrganization", jazz).await,
        ["TAKEN input.slug"]
    );
    assert_eq!(
        bo.refused("updateOrganization", json!({ "slug": "jazz" }))
            .await,
        ["TAKEN input.slug"]
    );
    assert_eq!(app.database.holdings().await, before);
    // Whoever moves frees the old address for others.
    ada.done(
        "updateOrganization",
        "__typename",
        json!({ "slug": "swing", "name": "Swing", "timeZone": "Asia/Tokyo" }),
    )
    .await;
    let data = ada.ok(ORGANIZATION, json!({})).await;
    assert_eq!(
        json!([
            data["organization"]["slug"],
            data["organization"]["name"],
            data["organization"]["timeZone"]
        ]),
        json!(["swing", "Swing", "Asia/Tokyo"])
    );
    bo.done(
        "updateOrganization",
        "__typename",
        json!({ "slug": "jazz" }),
    )
    .await;
    assert_eq!(
        ada.acting_in("jazz")
            .ok("{ organization { name } }", json!({}))
            .await["organization"],
        Value::Null
    );
    ada.done(
        "updateOrganization",
        "__typename",
        json!({ "slug": "swing" }),
    )
    .await;
    app.stop().await;
}

async fn metadata_is_an_object_of_bounded_size(app: App) {
    let owner = app.owner("jazz").await;
    let good = json!({ "theme": { "color": "#123", "numbers": [1, 2.5, null, true] }, "text": "Zoë \\u0000 \"quoted\"" });
    let payload = owner
        .done(
            "updateOrganization",
            "organization { metadata }",
            json!({ "metadata": good }),
        )
        .await;
    assert_eq!(payload["organization"]["metadata"], good);
    let fits = 16 * 1024 - r#"{"a":""}"#.len();
    let before = app.database.holdings().await;
    for bad in [
        json!([]),
        json!("text"),
        json!(7),
        json!({ "a": "x".repeat(fits + 1) }),
        json!({ "a": ["\0"] }),
    ] {
        assert_eq!(
            owner
                .refused("updateOrganization", json!({ "metadata": bad }))
                .await,
            ["INVALID input.metadata"]
        );
    }
    assert_eq!(app.database.holdings().await, before);
    owner
        .done(
            "updateOrganization",
            "__typename",
            json!({ "metadata": { "a": "x".repeat(fits) } }),
        )
        .await;
    assert_eq!(
        owner.ok(ORGANIZATION, json!({})).await["organization"]["metadata"]["a"]
            .as_str()
            .expect("a text")
            .len(),
        fits
    );
    app.stop().await;
}

async fn a_request_may_name_its_organization(app: App) {
    let (ada, bo) = (app.sign_up("ada").await, app.owner("bo").await);
    for slug in ["jazz", "chess"] {
        ada.done(
            "createOrganization",
            "__typename",
            json!({ "name": slug, "slug": slug }),
        )
        .await;
    }
    let slug = |client: &crate::harness::Client| {
        let client = client.clone();
        async move {
            client.ok("{ organization { slug } }", json!({})).await["organization"]["slug"].clone()
        }
    };
    assert_eq!(slug(&ada).await, "chess");
    assert_eq!(slug(&ada.acting_in("jazz")).await, "jazz");
    assert_eq!(slug(&ada.acting_in("JAZZ")).await, "jazz");
    assert_eq!(slug(&ada).await, "chess", "for that request alone");
    ada.acting_in("jazz").event("Night", json!({})).await;
    let events = "{ events { totalCount } }";
    assert_eq!(ada.ok(events, json!({})).await["events"]["totalCount"], 0);

    // Somebody else's, and nobody's, are answered alike, and nothing happens there.
    let before = app.database.holdings().await;
    let mut answers = Vec::new();
    for named in ["jazz", "nowhere", "x", &"x".repeat(300)] {
        let bo = bo.acting_in(named);
        assert_eq!(
            bo.denied("createPatron", json!({ "firstName": "Eve" }))
                .await,
            "NOT_FOUND"
        );
        let mut answer = bo
            .send(
                "{ organization { slug } events { nodes { id } } viewer { permissions } }",
                json!({}),
            )
            .await
            .body;
        answer["extensions"] = Value::Null;
        answers.push(answer);
    }
    assert_eq!(
        answers[0]["data"],
        Value::Null,
        "the list cannot be null, and takes the answer with it"
    );
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:#?}"
    );
    assert_eq!(app.database.holdings().await, before);

    // Activating is for good, and only for one's own.
    let id = ada
        .acting_in("jazz")
        .ok("{ organization { id } }", json!({}))
        .await["organization"]["id"]
        .clone();
    assert_eq!(
        bo.refused("activateOrganization", json!({ "organizationId": id }))
            .await,
        ["NOT_FOUND input.organizationId"]
    );
    ada.done(
        "activateOrganization",
        "__typename",
        json!({ "organizationId": id }),
    )
    .await;
    assert_eq!(slug(&ada).await, "jazz");
    app.stop().await;
}

/// Whoever belongs nowhere yet is told what to do; where a thing may be absent, it is.
async fn without_an_organization_one_is_told_so(app: App) {
    let ada = app.sign_up("ada").await;
    for query in [
        "{ events { nodes { id } } }",
        "{ patrons { nodes { id } } }",
    ] {
        let answer = ada.send(query, json!({})).await;
        assert_eq!(answer.codes(), ["NO_ORGANIZATION"], "{query}");
        let message = answer.body["errors"][0]["message"].as_str();
        let message = message.expect("a message");
        for way_out in [
            "createOrganization",
            "activateOrganization",
            "Rollcall-Organization",
        ] {
            assert!(message.contains(way_out), "{message}");
        }
    }
    assert_eq!(
        ada.denied("createPatron", json!({ "firstName": "Eve" }))
            .await,
        "NO_ORGANIZATION"
    );
    assert_eq!(
        ada.ok(
            "{ organization { name } viewer { permissions } }",
            json!({})
        )
        .await,
        json!({ "organization": null, "viewer": { "permissions": [] } })
    );
    // One that is named and not theirs is not there.
    let bo = app.owner("jazz").await;
    let data = bo.ok("{ organization { slug } }", json!({})).await;
    let slug = data["organization"]["slug"].as_str().expect("a slug");
    let answer = ada
        .acting_in(slug)
        .send("{ events { nodes { id } } }", json!({}))
        .await;
    assert_eq!(answer.codes(), ["NOT_FOUND"]);
    app.stop().await;
}

async fn only_some_may_change_it(app: App) {
    let owner = app.owner("jazz").await;
    for (role, allowed) in [
        ("admin", true),
        ("organizer", false),
        ("checkin", false),
        ("viewer", false),
        ("member", false),
    ] {
        let member = app.member(&owner, role).await;
        let input = json!({ "name": format!("Named by {role}") });
        let before = app.database.holdings().await;
        if allowed {
            member.done("updateOrganization", "__typename", input).await;
        } else {
            assert_eq!(
                member.denied("updateOrganization", input).await,
                "FORBIDDEN",
                "{role}"
            );
            assert_eq!(app.database.holdings().await, before);
        }
        assert_eq!(
            owner.ok(ORGANIZATION, json!({})).await["organization"]["name"],
            "Named by admin"
        );
    }
    app.stop().await;
}
