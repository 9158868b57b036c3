//! Answers that PostgreSQL writes: a shape as one statement that gives JSON.
//!
//! Texts are put together by `concat` rather than `json_build_object`: it is faster, and its JSON has
//! no spaces. The tenant is bound by the select at the end of the statement; every table is read
//! below it, once for its one row, so that no plan can read a walled table before.

use std::fmt::Write;

use sea_orm::{Statement, Value};
use uuid::Uuid;

use crate::scope::shape::{Form, Listing, Part, Shape, Table};

/// A statement that gives one text, or NULL.
pub(in crate::scope) struct Written {
    sql: String,
    values: Vec<Value>,
    rows: usize,
}

/// Arguments of one call of `concat`: PostgreSQL passes up to 100.
const ARGUMENTS: usize = 90;

impl Written {
    /// The row of `table` with this id, unless the column `removed` has a value.
    pub(in crate::scope) fn row(
        tenant: Uuid,
        table: Table,
        id: Uuid,
        removed: Option<&str>,
        shape: &Shape,
    ) -> Self {
        let mut written = Self::new(Vec::new());
        let id = written.value(id);
        let row = written.row_of(table, &id, removed, shape);
        written.finish(tenant, &row)
    }

    /// The rows that `page` selects.
    pub(in crate::scope) fn page(tenant: Uuid, page: Statement, shape: &Shape) -> Self {
        let values = page.values.map(|values| values.0).unwrap_or_default();
        let mut written = Self::new(values);
        let rows = written.list(&format!("({}) AS ", page.sql), shape);
        written.finish(tenant, &rows)
    }

    /// The text and its parameters.
    pub(in crate::scope) fn into_parts(self) -> (String, Vec<Value>) {
        (self.sql, self.values)
    }

    fn new(values: Vec<Value>) -> Self {
        Self {
            sql: String::new(),
            values,
            rows: 0,
        }
    }

    fn finish(mut self, tenant: Uuid, written: &str) -> Self {
        let tenant = self.value(tenant.to_string());
        self.sql = format!(
            "SELECT {written} FROM (SELECT set_config('rollcall.organization_id', {tenant}, true)::uuid AS id) AS tenant"
        );
        self
    }

    /// A list of rows, in a shape that says where in it they stand.
    fn list(&mut self, from: &str, shape: &Shape) -> String {
        let row = self.alias();
        let list = self.object(shape, &row);
        // The tenant's row is named so that the select waits for it.
        format!("(SELECT {list} FROM {from}{row} WHERE tenant.id IS NOT NULL)")
    }

    fn row_of(&mut self, table: Table, id: &str, removed: Option<&str>, shape: &Shape) -> String {
        let row = self.alias();
        let object = self.object(shape, &row);
        let mut select = format!(
            "(SELECT {object} FROM {} AS {row} WHERE {row}.id = {id}",
            table.name
        );
        // Writing to a string cannot fail.
        if let Some(tenant) = table.tenant {
            let _ = write!(select, " AND {row}.{tenant} = tenant.id");
        }
        if let Some(removed) = removed {
            let _ = write!(select, " AND {row}.{removed} IS NULL");
        }
        select.push(')');
        select
    }

    fn rows_of(&mut self, listing: Listing, parent: &str, size: u64, shape: &Shape) -> String {
        let Listing {
            table,
            parent: column,
            column: first,
            id,
            descending,
        } = listing;
        let direction = if descending { "DESC" } else { "ASC" };
        let tenant = table.tenant.unwrap_or("id");
        let size = self.value(i64::try_from(size).unwrap_or(i64::MAX));
        let rows = format!(
            "(SELECT * FROM {name} WHERE {tenant} = tenant.id AND {column} = {parent}.id
              ORDER BY {first} {direction}, {id} {direction} LIMIT {size}) AS ",
            name = table.name,
        );
        self.list(&rows, shape)
    }

    fn object(&mut self, shape: &Shape, row: &str) -> String {
        let mut pieces = Vec::with_capacity(shape.0.len() * 2 + 1);
        let mut before = String::from("{");
        for (position, (name, part)) in shape.0.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            let _ = write!(before, "{comma}{}:", serde_json::Value::from(name.as_str()));
            if let Part::Constant(text) = part {
                before.push_str(text);
                continue;
            }
            pieces.push(literal(&before));
            before.clear();
            pieces.push(self.part(part, row));
        }
        before.push('}');
        pieces.push(literal(&before));
        concat(&pieces)
    }

    fn part(&mut self, part: &Part, row: &str) -> String {
        match part {
            Part::Constant(text) => literal(text),
            Part::Column(text, form, _) if text.contains("{row}") => {
                form.written(&format!("({})", text.replace("{row}", row)))
            }
            Part::Column(column, form, _) => form.written(&format!("{row}.{column}")),
            Part::One(table, column, shape) => {
                let one = self.row_of(*table, &format!("{row}.{column}"), None, shape);
                format!("coalesce({one}, 'null')")
            }
            Part::Many(listing, size, shape) => self.rows_of(*listing, row, *size, shape),
            Part::Rows(shape) => {
                let object = self.object(shape, row);
                format!("concat('[', string_agg({object}, ','), ']')")
            }
        }
    }

    fn value(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn alias(&mut self) -> String {
        self.rows += 1;
        format!("row{}", self.rows)
    }
}

impl Form {
    /// The value of `expression` as JSON, byte for byte as the API writes it elsewhere.
    fn written(self, expression: &str) -> String {
        let some = match self {
            Self::Text | Self::Time => return format!("coalesce(to_json({expression}), 'null')"),
            Self::Number | Self::Boolean => format!("({expression})::text"),
            Self::Name => format!("'\"' || upper({expression}) || '\"'"),
            Self::Id(tag) => format!(
                "'\"' || translate(encode('\\x{tag:02x}' || uuid_send({expression}), 'base64'), '+/=', '-_') || '\"'"
            ),
        };
        format!("coalesce({some}, 'null')")
    }
}

fn concat(pieces: &[String]) -> String {
    if pieces.len() <= ARGUMENTS {
        return format!("concat({})", pieces.join(", "));
    }
    let parts: Vec<String> = pieces.chunks(ARGUMENTS).map(concat).collect();
    concat(&parts)
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
