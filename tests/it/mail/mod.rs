//! Mails: what is proved by them, and how they get there.

mod change;
mod delivery;
mod reset;
mod verification;

use serde_json::{Value, json};

use crate::harness::{App, Client, mail::OUTBOX, people::PASSWORD};

/// The same with an outbox.
async fn posting(app: App) -> App {
    app.with(&[OUTBOX]).await
}

/// Signs somebody up at NAME@example.org.
async fn join(app: &App, name: &str) -> Client {
    let input = json!({
        "username": name, "email": address(name), "password": PASSWORD, "firstName": "Ada", "lastName": "Lovelace",
    });
    let payload = app.anonymous().done("signUp", "token", input).await;
    let token = payload["token"].as_str().expect("a token");
    app.anonymous().with_token(token)
}

fn address(name: &str) -> String {
    format!("{name}@example.org")
}

/// The viewer's address, and whether it is proved.
async fn account(client: &Client) -> (String, bool) {
    let query = "{ viewer { emailVerified user { email } } }";
    let viewer = client.ok(query, json!({})).await["viewer"].take();
    let email = viewer["user"]["email"].as_str().expect("an address");
    (email.to_owned(), viewer["emailVerified"] == true)
}

fn with_token(mail: &Value) -> Value {
    json!({ "token": mail["token"].as_str().expect("a token") })
}
