//! API keys: what they look like, what they may do, and who answers for them.

use serde_json::{Value, json};

use crate::harness::{App, Client, evening::at, on_each_database, people::PASSWORD};

on_each_database!(at crate::harness::evening::at(18, 0);
    a_key_acts_in_its_organization,
    a_typo_costs_no_statement,
    nobody_gives_a_key_what_they_lack,
    a_key_may_do_what_who_answers_for_it_may,
    a_key_is_for_one_organization,
    what_takes_a_person_takes_no_key,
);
pub const EVENTS: &str = "{ events { nodes { id } } }";
pub const OWN: &str =
    "{ viewer { user { id } } currentApiKey { id name permissions lookup event { id } } }";

/// The code with which a client is answered that asks for events; none when it is told them.
pub async fn code(client: &Client) -> Option<String> {
    client.send(EVENTS, json!({})).await.codes().pop()
}

async fn a_key_acts_in_its_organization(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.evening(json!({})).await;
    let (machine, id) = owner.machine(&["events:read", "patrons:create"]).await;
    let secret = machine.token.clone().expect("a secret");
    // Found by secret scanners.
    let digits = secret.strip_prefix("rck_").expect("the prefix");
    assert!(digits.len() == 57 && digits.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let everything = format!("{:?}", app.database.everything().await);
    assert!(everything.contains(&digits[..8]) && !everything.contains(&digits[8..20]));
    let told = machine.ok(OWN, json!({})).await;
    let expected = json!({ "viewer": null, "currentApiKey": {
        "id": id, "name": "Machine", "lookup": &digits[..8], "event": null,
        "permissions": ["organization:read", "events:read", "patrons:create"],
    } });
    assert_eq!(told, expected);
    assert_eq!(
        machine.ok(EVENTS, json!({})).await["events"]["nodes"][0]["id"],
        event
    );
    assert_eq!(owner.ok(OWN, json!({})).await["currentApiKey"], Value::Null);
    let answer = machine
        .send("{ patrons { nodes { id } } }", json!({}))
        .await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    // What it does and is denied is in the audit log under its own name.
    machine.patron("Ada").await;
    app.clock.set(at(18, 1));
    let input = json!({ "title": "New", "startsAt": at(19, 0), "endsAt": at(20, 0) });
    assert_eq!(machine.denied("createEvent", input).await, "FORBIDDEN");
    let query = "query($id: ID!) { auditLog(filter: { apiKeyId: $id }) { nodes {
        eventType result actorKind actorId apiKeyId actor { id } apiKey { name responsible { firstName } } } } }";
    let entries = owner.ok(query, json!({ "id": id })).await;
    let entry = |what: &str, result: &str| {
        json!({ "eventType": what, "result": result, "actorKind": "KEY", "actorId": null, "apiKeyId": id, "actor": null,
            "apiKey": { "name": "Machine", "responsible": { "firstName": "jazz" } } })
    };
    let expected = [
        entry("events:create", "FAILURE"),
        entry("patron.created", "SUCCESS"),
    ];
    assert_eq!(entries["auditLog"]["nodes"], json!(expected));
    let by_key = "SELECT count(*) FROM changes WHERE key_id IS NOT NULL AND actor_id IS NULL";
    assert_eq!(app.database.number(by_key).await, 1);
    let keys = "{ apiKeys { nodes { id name event { id } responsible { firstName } lastUsedAt } pageInfo { hasNextPage } } }";
    let keys = owner.ok(keys, json!({})).await;
    assert_eq!(keys["apiKeys"]["nodes"][0]["id"], id);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn a_typo_costs_no_statement(app: App) {
    let owner = app.owner("jazz").await;
    let (machine, _) = owner.machine(&["events:read"]).await;
    let secret = machine.token.clone().expect("a secret");
    assert_eq!(code(&machine).await, None);
    app.database
        .look("ALTER TABLE api_key_secrets RENAME TO away")
        .await;
    let mut typos = vec![
        secret[..60].to_owned(),
        format!("{secret}0"),
        "rck_".to_owned(),
        secret.to_uppercase().replacen("RCK_", "rck_", 1),
    ];
    for place in [4, 20, 58] {
        let mut typo = secret.clone();
        let other = if &secret[place..=place] == "a" {
            "b"
        } else {
            "a"
        };
        typo.replace_range(place..=place, other);
        typos.push(typo);
    }
    for typo in typos {
        let answer = owner.with_token(&typo).send(EVENTS, json!({})).await;
        assert_eq!(
            (answer.status, answer.codes()),
            (401, vec!["UNAUTHENTICATED".to_owned()])
        );
    }
    // The control: the key itself is asked for.
    assert_eq!(code(&machine).await.as_deref(), Some("INTERNAL"));
    app.stop().await;
}

async fn nobody_gives_a_key_what_they_lack(app: App) {
    let owner = app.owner("jazz").await;
    let role = json!({ "name": "Keeper", "permissions": ["api_keys:create", "api_keys:update", "events:read"] });
    owner.done("createRole", "__typename", role).await;
    let keeper = app.member(&owner, "keeper").await;
    let (strong, id) = owner.machine(&["events:read", "patrons:read"]).await;
    let organizer = app.member(&owner, "organizer").await;
    keeper.machine(&["events:read"]).await;
    // Its use is noted before anything is compared.
    assert_eq!(code(&strong).await, None);
    let before = app.database.holdings().await;
    let input = |permissions: &[&str]| json!({ "name": "Key", "permissions": permissions });
    assert_eq!(
        keeper
            .refused("createApiKey", input(&["patrons:read"]))
            .await,
        ["ABOVE_OWN_ROLE input.permissions"]
    );
    let event = json!({ "name": "Door", "eventId": "none" });
    assert_eq!(
        keeper.refused("createDeviceKey", event).await,
        ["INVALID_ID input.eventId"]
    );
    // Whoever holds a secret, or answers for a key, could do what it may.
    let which = json!({ "apiKeyId": id });
    for field in ["rotateApiKey", "adoptApiKey"] {
        assert_eq!(
            keeper.refused(field, which.clone()).await,
            ["ABOVE_OWN_ROLE input.apiKeyId"]
        );
        assert_eq!(organizer.denied(field, which.clone()).await, "FORBIDDEN");
        assert_eq!(strong.denied(field, which.clone()).await, "FORBIDDEN");
    }
    for field in ["createApiKey", "revokeApiKey", "updateApiKey"] {
        let input = match field {
            "createApiKey" => input(&[]),
            "updateApiKey" => json!({ "apiKeyId": id, "name": "Other" }),
            _ => which.clone(),
        };
        assert_eq!(organizer.denied(field, input).await, "FORBIDDEN");
    }
    for takes_a_person in [
        "organization:transfer",
        "invitations:create",
        "api_keys:create",
        "api_keys:update",
        "events:fly",
    ] {
        assert_eq!(
            owner
                .refused("createApiKey", input(&[takes_a_person]))
                .await,
            ["INVALID input.permissions"]
        );
    }
    app.clock.set(at(18, 15));
    for (field, input) in [
        ("createApiKey", input(&[])),
        ("rotateApiKey", which.clone()),
        ("adoptApiKey", which.clone()),
    ] {
        assert_eq!(owner.refused(field, input).await, ["SESSION_NOT_FRESH "]);
    }
    assert_eq!(app.database.holdings().await, before);
    // Nor does another need one.
    let renaming = json!({ "apiKeyId": id, "name": "Other" });
    owner
        .done("updateApiKey", "apiKey { name }", renaming)
        .await;
    app.stop().await;
}

async fn a_key_may_do_what_who_answers_for_it_may(app: App) {
    let owner = app.owner("jazz").await;
    let admin = app.member(&owner, "admin").await;
    let (machine, id) = admin.machine(&["events:read", "patrons:create"]).await;
    let members = owner
        .ok("{ members { nodes { id role } } }", json!({}))
        .await;
    let members = members["members"]["nodes"].as_array().cloned();
    let mut members = members.expect("members").into_iter();
    let member = members.find(|member| member["role"] == "admin");
    let member = member.expect("the admin")["id"].clone();
    machine.patron("Ada").await;
    let demoted = json!({ "memberId": member, "role": "viewer" });
    owner.done("changeMemberRole", "__typename", demoted).await;
    assert_eq!(code(&machine).await, None);
    let patron = json!({ "firstName": "Bo" });
    assert_eq!(
        machine.denied("createPatron", patron.clone()).await,
        "FORBIDDEN"
    );
    let promoted = json!({ "memberId": member, "role": "organizer" });
    owner.done("changeMemberRole", "__typename", promoted).await;
    machine.patron("Bo").await;
    owner
        .done("removeMember", "__typename", json!({ "memberId": member }))
        .await;
    assert_eq!(code(&machine).await.as_deref(), Some("FORBIDDEN"));
    assert_eq!(machine.denied("createPatron", patron).await, "FORBIDDEN");
    let keys = "{ apiKeys { nodes { id responsible { id } } } }";
    let keys = owner.ok(keys, json!({})).await;
    assert_eq!(keys["apiKeys"]["nodes"][0]["responsible"], Value::Null);
    // The organization's, it stays; somebody else answers for it, and its secret is the same.
    let adopted = owner
        .done(
            "adoptApiKey",
            "apiKey { responsible { firstName } }",
            json!({ "apiKeyId": id }),
        )
        .await;
    assert_eq!(adopted["apiKey"]["responsible"]["firstName"], "jazz");
    machine.patron("Cy").await;
    app.stop().await;
}

async fn a_key_is_for_one_organization(app: App) {
    let (owner, stranger) = (app.owner("jazz").await, app.owner("chess").await);
    let (machine, id) = owner.machine(&["events:read"]).await;
    let theirs = stranger.evening(json!({})).await;
    let slug = async |client: &Client| {
        let data = client.ok("{ organization { slug } }", json!({})).await;
        data["organization"]["slug"]
            .as_str()
            .expect("a slug")
            .to_owned()
    };
    assert_eq!(code(&machine.acting_in(&slug(&owner).await)).await, None);
    let foreign = machine.acting_in(&slug(&stranger).await);
    let never = machine.acting_in("never-was");
    let query = "query($id: ID!) { organization { id } events { nodes { id } } event(id: $id) { id } node(id: $id) { id } }";
    for query in [query, OWN] {
        let answers = [&foreign, &never].map(|client| client.send(query, json!({ "id": theirs })));
        let [answer, expected] = futures_util::future::join_all(answers)
            .await
            .try_into()
            .expect("two");
        assert_eq!(answer.body, expected.body);
        assert!(!answer.body.to_string().contains(&theirs));
    }
    let data = machine
        .ok(
            "query($id: ID!) { event(id: $id) { id } node(id: $id) { id } }",
            json!({ "id": theirs }),
        )
        .await;
    assert_eq!(data, json!({ "event": null, "node": null }));
    for field in ["revokeApiKey", "rotateApiKey", "adoptApiKey"] {
        let refused = stranger.refused(field, json!({ "apiKeyId": id })).await;
        assert_eq!(refused, ["NOT_FOUND input.apiKeyId"]);
    }
    let input = json!({ "name": "Door", "eventId": theirs });
    assert_eq!(
        owner.refused("createDeviceKey", input).await,
        ["NOT_FOUND input.eventId"]
    );
    app.stop().await;
}

async fn what_takes_a_person_takes_no_key(app: App) {
    let owner = app.owner("jazz").await;
    let (machine, _) = owner
        .machine(&["members:delete", "organization:update"])
        .await;
    let organization =
        owner.ok("{ organization { id } }", json!({})).await["organization"]["id"].clone();
    assert_eq!(code(&machine).await.as_deref(), Some("FORBIDDEN"));
    let before = app.database.holdings().await;
    for (field, input) in [
        ("confirmPassword", json!({ "password": PASSWORD })),
        (
            "changePassword",
            json!({ "currentPassword": PASSWORD, "newPassword": PASSWORD }),
        ),
        ("requestEmailChange", json!({ "email": "new@example.org" })),
        ("acceptInvitation", json!({ "token": "x".repeat(43) })),
        ("createOrganization", json!({ "name": "Another" })),
        (
            "activateOrganization",
            json!({ "organizationId": organization }),
        ),
        (
            "leaveOrganization",
            json!({ "organizationId": organization }),
        ),
    ] {
        assert_eq!(
            machine.denied(field, input).await,
            "PERSON_REQUIRED",
            "{field}"
        );
    }
    for field in ["signOut", "revokeOtherSessions", "requestEmailVerification"] {
        let mutation = format!("mutation {{ {field} {{ errors {{ code }} }} }}");
        let answer = machine.send(&mutation, json!({})).await;
        assert_eq!(answer.codes(), ["PERSON_REQUIRED"], "{field}");
    }
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}
