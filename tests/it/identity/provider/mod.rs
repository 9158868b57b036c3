//! Signing in with outside providers: a real one in a process of its own, and one that lies.

mod callback;
mod lies;
mod link;
mod sign_in;
mod state;
mod unlink;

use serde_json::{Value, json};

use crate::harness::{
    App, Client,
    browser::Browser,
    mail::OUTBOX,
    provider::{ProviderServer, code, entry, liar, parameter},
};

/// A sign-in that was begun.
struct Begun {
    provider: String,
    url: String,
    secret: String,
}

/// What is asked of whoever is signed in.
const WHO: &str = "{ viewer { emailVerified user { id username email firstName lastName }
    sessions { id } linkedAccounts { id provider email } } }";

/// The same instance with an outbox, and these providers by their issuers.
async fn with(app: App, providers: &[(&str, &str)]) -> App {
    let entries = providers.iter().map(|(id, issuer)| entry(id, issuer));
    let list = entries.collect::<Value>().to_string();
    app.with(&[OUTBOX, ("ROLLCALL_OIDC_PROVIDERS", &list)])
        .await
}

/// The same with a real provider called `one`; none where there is no Node.
async fn with_real(app: App) -> Option<(App, ProviderServer)> {
    let mut one = ProviderServer::away();
    let app = with(app, &[("one", &one.issuer())]).await;
    if one.up(&format!("{}/callback/one", app.url)).await {
        return Some((app, one));
    }
    app.stop().await;
    None
}

impl Begun {
    /// Begins a sign-in, or a link, at a provider.
    async fn new(client: &Client, field: &str, provider: &str) -> Self {
        let input = json!({ "provider": provider });
        let payload = client
            .done(field, "authorizationUrl browserSecret", input)
            .await;
        let text = |name: &str| payload[name].as_str().expect(name).to_owned();
        Self {
            provider: provider.to_owned(),
            url: text("authorizationUrl"),
            secret: text("browserSecret"),
        }
    }

    async fn sign_in(app: &App, provider: &str) -> Self {
        Self::new(&app.anonymous(), "beginProviderSignIn", provider).await
    }

    fn sent(&self, name: &str) -> String {
        parameter(&self.url, name).expect(name)
    }

    /// What is to be completed, once somebody has signed in at a real provider.
    async fn come_back(&self, app: &App, login: &str) -> Value {
        let end = format!("{}/callback/", app.url);
        let url = Browser::new().visit(&self.url, login, &end).await;
        json!({
            "provider": self.provider, "state": parameter(&url, "state"), "code": parameter(&url, "code"),
            "iss": parameter(&url, "iss"), "browserSecret": self.secret,
        })
    }

    /// The same at the provider in this process, which tells the truth or not.
    fn answered(&self, lie: &str, subject: &str) -> Value {
        let code = code(lie, &self.sent("nonce"), subject);
        json!({
            "provider": self.provider, "state": self.sent("state"), "code": code,
            "iss": liar(&self.provider), "browserSecret": self.secret,
        })
    }
}

/// Completes a sign-in: a client with its session.
async fn complete(app: &App, input: Value) -> Client {
    let client = app.anonymous();
    let payload = client.done("completeProviderSignIn", "token", input).await;
    client.with_token(payload["token"].as_str().expect("a token"))
}

/// Signs somebody in who is called `subject` at the provider in this process.
async fn arrive(app: &App, provider: &str, subject: &str) -> Client {
    let begun = Begun::sign_in(app, provider).await;
    complete(app, begun.answered("truth", subject)).await
}

/// Says that it is proved that everybody's address is theirs.
async fn prove_addresses(app: &App) {
    let prove = "UPDATE users SET email_verified_at = '2000-01-01T00:00:00+00:00'";
    app.database.look(prove).await;
}

async fn who(client: &Client) -> Value {
    client.ok(WHO, json!({})).await["viewer"].take()
}

async fn accounts(app: &App) -> i64 {
    app.database.number("SELECT count(*) FROM users").await
}
