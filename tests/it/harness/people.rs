//! People and organizations to test with, made through the API as anybody would.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::{App, Client};

/// The password of everybody here.
pub const PASSWORD: &str = "Correct-horse-7";

impl App {
    /// Signs a new person up.
    pub async fn sign_up(&self, name: &str) -> Client {
        self.anonymous().sign_up(name).await
    }

    /// Signs a new person up, who founds an organization and acts in it.
    pub async fn owner(&self, name: &str) -> Client {
        self.anonymous().founder(name).await
    }

    /// Signs a new person up, whom `owner` gives a role in their organization.
    pub async fn member(&self, owner: &Client, role: &str) -> Client {
        let client = self.sign_up(role).await;
        let me = client.ok("{ viewer { user { email } } }", json!({})).await;
        let email = me["viewer"]["user"]["email"].clone();
        self.prove(email.as_str().expect("an address")).await;
        owner
            .ok(
                "mutation($input: AddMemberInput!) { addMember(input: $input) { member { id } errors { message code } } }",
                json!({ "input": { "email": email, "role": role } }),
            )
            .await;
        let organization =
            owner.ok("{ organization { id } }", json!({})).await["organization"]["id"].clone();
        client
            .ok(
                "mutation($input: ActivateOrganizationInput!) { activateOrganization(input: $input) { errors { message code } } }",
                json!({ "input": { "organizationId": organization } }),
            )
            .await;
        client
    }
}

impl App {
    /// Has an account prove its address, as if it had been mailed a token.
    pub async fn prove(&self, email: &str) {
        let sql =
            format!("UPDATE users SET email_verified_at = created_at WHERE email = '{email}'");
        self.database.look(&sql).await;
    }
}

impl Client {
    /// Signs a new person up at the same instance.
    pub async fn sign_up(&self, name: &str) -> Self {
        let username = format!("{name}_{}", next());
        let input = json!({
            "username": username, "email": format!("{username}@example.org"), "password": PASSWORD,
            "firstName": name, "lastName": "Test",
        });
        let data = self.ok(
            "mutation($input: SignUpInput!) { signUp(input: $input) { token errors { message code } } }",
            json!({ "input": input }),
        );
        let data = data.await;
        self.with_token(data["signUp"]["token"].as_str().expect("a token"))
    }

    /// The same, who founds an organization and acts in it.
    pub async fn founder(&self, name: &str) -> Self {
        let client = self.sign_up(name).await;
        let input = json!({ "name": format!("{name} club"), "slug": format!("{name}-{}", next()), "timeZone": "Europe/Vienna" });
        client
            .ok(
                "mutation($input: CreateOrganizationInput!) { createOrganization(input: $input) { organization { id } errors { message code } } }",
                json!({ "input": input }),
            )
            .await;
        client
    }

    /// Makes a published event that is on now, for two hours more, with `more` in its input.
    pub async fn event(&self, title: &str, more: Value) -> String {
        let now = domain::Clock::system().now();
        let mut input = json!({
            "title": title, "startsAt": now - chrono::TimeDelta::minutes(30), "endsAt": now + chrono::TimeDelta::hours(2),
            "publish": true,
        });
        for (name, value) in more.as_object().cloned().unwrap_or_default() {
            input[name] = value;
        }
        let data = self.ok(
            "mutation($input: CreateEventInput!) { createEvent(input: $input) { event { id } errors { message code } } }",
            json!({ "input": input }),
        );
        data.await["createEvent"]["event"]["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// Adds a patron.
    pub async fn patron(&self, first_name: &str) -> String {
        let data = self.ok(
            "mutation($input: CreatePatronInput!) { createPatron(input: $input) { patron { id } errors { message code } } }",
            json!({ "input": { "firstName": first_name, "lastName": "Patron" } }),
        );
        data.await["createPatron"]["patron"]["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// Checks a patron in and gives the outcome.
    pub async fn check_in(&self, event: &str, patron: &str) -> String {
        let data = self.ok(
            "mutation($input: CheckInInput!) { checkIn(input: $input) { outcome errors { message code } } }",
            json!({ "input": { "eventId": event, "patronId": patron } }),
        );
        data.await["checkIn"]["outcome"]
            .as_str()
            .expect("an outcome")
            .to_owned()
    }
}

fn next() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}
