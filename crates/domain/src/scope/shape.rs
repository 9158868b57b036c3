//! Rows and all that hangs below them, as one value: what a whole answer needs, said once.
//!
//! A [`Shape`] says which columns, relations and lists of a table are wanted, under which names.
//! [`Reader::written`] has the database read them with one statement and write them down as JSON.
//! Tenant and permission are part of a [`Table`] and a [`Listing`], so that no shape can forget
//! them: what the actor may not see is not compiled at all.

use std::sync::atomic::Ordering;

use entity::TenantOwned;
use sea_orm::{
    ColumnTrait, ColumnType, ConnectionTrait, EntityTrait, IdenStatic, QueryResult, QuerySelect,
    Statement,
};
use uuid::Uuid;

use super::{
    Reader, Scope, Scoped, Sort,
    dialect::{self, Moment, Written},
};
use crate::{
    Error, Grant, Permission, Result,
    page::{PageRequest, Walk},
};

/// A table whose rows can be part of a shape.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    pub(super) name: &'static str,
    /// None for people's accounts, which are reached from a tenant's rows alone.
    pub(super) tenant: Option<&'static str>,
    pub(super) permission: Permission,
}

/// A list below a row: the rows of `table` whose column names it, in their order.
#[derive(Clone, Debug)]
pub struct Listing {
    pub(super) table: Table,
    pub(super) parent: &'static str,
    pub(super) order: Order,
    /// The list's name, as far as all parents' lists share it.
    pub(super) list: String,
}

/// How the rows of a list follow one another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) column: &'static str,
    pub(super) form: Form,
    pub(super) id: &'static str,
    pub(super) descending: bool,
}

/// What is wanted of each row, in the order in which it is to be written.
#[derive(Clone, Debug, Default)]
pub struct Shape(pub(super) Vec<(String, Part)>);

/// One thing that is wanted of a row.
#[derive(Clone, Debug)]
pub enum Part {
    /// The same text for every row.
    Constant(String),
    /// A column, or an expression over the row and the present, which stand as `{row}` and `{now}` in
    /// its text; and the permission that it needs besides its row's.
    Column(&'static str, Form, Option<Permission>),
    /// The row that a column names; null where there is none.
    One(Table, &'static str, Shape),
    /// A page of the list below the row, in a shape of its own that holds [`Part::Rows`].
    Many(Listing, Walk, Shape),
    /// The rows of the page around it.
    Rows(Shape),
    /// An object that says more of what is around it.
    Object(Shape),
    /// Where the page around it stands in its list, or a row in its page.
    Place(Place),
}

/// What is said of places in lists: the fields of Relay's edges and `PageInfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The row's cursor.
    Cursor,
    /// Whether rows come before the page.
    HasPrevious,
    /// Whether rows come after the page.
    HasNext,
    /// The first row's cursor.
    Start,
    /// The last row's cursor.
    End,
}

/// How a value is written as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A string.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// An instant, as RFC 3339 has it.
    Time,
    /// A text in capitals.
    Name,
    /// Bytes, in hexadecimal digits.
    Hexadecimal,
    /// A global id: base64url of this tag and the UUID.
    Id(u8),
}

impl Table {
    /// The table of a tenant's rows, which are read under permission `P`.
    #[must_use]
    pub fn of<E: TenantOwned, P: Grant>() -> Self {
        Self {
            name: name::<E>(),
            tenant: Some(column::<E>(E::ORGANIZATION)),
            permission: P::PERMISSION,
        }
    }

    /// What reading its rows needs.
    #[must_use]
    pub fn permission(&self) -> Permission {
        self.permission
    }

    /// A table without a tenant, whose rows are reached through those of one.
    #[must_use]
    pub(crate) fn global<E: EntityTrait, P: Grant>() -> Self {
        Self {
            name: name::<E>(),
            tenant: None,
            permission: P::PERMISSION,
        }
    }
}

impl Listing {
    /// The rows of `E` whose column `parent` names a row, in the order of `sort`.
    #[must_use]
    pub fn of<E: TenantOwned, P: Grant>(parent: E::Column, sort: &Sort<E>) -> Self {
        Self {
            table: Table::of::<E, P>(),
            parent: column::<E>(parent),
            order: Order::of(sort),
            list: sort.list.clone(),
        }
    }
}

impl Order {
    fn of<E: EntityTrait>(sort: &Sort<E>) -> Self {
        Self {
            column: column::<E>(sort.column),
            form: match sort.column.def().get_column_type() {
                ColumnType::TimestampWithTimeZone => Form::Time,
                ColumnType::Integer | ColumnType::BigInteger => Form::Number,
                _ => Form::Text,
            },
            id: column::<E>(sort.id),
            descending: sort.descending,
        }
    }
}

impl Shape {
    /// Adds what is to be written under `name`; what stands under it already is one with it.
    pub fn add(&mut self, name: &str, part: Part) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            None => self.0.push((name.to_owned(), part)),
            Some((_, known)) => {
                if let (Some(known), Some(more)) = (known.below(), part.clone().below()) {
                    for (name, part) in std::mem::take(&mut more.0) {
                        known.add(&name, part);
                    }
                }
            }
        }
    }

    fn is_permitted(&self, scope: &Scope) -> bool {
        self.0.iter().all(|(_, part)| match part {
            Part::Constant(_) | Part::Place(_) => true,
            Part::Column(_, _, permission) => {
                permission.is_none_or(|permission| scope.can(permission))
            }
            Part::One(Table { permission, .. }, _, shape) => {
                scope.can(*permission) && shape.is_permitted(scope)
            }
            Part::Many(Listing { table, .. }, _, shape) => {
                scope.can(table.permission) && shape.is_permitted(scope)
            }
            Part::Rows(shape) | Part::Object(shape) => shape.is_permitted(scope),
        })
    }

    /// Whether it says any of these places in the list around it.
    pub(super) fn has_places(&self, which: fn(Place) -> bool) -> bool {
        self.0.iter().any(|(_, part)| match part {
            Part::Place(place) => which(*place),
            Part::Rows(shape) | Part::Object(shape) => shape.has_places(which),
            Part::Constant(_) | Part::Column(..) | Part::One(..) | Part::Many(..) => false,
        })
    }
}

impl Place {
    /// Whether it is told by a cursor.
    pub(super) fn is_cursor(self) -> bool {
        matches!(self, Self::Cursor | Self::Start | Self::End)
    }
}

impl Part {
    fn below(&mut self) -> Option<&mut Shape> {
        match self {
            Self::Constant(_) | Self::Column(..) | Self::Place(_) => None,
            Self::One(_, _, shape)
            | Self::Many(_, _, shape)
            | Self::Rows(shape)
            | Self::Object(shape) => Some(shape),
        }
    }
}

impl Scope {
    /// Whether the database can write such an answer, and the actor may see all of it. Otherwise the
    /// fields are resolved one by one, and each tells what it lacks. A shape knows of no single event.
    #[must_use]
    pub fn can_write(&self, shape: &Shape) -> bool {
        dialect::writes_json(self.db.backend()) && self.event.is_none() && shape.is_permitted(self)
    }

    /// The row of `table` with this id as JSON; none where there is none, or where the column
    /// `removed` has a value.
    ///
    /// # Errors
    /// [`crate::Error::Forbidden`] without the table's permission.
    pub async fn written_row(
        &self,
        table: Table,
        id: Uuid,
        removed: Option<&'static str>,
        shape: &Shape,
    ) -> Result<Option<String>> {
        self.require(table.permission)?;
        let row = Written::row(self.moment(), table, id, removed, shape);
        self.written(row).await
    }

    fn moment(&self) -> Moment {
        Moment {
            tenant: self.organization.uuid(),
            now: self.clock().now(),
        }
    }

    async fn written(&self, written: Written) -> Result<Option<String>> {
        if self.event.is_some() {
            return Err(Error::Internal("a shape beyond one event".to_owned()));
        }
        let row = if self.stands_alone().await {
            self.read_alone(written).await?
        } else {
            let connection = self.snapshot().await?;
            let (sql, values) = written.into_parts(None);
            let backend = connection.get_database_backend();
            let statement = Statement::from_sql_and_values(backend, sql, values);
            connection.query_one_raw(statement).await?
        };
        let json = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(json.flatten())
    }

    /// Reads with one statement that binds its tenant itself, without a snapshot around it: it sees
    /// one moment anyway.
    async fn read_alone(&self, written: Written) -> Result<Option<QueryResult>> {
        let (sql, values) = written.into_parts(self.claim.as_ref());
        self.statements.fetch_add(1, Ordering::Relaxed);
        let row = self.db.read(&sql, values);
        let Some(claim) = &self.claim else {
            return row.await;
        };
        let row = claim.read(row).await?;
        row.ok_or(Error::Unauthenticated).map(Some)
    }
}

impl<P> Reader<P> {
    /// One page of a list as JSON, in a shape that holds [`Part::Rows`].
    ///
    /// # Errors
    /// A refusal when the page's arguments do not fit the list.
    pub async fn written_page<E: EntityTrait>(
        &self,
        select: Scoped<E>,
        sort: &Sort<E>,
        request: &PageRequest,
        shape: &Shape,
    ) -> Result<String> {
        let (select, walk, list) = self.walk(select, sort, request)?;
        let backend = self.scope.db.backend();
        let select = select.limit(Written::rows_read(&walk, shape));
        let page = select.into_statement(backend);
        let (moment, order) = (self.scope.moment(), Order::of(sort));
        let written = Written::page(moment, page, list, order, &walk, shape);
        let written = self.scope.written(written).await?;
        written.ok_or_else(|| Error::Internal("a page that was not written".to_owned()))
    }
}

fn name<E: EntityTrait>() -> &'static str {
    E::default().table_name()
}

fn column<E: EntityTrait>(column: E::Column) -> &'static str {
    column.as_str()
}
