//! The audit log: what it tells, what it keeps, and that it can be proved.

mod denial;
mod flood;
mod log;
mod proof;
mod retention;

use serde_json::{Value, json};

use crate::harness::Client;

/// What the audit log tells of its newest entries that pass `filter`.
async fn entries(client: &Client, filter: Value, fields: &str) -> Vec<Value> {
    let query = format!(
        "query($filter: AuditFilter) {{ auditLog(first: 50, filter: $filter) {{ nodes {{ {fields} }} }} }}"
    );
    let data = client.ok(&query, json!({ "filter": filter })).await;
    data["auditLog"]["nodes"]
        .as_array()
        .expect("entries")
        .clone()
}

/// One field of each of them.
async fn told(client: &Client, filter: Value, field: &str) -> Vec<Value> {
    let entries = entries(client, filter, field).await;
    entries.iter().map(|entry| entry[field].clone()).collect()
}
