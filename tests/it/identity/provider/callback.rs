//! The browser's way: out with a cookie, and back to a page that it may return to.

use serde_json::{Value, json};

use super::{Begun, accounts, complete, prove_addresses, who, with, with_real};
use crate::harness::{
    App, TestDatabase,
    browser::{Browser, fragment},
    on_each_database,
    people::PASSWORD,
    provider::{liar, parameter, sample},
};

on_each_database!(
    a_browser_is_signed_in_and_goes_where_it_wanted,
    a_browser_links_an_account,
    another_browser_is_not_signed_in,
    who_keeps_no_cookie_completes_it_on_their_page,
    what_did_not_work_is_a_page,
    a_browser_returns_only_to_where_it_may,
);

const BEGIN: &str = "mutation($input: BeginProviderSignInInput!) { beginProviderSignIn(input: $input) { authorizationUrl errors { message } } }";
const LINK: &str = "mutation($input: BeginProviderLinkInput!) { beginProviderLink(input: $input) { authorizationUrl errors { message } } }";
const VIEWER: &str = "{ viewer { user { email } linkedAccounts { provider } } }";

async fn begin(browser: &Browser, app: &App, query: &str, input: Value) -> String {
    let body = browser
        .operate(&app.url, query, json!({ "input": input }))
        .await;
    let data = body["data"].as_object().expect("data");
    let payload = data.values().next().expect("a payload");
    let url = payload["authorizationUrl"].as_str();
    url.unwrap_or_else(|| panic!("{body}")).to_owned()
}

async fn viewer(browser: &Browser, app: &App) -> Value {
    browser.operate(&app.url, VIEWER, json!({})).await["data"]["viewer"].take()
}

async fn a_browser_is_signed_in_and_goes_where_it_wanted(app: App) {
    let Some((app, _one)) = with_real(app).await else {
        return;
    };
    let browser = Browser::new();
    let input = json!({ "provider": "one", "returnTo": "/welcome?to=us" });
    let url = begin(&browser, &app, BEGIN, input).await;
    let cookie = browser
        .cookie(&app.url, "rollcall-provider")
        .expect("a cookie");
    assert!(!url.contains(&cookie), "it stays here");
    let end = format!("{}/welcome", app.url);
    assert_eq!(
        browser.visit(&url, "ada", &end).await,
        format!("{}/welcome?to=us", app.url)
    );
    assert_eq!(
        viewer(&browser, &app).await["user"]["email"],
        "ada@example.org"
    );
    assert_eq!(browser.cookie(&app.url, "rollcall-provider"), None);
    // Back and forth: the same answer signs nobody in again.
    let browser = Browser::new();
    let url = begin(&browser, &app, BEGIN, json!({ "provider": "one" })).await;
    let back = format!("{}/callback/", app.url);
    let back = browser.visit(&url, "ada", &back).await;
    let cookie = browser.cookie(&app.url, "rollcall-provider");
    let page = browser.get(&back).await;
    assert_eq!(page.location, Some(format!("{}/", app.url)));
    assert!(cookie.is_some() && page.status == 303);
    let page = browser.get(&back).await;
    assert_eq!((page.status, page.location), (400, None));
    assert_eq!(accounts(&app).await, 1);
    app.stop().await;
}

async fn a_browser_links_an_account(app: App) {
    let Some((app, _one)) = with_real(app).await else {
        return;
    };
    let ada = app.sign_up("ada").await;
    prove_addresses(&app).await;
    let browser = Browser::new();
    let sign_in = "mutation($input: SignInInput!) { signIn(input: $input) { errors { message } } }";
    let login = json!({ "login": who(&ada).await["user"]["username"], "password": PASSWORD });
    browser
        .operate(&app.url, sign_in, json!({ "input": login }))
        .await;
    let session = browser.cookie(&app.url, "rollcall");
    let url = begin(&browser, &app, LINK, json!({ "provider": "one" })).await;
    let end = format!("{}/callback/", app.url);
    let back = browser.visit(&url, "elsewhere", &end).await;
    assert_eq!(
        browser.get(&back).await.location,
        Some(format!("{}/", app.url))
    );
    assert_eq!(browser.cookie(&app.url, "rollcall"), session, "it stays");
    assert_eq!(
        viewer(&browser, &app).await["linkedAccounts"],
        json!([{ "provider": "one" }])
    );
    assert_eq!(accounts(&app).await, 1);
    app.stop().await;
}

/// That somebody is sent here with a stranger's answer signs them in to nobody's account.
async fn another_browser_is_not_signed_in(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    let (mallory, ada) = (Browser::new(), Browser::new());
    let theirs = begin(&mallory, &app, BEGIN, json!({ "provider": "sample" })).await;
    let code = crate::harness::provider::code(
        "truth",
        &parameter(&theirs, "nonce").expect("a nonce"),
        "mallory",
    );
    let back = format!(
        "{}/callback/sample?state={}&code={code}&iss={}",
        app.url,
        parameter(&theirs, "state").expect("a state"),
        liar("sample")
    );
    let page = ada.get(&back).await;
    assert!(
        page.location
            .is_some_and(|to| to.starts_with(&format!("{}/#", app.url)))
    );
    assert_eq!(viewer(&ada, &app).await, Value::Null);
    // Nor if they are about to sign in themselves.
    begin(&ada, &app, BEGIN, json!({ "provider": "sample" })).await;
    let page = ada.get(&back).await;
    assert_eq!((page.status, page.location), (400, None));
    assert_eq!(viewer(&ada, &app).await, Value::Null);
    assert_eq!(accounts(&app).await, 0);
    // The control: it was in order.
    assert_eq!(mallory.get(&back).await.status, 303);
    assert_eq!(
        viewer(&mallory, &app).await["user"]["email"],
        "mallory@example.org"
    );
    app.stop().await;
}

async fn who_keeps_no_cookie_completes_it_on_their_page(app: App) {
    let page = "https://app.example.org/signed-in?a=b";
    let app = app
        .with(&[
            ("ROLLCALL_OIDC_PROVIDERS", &sample()),
            ("ROLLCALL_ALLOWED_ORIGINS", "https://app.example.org"),
        ])
        .await;
    let input = json!({ "provider": "sample", "returnTo": page });
    let selection = "authorizationUrl browserSecret";
    let client = app.anonymous();
    let payload = client.done("beginProviderSignIn", selection, input).await;
    let url = payload["authorizationUrl"]
        .as_str()
        .expect("a URL")
        .to_owned();
    let begun = Begun {
        provider: "sample".to_owned(),
        url,
        secret: payload["browserSecret"]
            .as_str()
            .expect("a secret")
            .to_owned(),
    };
    let sent = begun.answered("truth", "ada");
    let text = |name: &str| sent[name].as_str().expect(name);
    let back = format!(
        "{}/callback/sample?code={}&state={}&iss={}&else=x",
        app.url,
        text("code"),
        text("state"),
        text("iss")
    );
    let handed = Browser::new().get(&back).await;
    let location = handed.location.expect("a page");
    assert!(
        handed.status == 303 && location.starts_with(&format!("{page}#")),
        "{location}"
    );
    let mut input = json!({ "browserSecret": begun.secret });
    for (name, value) in fragment(&location) {
        input[name] = json!(value);
    }
    assert_eq!(input, sent);
    complete(&app, input).await;
    assert_eq!(accounts(&app).await, 1);
    app.stop().await;
}

async fn what_did_not_work_is_a_page(app: App) {
    let app = with(app, &[("sample", &liar("sample"))]).await;
    let browser = Browser::new();
    let url = begin(&browser, &app, BEGIN, json!({ "provider": "sample" })).await;
    let state = parameter(&url, "state").expect("a state");
    let script = "%3Cscript%3Ealert(1)%3C/script%3E";
    for query in [
        String::new(),
        format!("?state={state}"),
        format!("?state={state}&error=access_denied&error_description={script}"),
        format!("?state={state}&code=x&code=y"),
        format!("?state={script}&code={script}"),
        format!("?state={state}&code=%00%F0%9F%92%A9"),
        format!("?state={state}&state={state}&code=x"),
        format!("?state={state}&code=nonsense&iss={script}"),
    ] {
        let page = browser
            .get(&format!("{}/callback/sample{query}", app.url))
            .await;
        assert_eq!(page.status, 400, "{query}");
        assert!(
            page.location.is_none() && !page.text.contains("<script"),
            "{}",
            page.text
        );
        assert!(page.text.contains("Not signed in"), "{}", page.text);
    }
    for provider in ["nobody", "%3Cscript%3E", "%00"] {
        let query = format!("/callback/{provider}?state={state}&code=x");
        assert_eq!(
            browser.get(&format!("{}{query}", app.url)).await.status,
            400
        );
    }
    // None of it used the sign-in up, and what is shown is kept from others.
    let unused = "SELECT count(*) FROM provider_sign_ins WHERE used_at IS NULL";
    assert_eq!(app.database.number(unused).await, 1);
    let answer = reqwest::get(format!("{}/callback/sample", app.url)).await;
    let answer = answer.expect("an answer");
    let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("cache-control"), "no-store");
    app.stop().await;
}

async fn a_browser_returns_only_to_where_it_may(app: App) {
    let variables = [("ROLLCALL_ALLOWED_ORIGINS", "https://app.example.org")];
    let app = app.with(&variables).await;
    let client = app.anonymous();
    for page in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "https://app.example.org.evil.example/",
        "https://app.example.org@evil.example/",
        "http://app.example.org/",
        "javascript:alert(1)",
        "/a#b",
        " /a",
    ] {
        let input = json!({ "provider": "sample", "returnTo": page });
        assert_eq!(
            client.refused("beginProviderSignIn", input).await,
            ["INVALID input.returnTo"],
            "{page}"
        );
    }
    let rows = app
        .database
        .number("SELECT count(*) FROM provider_sign_ins");
    assert_eq!(rows.await, 0);
    for page in ["/a?b=c", "https://app.example.org/a"] {
        let input = json!({ "provider": "sample", "returnTo": page });
        client
            .done("beginProviderSignIn", "authorizationUrl", input)
            .await;
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_cookie_is_bound_to_this_host() {
    let database = TestDatabase::create(crate::harness::Backend::Sqlite).await;
    let database = database.expect("SQLite needs nothing");
    let variables = [("ROLLCALL_PUBLIC_URL", "https://rollcall.example")];
    let app = App::start_with(database, domain::Clock::system(), &variables).await;
    let body = json!({ "query": BEGIN, "variables": { "input": { "provider": "sample" } } });
    let post = reqwest::Client::new().post(format!("{}/graphql", app.url));
    let answer = post.json(&body).send().await.expect("an answer");
    let set = answer.headers()["set-cookie"]
        .to_str()
        .expect("text")
        .to_owned();
    assert!(
        set.starts_with("__Host-rollcall-provider=")
            && set.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"),
        "{set}"
    );
    let body: Value = answer.json().await.expect("JSON");
    let url = body["data"]["beginProviderSignIn"]["authorizationUrl"].as_str();
    assert_eq!(
        url.and_then(|url| parameter(url, "redirect_uri"))
            .as_deref(),
        Some("https://rollcall.example/callback/sample")
    );
    app.stop().await;
}
