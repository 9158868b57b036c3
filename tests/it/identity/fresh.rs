//! What a stolen session must not do: a session is fresh for a while after its password was given, and
//! gets another token whenever it becomes so again.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{App, Client, door::at_once, evening::at, on_each_database, people::PASSWORD};

on_each_database!(at crate::harness::evening::at(12, 0);
    a_session_is_fresh_for_fifteen_minutes,
    only_the_right_password_makes_it_fresh,
    a_renewed_token_ends_at_once,
    of_many_who_renew_at_once_one_does,
    another_password_ends_the_other_sessions,
    a_password_is_changed_by_whoever_knows_it,
    of_two_changes_at_once_one_holds,
    nobody_comes_in_late_with_the_password_before,
);

const OTHER: &str = "Another-horse-8";

async fn login(client: &Client) -> String {
    let data = client
        .ok("{ viewer { user { username } } }", json!({}))
        .await;
    let username = data["viewer"]["user"]["username"].as_str();
    username.expect("a name").to_owned()
}

/// The person's session on another device.
async fn device(app: &App, client: &Client) -> Client {
    let input = json!({ "login": login(client).await, "password": PASSWORD });
    let payload = app.anonymous().done("signIn", "token", input).await;
    holding(client, &payload)
}

fn holding(client: &Client, payload: &Value) -> Client {
    client.with_token(payload["token"].as_str().expect("a token"))
}

async fn is_signed_in(client: &Client) -> bool {
    let answer = client
        .send("{ viewer { user { username } } }", json!({}))
        .await;
    assert!(answer.codes().is_empty() || answer.codes() == ["UNAUTHENTICATED"]);
    answer.codes().is_empty()
}

async fn a_session_is_fresh_for_fifteen_minutes(app: App) {
    let owner = app.owner("jazz").await;
    app.member(&owner, "admin").await;
    let data = owner
        .ok("{ members { nodes { id role } } }", json!({}))
        .await;
    let members = data["members"]["nodes"].as_array().expect("members");
    let heir = members.iter().find(|member| member["role"] == "admin");
    let transfer = json!({ "memberId": heir.expect("the admin")["id"] });
    let (quarter, moment) = (TimeDelta::minutes(15), TimeDelta::microseconds(1));

    app.clock.set(at(12, 0) + quarter);
    let other = device(&app, &owner).await;
    let before = app.database.holdings().await;
    let answer = owner
        .mutate("transferOwnership", "__typename", transfer.clone())
        .await;
    let error = &answer.body["data"]["transferOwnership"]["errors"][0];
    assert_eq!(
        (&error["code"], &error["path"]),
        (&json!("SESSION_NOT_FRESH"), &Value::Null)
    );
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("confirmPassword"), "{message}");
    assert_eq!(app.database.holdings().await, before);

    // Each session for itself: that one was just opened, and this is confirmed now.
    let confirmed = owner
        .done("confirmPassword", "token", json!({ "password": PASSWORD }))
        .await;
    let owner = holding(&owner, &confirmed);
    let before = app.database.holdings().await;
    app.clock.set(at(12, 15) + quarter);
    for client in [&owner, &other] {
        assert_eq!(
            client.refused("transferOwnership", transfer.clone()).await,
            ["SESSION_NOT_FRESH "]
        );
    }
    assert_eq!(app.database.holdings().await, before);
    app.clock.set(at(12, 15) + quarter - moment);
    owner
        .done("transferOwnership", "__typename", transfer)
        .await;
    app.stop().await;
}

async fn only_the_right_password_makes_it_fresh(app: App) {
    let (ada, bo) = (app.sign_up("ada").await, app.sign_up("bo").await);
    let input = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    let bo = holding(&bo, &bo.done("changePassword", "token", input).await);
    app.clock.set(at(13, 0));
    for client in [&ada, &bo] {
        login(client).await;
    }
    let before = app.database.without_refusals().await;
    // The last is Bo's.
    for wrong in ["", "correct-horse-7", &"x".repeat(2000), OTHER] {
        assert_eq!(
            ada.refused("confirmPassword", json!({ "password": wrong }))
                .await,
            ["BAD_CREDENTIALS input.password"]
        );
    }
    assert_eq!(
        app.anonymous()
            .denied("confirmPassword", json!({ "password": PASSWORD }))
            .await,
        "UNAUTHENTICATED"
    );
    assert_eq!(app.database.without_refusals().await, before);
    let query = "{ viewer { sessions { authenticatedAt createdAt } } }";
    let times =
        async |client: &Client| client.ok(query, json!({})).await["viewer"]["sessions"][0].clone();
    let noon = at(12, 0).to_rfc3339();
    assert_eq!(
        times(&ada).await,
        json!({ "authenticatedAt": noon, "createdAt": noon })
    );
    let payload = ada
        .done("confirmPassword", "token", json!({ "password": PASSWORD }))
        .await;
    let ada = holding(&ada, &payload);
    assert_eq!(
        times(&ada).await,
        json!({ "authenticatedAt": at(13, 0).to_rfc3339(), "createdAt": noon })
    );
    app.stop().await;
}

async fn a_renewed_token_ends_at_once(app: App) {
    let owner = app.owner("jazz").await;
    let second = app.beside(&[]).await;
    let beside = format!("http://{}", second.address());
    let query = "{ viewer { sessions { id } } organization { id } patrons { nodes { id } } }";
    let (mut client, mut seen) = (owner.clone(), Vec::new());
    for (field, input) in [
        ("confirmPassword", json!({ "password": PASSWORD })),
        ("changePassword", json!({ "newPassword": PASSWORD })),
    ] {
        // Both instances know the token by now.
        let before = client.ok(query, json!({})).await;
        assert_eq!(client.at(&beside).ok(query, json!({})).await, before);
        let selection = "token viewer { sessions { id current } }";
        let payload = client.done(field, selection, input).await;
        assert_eq!(
            payload["viewer"]["sessions"],
            json!([{ "id": before["viewer"]["sessions"][0]["id"], "current": true }])
        );
        let renewed = holding(&client, &payload);
        for url in [&app.url, &beside] {
            assert!(!is_signed_in(&client.at(url)).await, "{field}");
            assert_eq!(renewed.at(url).ok(query, json!({})).await, before);
        }
        seen.push(client.token);
        client = renewed;
    }
    assert!(!seen.contains(&client.token) && seen[0] != seen[1]);
    // What comes after it in the same operation is done with the new one, and a browser gets that.
    let document =
        "mutation($password: String!) { confirmPassword(input: { password: $password }) { token }
        createPatron(input: { firstName: \"Ada\" }) { errors { message } } }";
    let request = reqwest::Client::new()
        .post(format!("{}/graphql", app.url))
        .bearer_auth(client.token.as_ref().expect("a token"))
        .json(&json!({ "query": document, "variables": { "password": PASSWORD } }));
    let response = request.send().await.expect("an answer");
    let set = response.headers()["set-cookie"].to_str().expect("text");
    let set = set.to_owned();
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["data"]["createPatron"]["errors"], json!([]), "{body}");
    let token = body["data"]["confirmPassword"]["token"].as_str();
    let expected = format!("rollcall={}; Path=/; ", token.expect("a token"));
    assert!(set.starts_with(&expected), "{set}");
    second.stop().await;
    app.stop().await;
}

async fn of_many_who_renew_at_once_one_does(app: App) {
    let ada = app.sign_up("ada").await;
    let attempts = (0..8).map(|_| {
        let ada = ada.again();
        let input = json!({ "password": PASSWORD });
        async move { ada.mutate("confirmPassword", "token", input).await }
    });
    let answers = at_once(attempts.collect::<Vec<_>>()).await;
    let renewed: Vec<Client> = answers
        .iter()
        .filter(|answer| answer.codes().is_empty())
        .map(|answer| holding(&ada, &answer.body["data"]["confirmPassword"]))
        .collect();
    let late = answers
        .iter()
        .filter(|answer| answer.codes() == ["UNAUTHENTICATED"]);
    assert_eq!((renewed.len(), late.count()), (1, 7), "{answers:?}");
    assert!(is_signed_in(&renewed[0]).await && !is_signed_in(&ada).await);
    app.stop().await;
}

async fn another_password_ends_the_other_sessions(app: App) {
    let (ada, bo) = (app.sign_up("ada").await, app.sign_up("bo").await);
    let others = [device(&app, &ada).await, device(&app, &ada).await];
    let username = login(&ada).await;
    let payload = ada
        .done("changePassword", "token", json!({ "newPassword": OTHER }))
        .await;
    let renewed = holding(&ada, &payload);
    assert!(is_signed_in(&renewed).await && is_signed_in(&bo).await);
    for ended in others.iter().chain([&ada]) {
        assert!(!is_signed_in(ended).await);
    }
    assert_eq!(
        app.database.number("SELECT count(*) FROM sessions").await,
        2
    );
    let sign_in = |password: &str| json!({ "login": username, "password": password });
    assert_eq!(
        app.anonymous().refused("signIn", sign_in(PASSWORD)).await,
        ["BAD_CREDENTIALS input.password"]
    );
    app.anonymous()
        .done("signIn", "token", sign_in(OTHER))
        .await;
    app.stop().await;
}

async fn a_password_is_changed_by_whoever_knows_it(app: App) {
    let ada = app.sign_up("ada").await;
    device(&app, &ada).await;
    app.clock.set(at(13, 0));
    login(&ada).await;
    let before = app.database.without_refusals().await;
    for (input, refusal) in [
        (json!({ "newPassword": OTHER }), "SESSION_NOT_FRESH "),
        (
            json!({ "currentPassword": OTHER, "newPassword": OTHER }),
            "BAD_CREDENTIALS input.currentPassword",
        ),
        (
            json!({ "currentPassword": "x".repeat(2000), "newPassword": OTHER }),
            "BAD_CREDENTIALS input.currentPassword",
        ),
        (
            json!({ "currentPassword": PASSWORD, "newPassword": "short" }),
            "WEAK_PASSWORD input.newPassword",
        ),
        (
            json!({ "currentPassword": PASSWORD, "newPassword": "Aa1".repeat(50) }),
            "WEAK_PASSWORD input.newPassword",
        ),
    ] {
        assert_eq!(ada.refused("changePassword", input).await, [refusal]);
    }
    let input = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    assert_eq!(
        app.anonymous()
            .denied("changePassword", input.clone())
            .await,
        "UNAUTHENTICATED"
    );
    assert_eq!(app.database.without_refusals().await, before);
    ada.done("changePassword", "token", input).await;
    app.stop().await;
}

/// Of two sessions, and of one that is used twice: the other is told that it ended.
async fn of_two_changes_at_once_one_holds(app: App) {
    for round in 0..6 {
        let ada = app.sign_up("ada").await;
        let username = login(&ada).await;
        let second = if round % 2 == 0 {
            device(&app, &ada).await
        } else {
            ada.again()
        };
        let changes = [(ada, "First-horse-1"), (second, "Second-horse-2")];
        let attempts = changes.map(|(client, password)| async move {
            let input = json!({ "currentPassword": PASSWORD, "newPassword": password });
            let answer = client.mutate("changePassword", "token", input).await;
            (client, password, answer)
        });
        let attempts = at_once(attempts).await;
        let done: Vec<_> = attempts
            .iter()
            .filter(|(.., answer)| {
                answer.codes().is_empty() && answer.refusals("changePassword").is_empty()
            })
            .collect();
        let [(client, held, answer)] = done[..] else {
            let answers: Vec<_> = attempts.iter().map(|(.., answer)| answer).collect();
            panic!("{answers:?}");
        };
        assert!(is_signed_in(&holding(client, &answer.body["data"]["changePassword"])).await);
        for (client, password, _) in &attempts {
            assert!(!is_signed_in(client).await);
            let input = json!({ "login": username, "password": password });
            let answer = app.anonymous().mutate("signIn", "token", input).await;
            let signed_in = answer.body["data"]["signIn"]["token"].is_string();
            assert_eq!(signed_in, password == held, "{}", answer.body);
        }
    }
    app.stop().await;
}

/// Whoever signs in while the password is changed comes before the change, and is out again, or after
/// it, and is not let in.
async fn nobody_comes_in_late_with_the_password_before(app: App) {
    for _ in 0..5 {
        let ada = app.sign_up("ada").await;
        let username = login(&ada).await;
        let sign_ins = (0..4).map(|_| {
            let (client, username) = (app.anonymous().again(), username.clone());
            tokio::spawn(async move {
                let input = json!({ "login": username, "password": PASSWORD });
                client.mutate("signIn", "token", input).await
            })
        });
        let sign_ins: Vec<_> = sign_ins.collect();
        let payload = ada
            .done("changePassword", "token", json!({ "newPassword": OTHER }))
            .await;
        for sign_in in sign_ins {
            let answer = sign_in.await.expect("no panic");
            let token = answer.body["data"]["signIn"]["token"].as_str();
            if let Some(token) = token {
                assert!(!is_signed_in(&app.anonymous().with_token(token)).await);
            }
        }
        assert!(is_signed_in(&holding(&ada, &payload)).await);
    }
    app.stop().await;
}
