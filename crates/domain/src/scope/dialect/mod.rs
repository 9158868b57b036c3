//! Every difference between PostgreSQL and SQLite. Nothing else may ask which database it is on.

use std::fmt::Write;

use entity::{TenantOwned, events::event::EventId};
use sea_orm::{
    ColumnTrait, DbBackend, Iden, Statement, Value,
    sea_query::{ArrayType, Expr, ExprTrait, SimpleExpr},
};
use uuid::Uuid;

mod rows;
mod written;

pub(super) use rows::{append, deltas, insert};

pub(super) use written::{Moment, Written};

use super::{
    database::{Binding, Database},
    reader::{Sort, columns},
};

/// Which of the two it is.
pub(super) fn of(database: &Database) -> DbBackend {
    match database {
        Database::Postgres { .. } => DbBackend::Postgres,
        Database::Sqlite { .. } => DbBackend::Sqlite,
    }
}

/// BEGIN and, on PostgreSQL, the binding of tenant and person, in one message. Both are UUIDs, so
/// that the text cannot be anything else; SET LOCAL ends with the transaction.
pub(super) fn begin(backend: DbBackend, binding: Binding, write: bool) -> String {
    let mut text = String::from(match (backend, write) {
        (DbBackend::Postgres, true) => "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
        (DbBackend::Postgres, false) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        (_, true) => return "BEGIN IMMEDIATE".to_owned(),
        (_, false) => return "BEGIN".to_owned(),
    });
    for (setting, id) in [
        ("organization_id", binding.organization),
        ("user_id", binding.user),
    ] {
        if let Some(id) = id {
            // Writing to a string cannot fail.
            let _ = write!(text, "; SET LOCAL rollcall.{setting} = '{id}'");
        }
    }
    text
}

/// Whether the database writes answers itself: see [`Written`]. SQLite has no round trip to save and
/// no base64.
pub(super) fn writes_json(backend: DbBackend) -> bool {
    backend == DbBackend::Postgres
}

/// The expression `organization` as the tenant whose rows may be read by the statement's later parts;
/// none where it is null.
pub(super) fn binding_tenant(backend: DbBackend, organization: &str) -> String {
    match backend {
        DbBackend::Postgres => format!(
            "nullif(set_config('rollcall.organization_id', {organization}::uuid::text, true), '')::uuid"
        ),
        _ => organization.to_owned(),
    }
}

/// The condition `column` is one of `ids`, as one parameter: `= ANY($1)`, or
/// `IN (SELECT unhex(value) FROM json_each(?))`.
pub(super) fn any<C: ColumnTrait>(backend: DbBackend, column: C, ids: Vec<Uuid>) -> SimpleExpr {
    match backend {
        DbBackend::Postgres => column.eq_any(ids),
        _ => column.into_expr().binary(
            sea_orm::sea_query::BinOper::In,
            Expr::cust_with_values(
                "(SELECT unhex(value) FROM json_each(?))",
                [Value::from(json(&ids))],
            ),
        ),
    }
}

/// The condition `column` is one of `texts`, as one parameter. A set to join with, so that each is
/// looked up in the column's index or hashed; a list would be compared with row by row wherever the
/// planner knows little of the table.
pub(super) fn any_text<C: ColumnTrait>(
    backend: DbBackend,
    column: C,
    texts: Vec<String>,
) -> SimpleExpr {
    let (set, texts) = match backend {
        DbBackend::Postgres => {
            let texts = texts.into_iter().map(Value::from).collect();
            let texts = Value::Array(ArrayType::String, Some(Box::new(texts)));
            ("(SELECT unnest($1))", texts)
        }
        _ => (
            "(SELECT value FROM json_each(?))",
            Value::from(serde_json::Value::from(texts).to_string()),
        ),
    };
    column.into_expr().binary(
        sea_orm::sea_query::BinOper::In,
        Expr::cust_with_values(set, [texts]),
    )
}

/// The same for hand-written text, where the ids are `$2`: the condition and the parameter.
pub(super) fn one_of(backend: DbBackend, ids: Vec<Uuid>) -> (&'static str, Value) {
    match backend {
        DbBackend::Postgres => ("= ANY($2)", array(ids)),
        _ => (
            "IN (SELECT unhex(value) FROM json_each($2))",
            json(&ids).into(),
        ),
    }
}

/// The first `size` rows of `E` of each of `parents`.
///
/// PostgreSQL walks the index once a parent (LATERAL). SQLite has no LATERAL; a correlated
/// `IN (SELECT id ... LIMIT n)` does the same, as CROSS JOIN keeps it from walking the whole
/// tenant's rows first.
pub(super) fn first_of_each<E: TenantOwned>(
    backend: DbBackend,
    organization: Uuid,
    parents: &[Uuid],
    parent: E::Column,
    event: Option<EventId>,
    sort: &Sort<E>,
    size: u64,
) -> Statement {
    let table = E::default().table_name().to_owned();
    let (parent, column, id) = (
        parent.unquoted().to_owned(),
        sort.column.unquoted().to_owned(),
        sort.id.unquoted().to_owned(),
    );
    let tenant = E::ORGANIZATION.unquoted().to_owned();
    let direction = if sort.descending { "DESC" } else { "ASC" };
    let mut values = vec![
        organization.into(),
        match backend {
            DbBackend::Postgres => array(parents.to_vec()),
            _ => Value::from(json(parents)),
        },
        i64::try_from(size).unwrap_or(i64::MAX).into(),
    ];
    let mut within = String::new();
    if let (Some(column), Some(event)) = (E::EVENT, event) {
        within = format!(" AND {} = $4", column.unquoted());
        values.push(event.uuid().into());
    }
    match backend {
        DbBackend::Postgres => Statement::from_sql_and_values(
            backend,
            format!(
                "SELECT {columns} FROM unnest($2) AS parent(id) CROSS JOIN LATERAL (
                     SELECT * FROM {table} WHERE {tenant} = $1 AND {parent} = parent.id{within}
                     ORDER BY {column} {direction}, {id} {direction} LIMIT $3
                 ) AS child ORDER BY child.{column} {direction}, child.{id} {direction}",
                columns = columns::<E>("child"),
            ),
            values,
        ),
        _ => Statement::from_sql_and_values(
            backend,
            format!(
                "SELECT {columns} FROM json_each($2) AS parent CROSS JOIN {table} AS child ON child.{tenant} = $1
                     AND child.{parent} = unhex(parent.value) AND child.{id} IN (
                         SELECT {id} FROM {table} WHERE {tenant} = $1 AND {parent} = unhex(parent.value){within}
                         ORDER BY {column} {direction}, {id} {direction} LIMIT $3
                     ) ORDER BY child.{column} {direction}, child.{id} {direction}",
                columns = columns::<E>("child"),
            ),
            values,
        ),
    }
}

/// Takes up to `size` due jobs, so that no other instance takes them too.
pub(super) fn claim_jobs(backend: DbBackend, now: Value, lease: Value, size: i64) -> Statement {
    let lock = if backend == DbBackend::Postgres {
        "FOR UPDATE SKIP LOCKED"
    } else {
        ""
    };
    Statement::from_sql_and_values(
        backend,
        format!(
            "UPDATE jobs SET leased_until = $2, attempts = attempts + 1 WHERE id IN (
                 SELECT id FROM jobs WHERE run_at <= $1 AND (leased_until IS NULL OR leased_until < $1)
                 ORDER BY run_at LIMIT $3 {lock}
             ) RETURNING *"
        ),
        [now, lease, size.into()],
    )
}

/// The same for mails, which another instance may take when the lease is over.
pub(super) fn claim_mails(
    backend: DbBackend,
    now: Value,
    lease: Value,
    tries: i32,
    size: i64,
) -> Statement {
    let lock = if backend == DbBackend::Postgres {
        "FOR UPDATE SKIP LOCKED"
    } else {
        ""
    };
    Statement::from_sql_and_values(
        backend,
        format!(
            "UPDATE mails SET run_at = $2, attempts = attempts + 1 WHERE id IN (
                 SELECT id FROM mails WHERE sent_at IS NULL AND run_at <= $1 AND attempts < $3
                 ORDER BY run_at LIMIT $4 {lock}
             ) RETURNING *"
        ),
        [now, lease, tries.into(), size.into()],
    )
}

fn array(ids: Vec<Uuid>) -> Value {
    Value::Array(
        ArrayType::Uuid,
        Some(Box::new(ids.into_iter().map(Value::from).collect())),
    )
}

fn json(ids: &[Uuid]) -> String {
    serde_json::Value::from(
        ids.iter()
            .map(|id| id.simple().to_string())
            .collect::<Vec<_>>(),
    )
    .to_string()
}
