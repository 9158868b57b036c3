//! A sample for each input of the schema, by its name. What is not here is a failure, so that a
//! new argument is not forgotten.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::{
    sdl::{Field, Input, Schema},
    stage::Ids,
};

/// The variables of a root field: each argument has a value, ids from `ids`, and what has to be
/// unique carries `number`.
pub fn variables(schema: &Schema, field: &Field, ids: &Ids, number: usize) -> Value {
    let sampler = Sampler {
        schema,
        ids,
        number,
    };
    sampler.object(&field.name, &field.arguments)
}

/// Puts `value` where `place` leads; in a list, into its every item.
pub fn put(variables: &mut Value, place: &[String], value: &str) {
    match (variables, place) {
        (Value::Array(items), []) => *items = vec![json!(value)],
        (Value::Array(items), _) => items.iter_mut().for_each(|item| put(item, place, value)),
        (variables, []) => *variables = json!(value),
        (variables, [first, rest @ ..]) => put(&mut variables[first], rest, value),
    }
}

struct Sampler<'a> {
    schema: &'a Schema,
    ids: &'a Ids,
    number: usize,
}

impl Sampler<'_> {
    fn object(&self, owner: &str, inputs: &[Input]) -> Value {
        let values = inputs
            .iter()
            .map(|input| (input.name.clone(), self.value(owner, input)));
        Value::Object(values.collect::<Map<_, _>>())
    }

    fn value(&self, owner: &str, input: &Input) -> Value {
        let value = match (input.kind.as_str(), input.name.as_str()) {
            // A session is no node, nor is a linked account.
            ("ID", "ids") => {
                let nodes = self
                    .ids
                    .iter()
                    .filter(|(tag, _)| !"@#!%SQscb".contains(**tag));
                return nodes.map(|(_, id)| id.clone()).collect();
            }
            // No team is part of itself.
            ("ID", "parentId") if owner == "UpdateTeamInput" => return Value::Null,
            ("ID", name) if owner != "AuditFilter" => json!(self.ids[&kind_of(owner, name)]),
            // The rest of the walls goes on without a second factor.
            (_, "permissions") if owner == "RequireSecondFactorInput" => return json!([]),
            ("String", "permissions") => json!("events:read"),
            ("ImportField", _) => json!("FIRST_NAME"),
            // The other arguments of a page have tests of their own, and a filter of all there is
            // would let nothing through.
            (
                _,
                "recoveryCode" | "after" | "before" | "last" | "verdict" | "status"
                | "scanToRevert" | "actorId" | "apiKeyId" | "targetId" | "eventType" | "result",
            ) => return Value::Null,
            (kind, name) => {
                if let Some(inputs) = self.schema.inputs(kind) {
                    self.object(kind, &inputs)
                } else if let Some(values) = self.schema.values(kind) {
                    // A list of all filters nothing out.
                    if input.list {
                        return json!(values);
                    }
                    json!(values[0])
                } else {
                    self.scalar(owner, name)
                }
            }
        };
        if input.list { json!([value]) } else { value }
    }

    fn scalar(&self, owner: &str, name: &str) -> Value {
        let now = domain::Clock::system().now();
        let number = self.number;
        match (owner, name) {
            ("AddMemberInput", "email") => json!(self.ids.get(&'@')),
            ("UpdateRoleInput" | "DeleteRoleInput", "slug") => json!(self.ids.get(&'#')),
            ("ScanInput", "id") | (_, "scanId") => json!(scan_id(number)),
            (_, "first") => json!(5),
            (_, "search") => json!("a"),
            // The same at any time: a list's cursors are bound to its filter.
            (_, "from") => json!("2000-01-01T00:00:00Z"),
            (_, "until") => json!("2900-01-01T00:00:00Z"),
            (_, "startsAt") => json!(now - TimeDelta::hours(1)),
            (_, "endsAt") => json!(now + TimeDelta::hours(1)),
            (_, "checkInOpensAt") => json!(now - TimeDelta::hours(3)),
            (_, "checkInClosesAt") => json!(now + TimeDelta::hours(3)),
            (_, "occurredAt") => json!(now),
            (_, "role") => json!("viewer"),
            (_, "email") => json!(format!("sample{number}@example.org")),
            (_, "login" | "username") => json!(format!("sample_{number}")),
            (_, "password" | "currentPassword" | "newPassword") => {
                json!(crate::harness::people::PASSWORD)
            }
            // Where nobody asked for one, a token that is none.
            (_, "token" | "challenge") => {
                json!(self.ids.get(&'!').map_or("sample", String::as_str))
            }
            (_, "provider") => json!("sample"),
            (_, "returnTo") => json!("/sample"),
            (_, "iss") => json!(crate::harness::provider::liar("sample")),
            // Of what nobody began, there are none.
            (_, "code") => {
                let code = self.ids.get(&'c').or_else(|| self.ids.get(&'%'));
                json!(code.map_or("000000", String::as_str))
            }
            (_, "state" | "browserSecret") => {
                let tag = name.chars().next().expect("a letter");
                json!(self.ids.get(&tag).map_or("sample", String::as_str))
            }
            (_, "slug") => json!(format!("sample-{number}")),
            (_, "timeZone") => json!("Europe/Vienna"),
            (_, "avatarUrl") => json!("https://example.org/sample.png"),
            (_, "phone") => json!("+43 1 2345678"),
            (_, "metadata") => json!({ "sample": number }),
            (_, "overlapHours") => json!(1),
            (_, "expiresAt") => json!(now + TimeDelta::days(30)),
            (_, "seats") => json!(2),
            (_, "capacity") => json!(100),
            (_, "attendancePoints") => json!(10),
            (_, "auditRetentionDays") => json!(400),
            (_, "everybody") => json!(false),
            (_, "roles") => json!("checkin"),
            (_, "publish" | "dayFirst" | "createSuggested") => json!(true),
            // "email" and an address, in base64.
            ("ImportInvitationsInput", "content") => {
                json!(STANDARD.encode(format!("email\nfile{number}@example.org\n")))
            }
            // "name" and "Ada Sample", in base64.
            (_, "content") => json!("bmFtZQpBZGEgU2FtcGxlCg=="),
            (_, "column") => json!("name"),
            (
                _,
                "title" | "description" | "externalId" | "location" | "name" | "firstName"
                | "lastName" | "organizationName" | "device" | "reason" | "fileName",
            ) => json!(format!("sample {number}")),
            _ => panic!("the input {owner}.{name} has no sample: give it one here"),
        }
    }
}

/// The tag of the ids that an input takes.
fn kind_of(owner: &str, name: &str) -> char {
    match (owner, name) {
        ("event" | "node", "id") | (_, "eventId") => 'E',
        (_, "invitationId") => 'V',
        (_, "apiKeyId") => 'K',
        ("team", "id") | (_, "teamId" | "parentId") => 'T',
        ("patron", "id") | (_, "patronId") => 'P',
        ("import", "id") | (_, "importId") => 'I',
        (_, "memberId" | "hostId") => 'M',
        (_, "organizationId") => 'O',
        (_, "sessionId") => 'S',
        (_, "linkedAccountId") => 'Q',
        _ => panic!("which kind of thing does the input {owner}.{name} name? Say so here"),
    }
}

/// A scan's id made of a number.
fn scan_id(number: usize) -> String {
    format!("01890000-0000-7000-8000-{number:012}")
}
