//! Many rows with one statement.
//!
//! They are one parameter, a JSON array: the statement's text is the same for any number of rows, so
//! that it is parsed and planned once. 500 rows as `VALUES` were 7,000 parameters, and most of the
//! statement's time. SQLite, which has no such function for inserts, takes `VALUES`.

use chrono::SecondsFormat;
use entity::{
    audit::entry,
    live::{change, counter},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DbBackend, EntityName, EntityTrait, IdenStatic, Iterable,
    QueryFilter, QueryTrait, Statement, Value,
    sea_query::{
        Alias, CommonTableExpression, Expr, Func, InsertStatement, OnConflict,
        PostgresQueryBuilder, Query, WithClause, value::sea_value_to_json_value,
    },
};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

/// Inserts `rows`, which set the same columns, or does what `conflict` says where they are there
/// already.
pub(in crate::scope) fn insert<A: ActiveModelTrait>(
    backend: DbBackend,
    rows: Vec<A>,
    conflict: Option<OnConflict>,
) -> Statement {
    let mut insert = query(backend, rows);
    if let Some(conflict) = conflict {
        insert.on_conflict(conflict);
    }
    backend.build(&insert)
}

/// Entries of the audit log, and the changes that they stand for.
type Recorded = (Vec<entry::ActiveModel>, Vec<change::ActiveModel>);

/// Inserts what is `recorded` in an organization, and keeps the `hash` at which its chain ends: with
/// one statement where each is a round trip.
pub(in crate::scope) fn append(
    backend: DbBackend,
    organization: Uuid,
    recorded: Recorded,
    hash: Option<Vec<u8>>,
) -> Vec<Statement> {
    let (entries, changes) = recorded;
    let end = counter::Entity::update_many()
        .col_expr(counter::Column::LastHash, Expr::value(hash))
        .filter(counter::Column::OrganizationId.eq(organization))
        .into_query();
    let mut inserts = vec![("entry", query(backend, entries))];
    if !changes.is_empty() {
        inserts.push(("change", query(backend, changes)));
    }
    if backend == DbBackend::Postgres {
        let mut with = WithClause::new();
        for (name, insert) in inserts {
            let part = CommonTableExpression::new()
                .table_name(name)
                .query(insert)
                .to_owned();
            with.cte(part);
        }
        let (sql, values) = end.with(with).build(PostgresQueryBuilder);
        return vec![Statement::from_sql_and_values(backend, sql, values)];
    }
    let inserts = inserts.iter().map(|(_, insert)| backend.build(insert));
    inserts.chain([backend.build(&end)]).collect()
}

/// The relation `delta (id, a, b, ...)` of ids and numbers that are the parameter `$2`, and the
/// parameter.
pub(in crate::scope) fn deltas<const N: usize>(
    backend: DbBackend,
    deltas: &[(Uuid, [i64; N])],
) -> (String, Value) {
    let rows = deltas.iter().map(|(id, numbers)| {
        let numbers = numbers.iter().map(|number| Json::from(*number));
        let id = Json::from(id.simple().to_string());
        Json::Array(std::iter::once(id).chain(numbers).collect())
    });
    let parameter = Value::from(Json::Array(rows.collect()).to_string());
    let (id, rows) = match backend {
        DbBackend::Postgres => ("(value->>0)::uuid", "jsonb_array_elements($2::jsonb)"),
        _ => ("unhex(value->>0)", "json_each($2)"),
    };
    let numbers = ('a'..='z')
        .zip(1..=N)
        .map(|(name, position)| format!(", CAST(value->>{position} AS bigint) AS {name}"));
    let relation = format!(
        "(SELECT {id} AS id{} FROM {rows}) AS delta",
        numbers.collect::<String>()
    );
    (relation, parameter)
}

type Column<A> = <<A as ActiveModelTrait>::Entity as EntityTrait>::Column;

fn query<A: ActiveModelTrait>(backend: DbBackend, rows: Vec<A>) -> InsertStatement {
    if backend == DbBackend::Postgres && rows.len() > 1 {
        return insert_json(&rows);
    }
    A::Entity::insert_many(rows).into_query()
}

fn insert_json<A: ActiveModelTrait>(rows: &[A]) -> InsertStatement {
    let is_set = |column: &Column<A>| {
        rows.first()
            .is_some_and(|row| !row.get(*column).is_not_set())
    };
    let columns: Vec<Column<A>> = Column::<A>::iter().filter(is_set).collect();
    let rows = rows.iter().map(|row| object(row, &columns)).collect();
    let table = A::Entity::default();
    let rows = Func::cust("jsonb_populate_recordset")
        .arg(Expr::cust(format!("NULL::{}", table.table_name())))
        .arg(Value::Json(Some(Box::new(Json::Array(rows)))));
    let mut select = Query::select();
    select
        .columns(columns.iter().copied())
        .from_function(rows, Alias::new("new"));
    let mut insert = Query::insert();
    insert
        .into_table(table.table_ref())
        .columns(columns.iter().copied())
        .select_from(select)
        .expect("as many columns as are selected");
    insert
}

fn object<A: ActiveModelTrait>(row: &A, columns: &[Column<A>]) -> Json {
    let mut object = Map::new();
    for column in columns {
        let value = row.get(*column).into_value();
        let name = column.as_str().to_owned();
        object.insert(name, value.as_ref().map_or(Json::Null, json));
    }
    Json::Object(object)
}

/// As PostgreSQL reads it; the library would quote an instant twice, and takes bytes for text.
fn json(value: &Value) -> Json {
    match value {
        Value::Bytes(Some(bytes)) => {
            let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
            format!("\\x{}", digits.collect::<String>()).into()
        }
        Value::ChronoDateTimeUtc(Some(instant)) => {
            instant.to_rfc3339_opts(SecondsFormat::Micros, true).into()
        }
        other => sea_value_to_json_value(other),
    }
}
