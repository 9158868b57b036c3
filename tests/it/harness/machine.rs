//! Machines: clients whose credential is an API key.

use serde_json::{Value, json};

use super::Client;

impl Client {
    /// Makes an API key, and gives a client that shows it, and the key's id.
    pub async fn machine(&self, permissions: &[&str]) -> (Self, String) {
        let input = json!({ "name": "Machine", "permissions": permissions });
        self.issued("createApiKey", input).await
    }

    /// Makes the key of a device at the door of an event, and gives a client that shows it, and the
    /// key's id.
    pub async fn device(&self, event: &str) -> (Self, String) {
        let input = json!({ "name": "Door", "eventId": event });
        self.issued("createDeviceKey", input).await
    }

    /// Does what gives a key a secret, and gives a client that shows it, and the key's id.
    pub async fn issued(&self, field: &str, input: Value) -> (Self, String) {
        let payload = self.done(field, "secret apiKey { id }", input).await;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let mut machine = Self::new(&self.url);
        machine.token = Some(text(&payload["secret"]));
        (machine, text(&payload["apiKey"]["id"]))
    }
}
