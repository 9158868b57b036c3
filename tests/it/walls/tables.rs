//! Every table is walled in: its tenant is a required column that leads an index, its keys carry
//! the tenant, and on PostgreSQL row-level security binds whoever serves requests.

use super::catalog::{self, GLOBAL, Table, tenant_of};
use crate::harness::{App, Backend, TestDatabase, on_each_database};

/// Who serves requests on PostgreSQL.
const ROLE: &str = "rollcall_app";
/// What happened is not rewritten: these tables only grow.
const APPEND_ONLY: &[&str] = &[
    "changes",
    "audit_logs",
    "account_events",
    "attendance_scans",
    "loyalty_entries",
];
/// Policies beside the tenant's, and what for. People see their own memberships, and the organizations
/// behind them, before they enter one.
const OTHER_POLICIES: &[(&str, &str, &str)] = &[
    ("audit_logs", "kept", KEPT),
    ("audit_logs", "erased", ERASED),
    ("members", "own", "PERMISSIVE SELECT"),
    ("organizations", "own", "PERMISSIVE SELECT"),
];
/// A policy that forbids removing what is not old enough: only where there is one may the application
/// remove what only grows.
const KEPT: &str = "RESTRICTIVE DELETE";
/// A policy that forbids writing anything but nulls: only where there is one may the application update
/// columns of what only grows.
const ERASED: &str = "RESTRICTIVE UPDATE";

on_each_database!(every_table_is_walled_in, a_table_without_its_wall_is_found);

async fn every_table_is_walled_in(app: App) {
    let tables = catalog::tables(&app.database).await;
    assert_eq!(faults(&app.database, &tables).await, Vec::<String>::new());
    for (name, why) in GLOBAL {
        assert!(
            tables.iter().any(|table| table.name == *name),
            "{name} is gone: strike it from the list of global tables ({why})"
        );
    }
}

/// The control: each fault of a bad table is named.
async fn a_table_without_its_wall_is_found(app: App) {
    let (id, extra) = match app.database.backend() {
        Backend::Sqlite => ("blob", ""),
        Backend::Postgres => (
            "uuid",
            "GRANT TRUNCATE ON leaky TO rollcall_app; GRANT UPDATE (sequence) ON changes TO rollcall_app;
             CREATE POLICY all_see ON patrons USING (true);",
        ),
    };
    let create = format!(
        "CREATE TABLE leaky (id {id} PRIMARY KEY, organization_id {id}, user_id {id} REFERENCES users (id), event_id {id} REFERENCES events (id));
         CREATE VIEW everything AS SELECT * FROM events; {extra}"
    );
    for statement in create
        .split_inclusive(';')
        .filter(|statement| !statement.trim().is_empty())
    {
        app.database.look(statement).await;
    }
    let tables = catalog::tables(&app.database).await;
    let found = faults(&app.database, &tables).await;
    let mut expected = vec![
        "everything: no index begins with organization_id",
        "everything: organization_id may be null",
        "everything: (organization_id, id) is not unique",
        "leaky: (organization_id, id) is not unique",
        "leaky: no index begins with organization_id",
        "leaky: organization_id may be null",
        "leaky: the key to events does not carry the tenant",
    ];
    if app.database.backend() == Backend::Postgres {
        expected.extend([
            "changes: the application may UPDATE what only grows",
            "everything: row-level security is not forced",
            "everything: no policy limits reading and writing to the tenant",
            "leaky: no policy limits reading and writing to the tenant",
            "leaky: row-level security is not forced",
            "leaky: the application may TRUNCATE",
            "patrons: the policy all_see is not known here",
        ]);
    }
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// What is wrong with the tables, in order.
async fn faults(database: &TestDatabase, tables: &[Table]) -> Vec<String> {
    let mut faults: Vec<String> = tables.iter().flat_map(of_table).collect();
    if database.backend() == Backend::Postgres {
        for table in tables {
            faults.extend(of_security(database, table).await);
            faults.extend(of_rights(database, table).await);
        }
        faults.extend(of_role(database).await);
    }
    faults.sort();
    faults
}

fn of_table(table: &Table) -> Vec<String> {
    let Some(tenant) = table.tenant() else {
        return Vec::new();
    };
    let name = &table.name;
    let mut faults = Vec::new();
    if !table
        .columns
        .iter()
        .any(|column| column.name == tenant && column.required)
    {
        faults.push(format!("{name}: {tenant} may be null"));
    }
    if !table
        .indexes
        .iter()
        .any(|index| !index.partial && index.columns[0] == tenant)
    {
        faults.push(format!("{name}: no index begins with {tenant}"));
    }
    let key = |index: &catalog::Index| {
        index.unique && !index.partial && index.columns == ["organization_id", "id"]
    };
    if tenant != "id" && table.has("id") && !table.indexes.iter().any(key) {
        faults.push(format!("{name}: (organization_id, id) is not unique"));
    }
    for foreign in &table.foreign_keys {
        let carried = |other: &str| {
            foreign
                .columns
                .contains(&(tenant.to_owned(), other.to_owned()))
        };
        if tenant_of(&foreign.table).is_some_and(|other| !carried(other)) {
            faults.push(format!(
                "{name}: the key to {} does not carry the tenant",
                foreign.table
            ));
        }
    }
    faults
}

async fn of_security(database: &TestDatabase, table: &Table) -> Vec<String> {
    let Some(tenant) = table.tenant() else {
        return Vec::new();
    };
    let name = &table.name;
    let mut faults = Vec::new();
    let forced = format!(
        "SELECT count(*) FROM pg_class WHERE oid = 'public.{name}'::regclass AND relrowsecurity AND relforcerowsecurity"
    );
    if database.number(&forced).await != 1 {
        faults.push(format!("{name}: row-level security is not forced"));
    }
    let bound = format!(
        "({tenant} = ( SELECT (NULLIF(current_setting(''rollcall.organization_id''::text, true), ''''::text))::uuid%"
    );
    let policy = format!(
        "SELECT count(*) FROM pg_policies WHERE tablename = '{name}' AND permissive = 'PERMISSIVE' AND cmd = 'ALL'
         AND roles = '{{public}}' AND qual LIKE '{bound}' AND with_check = qual"
    );
    if database.number(&policy).await != 1 {
        faults.push(format!(
            "{name}: no policy limits reading and writing to the tenant"
        ));
    }
    let others = format!(
        "SELECT policyname || '|' || permissive || ' ' || cmd FROM pg_policies WHERE tablename = '{name}' AND policyname <> 'tenant'"
    );
    for other in database.look(&others).await {
        let (policy, what) = other.split_once('|').expect("two parts");
        if !OTHER_POLICIES.contains(&(name, policy, what)) {
            faults.push(format!("{name}: the policy {policy} is not known here"));
        }
    }
    faults
}

async fn of_rights(database: &TestDatabase, table: &Table) -> Vec<String> {
    let name = &table.name;
    let mut forbidden = vec!["TRUNCATE", "TRIGGER", "REFERENCES"];
    if APPEND_ONLY.contains(&name.as_str()) {
        let with = async |policy: &str| {
            let count = format!(
                "SELECT count(*) FROM pg_policies WHERE tablename = '{name}' AND permissive || ' ' || cmd = '{policy}'"
            );
            database.number(&count).await > 0
        };
        if !with(KEPT).await {
            forbidden.push("DELETE");
        }
        // Of the whole table never.
        forbidden.push(if with(ERASED).await {
            "UPDATE ANYTHING"
        } else {
            "UPDATE"
        });
    }
    if name == "seaql_migrations" {
        forbidden.extend(["SELECT", "INSERT", "UPDATE", "DELETE"]);
    }
    let mut faults = Vec::new();
    for right in forbidden {
        // A right on one column is a right, too; some rights are of whole tables only.
        let of_column = match right {
            "UPDATE" | "SELECT" | "INSERT" | "REFERENCES" => {
                format!("OR has_any_column_privilege('{ROLE}', 'public.{name}', '{right}')")
            }
            _ => String::new(),
        };
        let of_table = right.split(' ').next().unwrap_or_default();
        let held = format!(
            "SELECT (has_table_privilege('{ROLE}', 'public.{name}', '{of_table}') {of_column})::int"
        );
        if database.number(&held).await == 1 {
            let what = if APPEND_ONLY.contains(&name.as_str()) {
                " what only grows"
            } else {
                ""
            };
            faults.push(format!("{name}: the application may {right}{what}"));
        }
    }
    faults
}

async fn of_role(database: &TestDatabase) -> Vec<String> {
    let mut faults = Vec::new();
    for (fault, sql) in [
        (
            "is exempt from row-level security",
            format!("SELECT count(*) FROM pg_roles WHERE rolname = '{ROLE}' AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)"),
        ),
        (
            "owns something",
            format!("SELECT count(*) FROM pg_class WHERE relowner = '{ROLE}'::regrole"),
        ),
        (
            "is a member of another role",
            format!("SELECT count(*) FROM pg_auth_members WHERE member = '{ROLE}'::regrole"),
        ),
        (
            "may create tables",
            format!("SELECT has_schema_privilege('{ROLE}', 'public', 'CREATE')::int"),
        ),
        (
            "could act through a function of its owner's",
            "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef".to_owned(),
        ),
    ] {
        if database.number(&sql).await != 0 {
            faults.push(format!("{ROLE} {fault}"));
        }
    }
    faults
}
