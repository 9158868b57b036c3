//! Canaries: a text of its own in every text column of an organization's rows, by which a leak is
//! known wherever it comes out.

use crate::harness::{Backend, TestDatabase};

use super::{catalog, stage::Stage};

/// What every canary contains. It is also the organization's name, which is part of its slug, of
/// its imported file and of its people's addresses.
pub const CANARY: &str = "canary";
/// Columns whose values are words of ours; a canary there would be no value at all.
const WORDS: &[&str] = &[
    "status",
    "time_zone",
    "second_factor",
    "slug",
    "role",
    "capacity_policy",
    "registration",
    "direction",
    "method",
    "outcome",
    "kind",
    "verdict",
    "actor_kind",
    "lookup",
    "result",
];

/// Puts a canary into every text of the organization's, and of its people, and gives the number of
/// columns.
pub async fn release(database: &TestDatabase, stage: &Stage) -> usize {
    let organization = catalog::literal(database, stage.uuid());
    let mut number = 0;
    for table in catalog::tenant_tables(database).await {
        let (name, tenant) = (&table.name, table.tenant().expect("a tenant"));
        for column in &table.columns {
            if let Some(canary) = canary(database.backend(), &column.name, &column.kind, number) {
                number += 1;
                let mut sql = format!(
                    "UPDATE {name} SET \"{}\" = {canary} WHERE {tenant} = {organization}",
                    column.name
                );
                // Unique: the stage's one row that has any is enough.
                if column.name == "external_id" {
                    sql.push_str(" AND external_id IS NOT NULL");
                }
                database.look(&sql).await;
            }
        }
    }
    let people = format!("SELECT user_id FROM members WHERE organization_id = {organization}");
    for sql in [
        format!("UPDATE users SET first_name = 'canary-first', last_name = 'canary-last', username = substr('canary-' || username, 1, 50),
                 email = 'canary-' || email WHERE id IN ({people})"),
        format!("UPDATE linked_accounts SET email = 'canary-linked' WHERE user_id IN ({people})"),
        format!("UPDATE sessions SET user_agent = 'canary-agent', address = 'canary-address' WHERE user_id IN ({people})"),
    ] {
        database.look(&sql).await;
    }
    number
}

/// The canaries in an answer.
pub fn seen(body: &str) -> Vec<String> {
    let starts = body.match_indices(CANARY).map(|(start, _)| &body[start..]);
    starts
        .map(|rest| {
            rest.chars()
                .take_while(|character| character.is_ascii_alphanumeric() || *character == '-')
                .collect()
        })
        .collect()
}

/// All rows of an organization, as text, with one statement; but for what it was denied, which the
/// audit log notes, and numbers.
pub struct Fingerprint {
    sql: String,
}

impl Fingerprint {
    /// Reads the catalog, once.
    pub async fn of(database: &TestDatabase, stage: &Stage) -> Self {
        let organization = catalog::literal(database, stage.uuid());
        let selects = catalog::tenant_tables(database)
            .await
            .into_iter()
            .filter(|table| table.name != "change_counters")
            .map(|table| {
                let (name, tenant) = (&table.name, table.tenant().expect("a tenant"));
                let row = match database.backend() {
                    Backend::Sqlite => {
                        let columns = table
                            .columns
                            .iter()
                            .map(|column| format!("quote(\"{}\")", column.name));
                        columns.collect::<Vec<_>>().join(" || ' ' || ")
                    }
                    Backend::Postgres => format!("{name}::text"),
                };
                let but = if name == "audit_logs" {
                    " AND result = 'success'"
                } else {
                    ""
                };
                format!(
                    "SELECT '{name}: ' || {row} FROM {name} WHERE {tenant} = {organization}{but}"
                )
            });
        Self {
            sql: selects.collect::<Vec<_>>().join(" UNION ALL ") + " ORDER BY 1",
        }
    }

    pub async fn take(&self, database: &TestDatabase) -> Vec<String> {
        database.look(&self.sql).await
    }
}

/// The canary for a column, as a literal; none for one that holds no free text.
fn canary(backend: Backend, column: &str, kind: &str, number: usize) -> Option<String> {
    let text = match backend {
        Backend::Postgres => matches!(kind, "text" | "character varying"),
        // Times and JSON are text there, too.
        Backend::Sqlite => {
            matches!(kind, "text" | "varchar")
                && !column.ends_with("_at")
                && !column.ends_with("_time")
                && !["metadata", "data", "options", "content"].contains(&column)
        }
    };
    match column {
        "metadata" | "data" => Some(format!("'{{\"reason\": \"{CANARY}-{number}\"}}'")),
        _ if WORDS.contains(&column) || !text => None,
        _ => Some(format!("'{CANARY}-{number}'")),
    }
}
