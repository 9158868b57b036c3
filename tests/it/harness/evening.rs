//! An evening whose times are known: tests of the clock's rules stand on it.

use chrono::{DateTime, TimeZone, Utc};
use serde_json::{Value, json};

use super::Client;

/// That time of the evening, in UTC.
pub fn at(hour: u32, minute: u32) -> DateTime<Utc> {
    let time = Utc.with_ymd_and_hms(2026, 3, 1, hour, minute, 0);
    time.single().expect("a time")
}

/// A time as the API writes it.
pub fn told(time: DateTime<Utc>) -> Value {
    json!(time.to_rfc3339())
}

impl Client {
    /// Makes a published event from 19:00 to 21:00, whose door is open from 17:00 to 23:00, with
    /// `more` in its input.
    pub async fn evening(&self, more: Value) -> String {
        let mut input = json!({ "startsAt": at(19, 0), "endsAt": at(21, 0) });
        for (name, value) in more.as_object().cloned().unwrap_or_default() {
            input[name] = value;
        }
        self.event("Evening", input).await
    }

    /// Sends a mutation of the door and gives its payload, errors included.
    pub async fn door(&self, field: &str, input: Value) -> Value {
        let selection =
            "outcome repeated scan { id occurredAt receivedAt direction outcome device }
            attendance { id state seats attended checkInTime checkOutTime secondsPresent }";
        let answer = self.mutate(field, selection, input).await;
        assert!(
            answer.body.get("errors").is_none(),
            "{field}: {:#}",
            answer.body
        );
        answer.body["data"][field].clone()
    }

    /// The event's counts: registered, seats taken, checked in, inside.
    pub async fn counts(&self, event: &str) -> [i64; 4] {
        let query = "query($id: ID!) { event(id: $id) { registeredCount seatsTaken checkedInCount insideCount } }";
        let data = self.ok(query, json!({ "id": event })).await;
        [
            "registeredCount",
            "seatsTaken",
            "checkedInCount",
            "insideCount",
        ]
        .map(|name| data["event"][name].as_i64().expect("a count"))
    }

    /// The states of the event's attendances by their patrons' given names, in their order.
    pub async fn states(&self, event: &str) -> Vec<String> {
        let query = "query($id: ID!) { event(id: $id) { attendances(first: 100) { nodes { state patron { firstName } } } } }";
        let data = self.ok(query, json!({ "id": event })).await;
        let nodes = data["event"]["attendances"]["nodes"].as_array().cloned();
        let mut states: Vec<String> = nodes
            .expect("attendances")
            .iter()
            .map(|node| {
                let name = node["patron"]["firstName"].as_str().expect("a name");
                format!("{name} {}", node["state"].as_str().expect("a state"))
            })
            .collect();
        states.sort_unstable();
        states
    }
}
