//! Everything that a database holds: to see that nothing changed, or that something is nowhere.

use std::collections::BTreeMap;

use super::{Backend, TestDatabase};

impl TestDatabase {
    /// Every table's rows as text, sorted, but for the worker's own plans. Bytes are written as hexadecimal
    /// digits.
    pub async fn everything(&self) -> BTreeMap<String, Vec<String>> {
        // Each table's name, a blank, and what makes a text of a row.
        let tables = match self.backend() {
            Backend::Sqlite => {
                "SELECT tables.name || ' ' || group_concat('quote(\"' || columns.name || '\")', ' || ''|'' || ')
                 FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns
                 WHERE tables.type = 'table' GROUP BY tables.name"
            }
            Backend::Postgres => {
                "SELECT table_name || ' ' || table_name || '::text' FROM information_schema.tables
                 WHERE table_schema = 'public'"
            }
        };
        let tables = self.look(tables).await;
        let tables = tables.iter().filter_map(|table| table.split_once(' '));
        let tables = tables.filter(|(table, _)| *table != "schedules");
        let mut rows: BTreeMap<String, Vec<String>> = tables
            .clone()
            .map(|(table, _)| (table.to_owned(), Vec::new()))
            .collect();
        let selects: Vec<String> = tables
            .map(|(table, row)| format!("SELECT '{table} ' || {row} FROM {table}"))
            .collect();
        for line in self.look(&selects.join(" UNION ALL ")).await {
            let (table, row) = line.split_once(' ').expect("a table and a row");
            rows.get_mut(table).expect(table).push(row.to_owned());
        }
        for rows in rows.values_mut() {
            rows.sort_unstable();
        }
        rows
    }

    /// The same without what accounts were refused, which is noted beside the answer.
    pub async fn without_refusals(&self) -> BTreeMap<String, Vec<String>> {
        let mut everything = self.everything().await;
        if let Some(events) = everything.get_mut("account_events") {
            events.retain(|event| !event.contains("failure"));
        }
        everything
    }

    /// The rows of these tables.
    pub async fn rows_of(&self, tables: &[&str]) -> BTreeMap<String, Vec<String>> {
        let mut everything = self.everything().await;
        everything.retain(|table, _| tables.contains(&table.as_str()));
        everything
    }

    /// The same without what a request may touch by merely being made: sessions note their use, and
    /// the audit log what was denied, with a number of its own.
    pub async fn holdings(&self) -> BTreeMap<String, Vec<String>> {
        let mut everything = self.without_refusals().await;
        everything.remove("sessions");
        everything.remove("change_counters");
        if let Some(entries) = everything.get_mut("audit_logs") {
            entries.retain(|entry| !entry.contains("failure"));
        }
        everything
    }
}
