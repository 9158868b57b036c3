//! Mutations by their field's name alone, and what came of them: done, refused or denied.

use serde_json::{Value, json};

use super::{Answer, Client};

impl Client {
    /// Sends the mutation `field` with this input and asks for `selection` of its payload.
    pub async fn mutate(&self, field: &str, selection: &str, input: Value) -> Answer {
        let query = format!(
            "mutation($input: {}!) {{ {field}(input: $input) {{ {selection} errors {{ code message path }} }} }}",
            input_type(field)
        );
        self.send(&query, json!({ "input": input })).await
    }

    /// The same where it must be done: the payload.
    pub async fn done(&self, field: &str, selection: &str, input: Value) -> Value {
        let answer = self.mutate(field, selection, input).await;
        let payload = &answer.body["data"][field];
        assert!(
            answer.body.get("errors").is_none() && payload["errors"] == json!([]),
            "{field}: {:#}",
            answer.body
        );
        payload.clone()
    }

    /// The same where it must be refused as something that the caller can mend: each refusal as
    /// `CODE path.of.the.input`.
    pub async fn refused(&self, field: &str, input: Value) -> Vec<String> {
        let answer = self.mutate(field, "__typename", input).await;
        let refusals = answer.body["data"][field]["errors"].as_array().cloned();
        let refusals = refusals.unwrap_or_default();
        assert!(
            answer.body.get("errors").is_none() && !refusals.is_empty(),
            "{field}: {:#}",
            answer.body
        );
        let refusal = |error: &Value| {
            let path = error["path"].as_array().cloned().unwrap_or_default();
            let path: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
            format!(
                "{} {}",
                error["code"].as_str().expect("a code"),
                path.join(".")
            )
        };
        refusals.iter().map(refusal).collect()
    }

    /// The same where it must be denied: the one top-level error's code.
    pub async fn denied(&self, field: &str, input: Value) -> String {
        let answer = self.mutate(field, "__typename", input).await;
        let codes = answer.codes();
        assert!(
            answer.body["data"][field].is_null() && codes.len() == 1,
            "{field}: {:#}",
            answer.body
        );
        codes.concat()
    }
}

/// The type of a mutation's input: named after the field, but where fields share one.
pub fn input_type(field: &str) -> String {
    match field {
        "publishEvent" | "cancelEvent" | "closeEvent" => "EventInput".to_owned(),
        "checkOut" => "CheckInInput".to_owned(),
        "grantMemberRole" | "withdrawMemberRole" => "MemberRoleInput".to_owned(),
        "addTeamMember" | "removeTeamMember" => "TeamMemberInput".to_owned(),
        "grantTeamRole" | "withdrawTeamRole" => "TeamRoleInput".to_owned(),
        _ => format!("{}{}Input", field[..1].to_uppercase(), &field[1..]),
    }
}
