//! Answers that PostgreSQL writes: a shape as one statement that gives JSON.
//!
//! Texts are put together by `concat` rather than `json_build_object`: it is faster, and its JSON has
//! no spaces. The tenant is bound by the select at the end of the statement; every table is read
//! below it, once for its one row, so that no plan can read a walled table before.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use sea_orm::{Statement, Value};
use uuid::Uuid;

use crate::{
    page::Walk,
    scope::{
        claim::Claim,
        shape::{Form, Listing, Order, Part, Place, Shape, Table},
    },
};

/// A statement that gives one text, or NULL.
pub(in crate::scope) struct Written {
    sql: String,
    values: Vec<Value>,
    rows: usize,
    now: DateTime<Utc>,
}

/// Whose rows a statement reads, and when.
#[derive(Clone, Copy)]
pub(in crate::scope) struct Moment {
    /// The organization.
    pub(in crate::scope) tenant: Uuid,
    /// The present.
    pub(in crate::scope) now: DateTime<Utc>,
}

/// A page while it is written: each row says its position in walking order, if that is asked for.
struct Paged<'a> {
    walk: &'a Walk,
    places: bool,
    /// The parameter that is the page's size.
    size: String,
    /// A row's cursor, for the row that stands as `{row}`.
    cursor: String,
}

/// Arguments of one call of `concat`: PostgreSQL passes up to 100.
const ARGUMENTS: usize = 90;

impl Written {
    /// The row of `table` with this id, unless the column `removed` has a value.
    pub(in crate::scope) fn row(
        moment: Moment,
        table: Table,
        id: Uuid,
        removed: Option<&str>,
        shape: &Shape,
    ) -> Self {
        let mut written = Self::new(Vec::new(), moment.now);
        let id = written.value(id);
        let row = written.row_of(table, &id, removed, shape);
        written.finish(moment.tenant, &row)
    }

    /// The rows that `page` selects, which are [`Written::rows_read`] at most, in walking order.
    pub(in crate::scope) fn page(
        moment: Moment,
        page: Statement,
        list: u64,
        order: Order,
        walk: &Walk,
        shape: &Shape,
    ) -> Self {
        let values = page.values.map(|values| values.0).unwrap_or_default();
        let mut written = Self::new(values, moment.now);
        let has_cursors = shape.has_places(Place::is_cursor);
        let list = has_cursors.then(|| written.value(format!("{list:016x}")));
        let list = list.unwrap_or_default();
        let rows = written.list(&page.sql, &list, order, walk, shape);
        written.finish(moment.tenant, &rows)
    }

    /// How many rows a page reads: one more, where it says whether there are more.
    pub(in crate::scope) fn rows_read(walk: &Walk, shape: &Shape) -> u64 {
        walk.size + u64::from(has_places(walk, shape))
    }

    /// The text and its parameters. Under a claim that does not hold it gives no row at all.
    pub(in crate::scope) fn into_parts(mut self, claim: Option<&Claim>) -> (String, Vec<Value>) {
        if let Some(claim) = claim {
            let condition = claim.condition(self.now, &mut self.values);
            let _ = write!(self.sql, " WHERE {condition}");
        }
        (self.sql, self.values)
    }

    fn new(values: Vec<Value>, now: DateTime<Utc>) -> Self {
        Self {
            sql: String::new(),
            values,
            rows: 0,
            now,
        }
    }

    fn finish(mut self, tenant: Uuid, written: &str) -> Self {
        let tenant = self.value(tenant.to_string());
        self.sql = format!(
            "SELECT {written} FROM (SELECT set_config('rollcall.organization_id', {tenant}, true)::uuid AS id) AS tenant"
        );
        self
    }

    /// A page of rows, in a shape that says where in it they stand.
    fn list(&mut self, rows: &str, list: &str, order: Order, walk: &Walk, shape: &Shape) -> String {
        let row = self.alias();
        let places = has_places(walk, shape);
        let paged = Paged {
            walk,
            places,
            size: if places {
                self.size(walk.size)
            } else {
                String::new()
            },
            cursor: order.cursor(list),
        };
        let page = self.object(shape, &row, Some(&paged));
        let rows = if places {
            format!("(SELECT *, row_number() OVER () AS position FROM ({rows}) AS page)")
        } else {
            format!("({rows})")
        };
        // The tenant's row is named so that the select waits for it.
        format!("(SELECT {page} FROM {rows} AS {row} WHERE tenant.id IS NOT NULL)")
    }

    fn row_of(&mut self, table: Table, id: &str, removed: Option<&str>, shape: &Shape) -> String {
        let row = self.alias();
        let object = self.object(shape, &row, None);
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

    fn rows_of(&mut self, listing: &Listing, parent: &str, walk: &Walk, shape: &Shape) -> String {
        let Listing {
            table,
            parent: column,
            order,
            list,
        } = listing;
        let Order {
            column: first, id, ..
        } = order;
        let direction = if order.descending == walk.backward {
            "ASC"
        } else {
            "DESC"
        };
        let tenant = table.tenant.unwrap_or("id");
        let size = self.size(Self::rows_read(walk, shape));
        let rows = format!(
            "SELECT * FROM {name} WHERE {tenant} = tenant.id AND {column} = {parent}.id
              ORDER BY {first} {direction}, {id} {direction} LIMIT {size}",
            name = table.name,
        );
        // As `page::list` makes it.
        let list = format!(
            "left(encode(sha256(convert_to(concat(tenant.id, '|{list} ', {parent}.id), 'UTF8')), 'hex'), 16)"
        );
        self.list(&rows, &list, *order, walk, shape)
    }

    fn object(&mut self, shape: &Shape, row: &str, paged: Option<&Paged<'_>>) -> String {
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
            pieces.push(self.part(part, row, paged));
        }
        before.push('}');
        pieces.push(literal(&before));
        concat(&pieces)
    }

    fn part(&mut self, part: &Part, row: &str, paged: Option<&Paged<'_>>) -> String {
        match (part, paged) {
            (Part::Constant(text), _) => literal(text),
            (Part::Column(text, form, _), _) if text.contains("{row}") => {
                let mut text = text.replace("{row}", row);
                if text.contains("{now}") {
                    let now = self.value(self.now);
                    text = text.replace("{now}", &now);
                }
                form.written(&format!("({text})"))
            }
            (Part::Column(column, form, _), _) => form.written(&format!("{row}.{column}")),
            (Part::One(table, column, shape), _) => {
                let one = self.row_of(*table, &format!("{row}.{column}"), None, shape);
                format!("coalesce({one}, 'null')")
            }
            (Part::Many(listing, walk, shape), _) => self.rows_of(listing, row, walk, shape),
            (Part::Object(shape), _) => self.object(shape, row, paged),
            (Part::Rows(shape), Some(paged)) => {
                let object = self.object(shape, row, Some(paged));
                paged.rows(&object, row)
            }
            (Part::Place(place), Some(paged)) => paged.place(*place, row),
            // A shape that is no page's says nothing of pages.
            (Part::Rows(_) | Part::Place(_), None) => literal("null"),
        }
    }

    fn size(&mut self, size: u64) -> String {
        self.value(i64::try_from(size).unwrap_or(i64::MAX))
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

impl Paged<'_> {
    /// The rows' objects, in the list's order whichever way it is walked.
    fn rows(&self, object: &str, row: &str) -> String {
        if !self.places {
            return format!("concat('[', string_agg({object}, ','), ']')");
        }
        let direction = if self.walk.backward { "DESC" } else { "ASC" };
        format!(
            "concat('[', string_agg({object}, ',' ORDER BY {row}.position {direction}) FILTER (WHERE {row}.position <= {}), ']')",
            self.size
        )
    }

    fn place(&self, place: Place, row: &str) -> String {
        let Walk { backward, from, .. } = self.walk;
        let size = &self.size;
        let quoted = |direction| {
            format!(
                "coalesce('\"' || (array_agg({} ORDER BY {row}.position {direction}) FILTER (WHERE {row}.position <= {size}))[1] || '\"', 'null')",
                self.cursor.replace("{row}", row)
            )
        };
        match place {
            Place::Cursor => format!("'\"' || {} || '\"'", self.cursor.replace("{row}", row)),
            Place::HasPrevious if *backward => format!("(count(*) > {size})::text"),
            Place::HasNext if !backward => format!("(count(*) > {size})::text"),
            Place::HasPrevious | Place::HasNext => literal(&from.is_some().to_string()),
            Place::Start => quoted(if *backward { "DESC" } else { "ASC" }),
            Place::End => quoted(if *backward { "ASC" } else { "DESC" }),
        }
    }
}

impl Order {
    /// The cursor of the row that stands as `{row}`, as `page::Cursor::to_text` makes it.
    fn cursor(self, list: &str) -> String {
        let Self {
            column, form, id, ..
        } = self;
        let key = match form {
            Form::Time => {
                format!("'\"t\":', (extract(epoch FROM {{row}}.{column}) * 1000000)::bigint")
            }
            Form::Number => format!("'\"n\":', {{row}}.{column}"),
            _ => format!("'\"s\":', to_json({{row}}.{column})"),
        };
        format!(
            "translate(encode(convert_to(concat('{{\"l\":\"', {list}, '\",\"k\":{{', {key}, '}},\"i\":\"', {{row}}.{id}, '\"}}'), 'UTF8'), 'base64'), E'+/=\n', '-_')"
        )
    }
}

impl Form {
    /// The value of `expression` as JSON, byte for byte as the API writes it elsewhere.
    fn written(self, expression: &str) -> String {
        let some = match self {
            Self::Text | Self::Time => return format!("coalesce(to_json({expression}), 'null')"),
            Self::Number | Self::Boolean => format!("({expression})::text"),
            Self::Name => format!("'\"' || upper({expression}) || '\"'"),
            Self::Hexadecimal => format!("'\"' || encode({expression}, 'hex') || '\"'"),
            Self::Id(tag) => format!(
                "'\"' || translate(encode('\\x{tag:02x}' || uuid_send({expression}), 'base64'), '+/=', '-_') || '\"'"
            ),
        };
        format!("coalesce({some}, 'null')")
    }
}

/// Whether rows need their positions: to tell places, or to be turned round.
fn has_places(walk: &Walk, shape: &Shape) -> bool {
    walk.backward || shape.has_places(|_| true)
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
