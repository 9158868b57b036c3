//! The operations, in each server's words. What differs between servers is how they page and how
//! they name; what is read and how much of it is the same, and is compared.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::data::Data;

/// One operation.
pub struct Operation {
    /// What the tables call it.
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// Whether it writes: its variables are then used once.
    pub writes: bool,
    rollcall: &'static str,
    postgraphile: &'static str,
    mercurius: &'static str,
}

/// All of them, in the order of the tables.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        name: "Q1",
        title: "50 events with host and counts",
        writes: false,
        rollcall: "query Q1($until: DateTime!) { events(first: 50, filter: { until: $until }) { nodes {
            title startsAt registeredCount checkedInCount host { user { firstName lastName } } } } }",
        postgraphile: "query Q1($organization: UUID!, $until: Datetime!) {
            events: allEvents(first: 50, orderBy: STARTS_AT_DESC, condition: { organizationId: $organization }, filter: { startsAt: { lessThan: $until } }) { nodes {
            title startsAt registeredCount checkedInCount: attendedCount
            host: memberByOrganizationIdAndHostId { user: userByUserId { firstName lastName } } } } }",
        mercurius: "query Q1($organization: ID!, $until: String!) { events(organization: $organization, until: $until, first: 50) {
            title startsAt registeredCount checkedInCount host { user { firstName lastName } } } }",
    },
    Operation {
        name: "Q2",
        title: "door list: an event, 100 attendances, patrons with points",
        writes: false,
        rollcall: "query Q2($event: ID!) { event(id: $event) { title startsAt attendances(first: 100) { nodes {
            attended checkInTime checkOutTime secondsPresent patron { firstName lastName points tier } } } } }",
        postgraphile: "query Q2($event: UUID!) { event: eventById(id: $event) { title startsAt
            attendances: attendancesByOrganizationIdAndEventId(first: 100, orderBy: [CREATED_AT_ASC, ID_ASC]) { nodes {
            attended checkInTime checkOutTime secondsPresent
            patron: patronByOrganizationIdAndPatronId { firstName lastName points tier } } } } }",
        mercurius: "query Q2($event: ID!) { event(id: $event) { title startsAt attendances(first: 100) {
            attended checkInTime checkOutTime secondsPresent patron { firstName lastName points tier } } } }",
    },
    Operation {
        name: "Q3",
        title: "deep: 20 events x 20 attendances x patron x 3 entries",
        writes: false,
        rollcall: "query Q3($until: DateTime!) { events(first: 20, filter: { until: $until }) { nodes { title attendances(first: 20) { nodes {
            checkInTime patron { firstName lastName loyaltyEntries(first: 3) { nodes { points reason createdAt } } } } } } } }",
        postgraphile: "query Q3($organization: UUID!, $until: Datetime!) {
            events: allEvents(first: 20, orderBy: STARTS_AT_DESC, condition: { organizationId: $organization }, filter: { startsAt: { lessThan: $until } }) { nodes {
            title attendances: attendancesByOrganizationIdAndEventId(first: 20, orderBy: [CREATED_AT_ASC, ID_ASC]) { nodes {
            checkInTime patron: patronByOrganizationIdAndPatronId { firstName lastName
            loyaltyEntries: loyaltyEntriesByOrganizationIdAndPatronId(first: 3, orderBy: [CREATED_AT_DESC, ID_DESC]) { nodes { points reason createdAt } } } } } } } }",
        mercurius: "query Q3($organization: ID!, $until: String!) { events(organization: $organization, until: $until, first: 20) {
            title attendances(first: 20) { checkInTime patron { firstName lastName
            loyaltyEntries(first: 3) { points reason createdAt } } } } }",
    },
    Operation {
        name: "Q4",
        title: "one patron",
        writes: false,
        rollcall: "query Q4($patron: ID!) { patron(id: $patron) { firstName lastName email points } }",
        postgraphile: "query Q4($patron: UUID!) { patron: patronById(id: $patron) { firstName lastName email points } }",
        mercurius: "query Q4($patron: ID!) { patron(id: $patron) { firstName lastName email points } }",
    },
    Operation {
        name: "M1",
        title: "check-in, with the patron",
        writes: true,
        rollcall: "mutation M1($event: ID!, $patron: ID!) { checkIn(input: { eventId: $event, patronId: $patron }) {
            outcome attendance { checkInTime patron { firstName lastName } } } }",
        postgraphile: "mutation M1($organization: UUID!, $event: UUID!, $patron: UUID!) {
            checkIn: benchUpsert(input: { organization: $organization, event: $event, patron: $patron }) {
            attendance { checkInTime patron: patronByOrganizationIdAndPatronId { firstName lastName } } } }",
        mercurius: "mutation M1($organization: ID!, $event: ID!, $patron: ID!) {
            checkIn(organization: $organization, event: $event, patron: $patron) { checkInTime patron { firstName lastName } } }",
    },
];

/// The servers by the names of their columns.
pub const SERVERS: &[&str] = &["limit", "rollcall", "postgraphile", "mercurius"];

impl Operation {
    /// Sets of variables, each used by every server; for check-ins, everybody at the first
    /// `evenings`.
    pub fn variables(&self, data: &Data, evenings: usize) -> Vec<Value> {
        let until = chrono::Utc::now() - chrono::TimeDelta::days(1);
        let until = until.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let organization = data.organization;
        match self.name {
            "Q1" | "Q3" => vec![json!({ "organization": organization, "until": until })],
            "Q2" => data
                .events
                .iter()
                .map(|event| json!({ "organization": organization, "event": event }))
                .collect(),
            "Q4" => data
                .patrons
                .iter()
                .map(|patron| json!({ "organization": organization, "patron": patron }))
                .collect(),
            _ => {
                let pairs = data.evenings.iter().take(evenings).flat_map(|event| {
                    data.patrons.iter().map(move |patron| json!({ "organization": organization, "event": event, "patron": patron }))
                });
                pairs.collect()
            }
        }
    }

    /// The body of a request to `server`.
    pub fn body(&self, server: &str, variables: &Value) -> Value {
        let query = match server {
            "rollcall" => self.rollcall,
            "postgraphile" => self.postgraphile,
            "mercurius" => self.mercurius,
            _ => return variables.clone(),
        };
        let mut variables = variables.clone();
        let given = variables.as_object_mut().expect("variables");
        given.retain(|name, _| query.contains(&format!("${name}:")));
        if server == "rollcall" {
            for (name, tag) in [("event", b'E'), ("patron", b'P')] {
                if let Some(id) = given.get_mut(name) {
                    *id = global(tag, id);
                }
            }
        }
        json!({ "query": query, "variables": variables })
    }

    /// The path that answers it.
    pub fn path(&self, server: &str) -> String {
        match server {
            "limit" => format!("/{}", self.name),
            _ => "/graphql".to_owned(),
        }
    }
}

/// An answer in one form: lists without their pages, times (to the millisecond, which is all that
/// JavaScript has) and large numbers written alike.
pub fn canonical(answer: &Value) -> Value {
    match answer {
        Value::Object(fields) if fields.len() == 1 && fields.contains_key("nodes") => {
            canonical(&fields["nodes"])
        }
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), canonical(value)))
            .collect(),
        Value::Array(items) => items.iter().map(canonical).collect(),
        Value::String(text) => {
            if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
                return json!(time.timestamp_millis());
            }
            text.parse::<i64>()
                .map_or_else(|_| answer.clone(), |number| json!(number))
        }
        other => other.clone(),
    }
}

/// An id as Rollcall's clients see it.
pub fn global(tag: u8, id: &Value) -> Value {
    let id = Uuid::try_parse(id.as_str().expect("an id")).expect("a UUID");
    let mut bytes = vec![tag];
    bytes.extend_from_slice(id.as_bytes());
    Value::from(URL_SAFE_NO_PAD.encode(bytes))
}
