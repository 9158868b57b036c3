//! Rows and all that hangs below them, as one value: what a whole answer needs, said once.
//!
//! A [`Shape`] says which columns, relations and lists of a table are wanted, under which names.
//! [`Reader::written`] has the database read them with one statement and write them down as JSON.
//! Tenant and permission are part of a [`Table`] and a [`Listing`], so that no shape can forget
//! them: what the actor may not see is not compiled at all.

use std::sync::atomic::Ordering;

use entity::TenantOwned;
use sea_orm::{
    ConnectionTrait, EntityTrait, IdenStatic, QueryResult, QuerySelect, Statement, Value,
};
use uuid::Uuid;

use super::{
    Reader, Scope, Scoped, Sort,
    dialect::{self, Written},
};
use crate::{Error, Grant, Permission, Result, page::PageRequest};

/// A table whose rows can be part of a shape.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    pub(super) name: &'static str,
    /// None for people's accounts, which are reached from a tenant's rows alone.
    pub(super) tenant: Option<&'static str>,
    pub(super) permission: Permission,
}

/// A list below a row: the rows of `table` whose column names it, in their order.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    pub(super) table: Table,
    pub(super) parent: &'static str,
    pub(super) column: &'static str,
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
    /// A column, or an expression over the row, which stands as `{row}` in its text; and the
    /// permission that it needs besides its row's.
    Column(&'static str, Form, Option<Permission>),
    /// The row that a column names; null where there is none.
    One(Table, &'static str, Shape),
    /// A list below the row: this many from its beginning, in a shape of their own that holds
    /// [`Part::Rows`].
    Many(Listing, u64, Shape),
    /// The rows of the list around it.
    Rows(Shape),
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
            column: column::<E>(sort.column),
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
            Part::Constant(_) => true,
            Part::Column(_, _, permission) => {
                permission.is_none_or(|permission| scope.can(permission))
            }
            Part::One(Table { permission, .. }, _, shape) => {
                scope.can(*permission) && shape.is_permitted(scope)
            }
            Part::Many(Listing { table, .. }, _, shape) => {
                scope.can(table.permission) && shape.is_permitted(scope)
            }
            Part::Rows(shape) => shape.is_permitted(scope),
        })
    }
}

impl Part {
    fn below(&mut self) -> Option<&mut Shape> {
        match self {
            Self::Constant(_) | Self::Column(..) => None,
            Self::One(_, _, shape) | Self::Many(_, _, shape) | Self::Rows(shape) => Some(shape),
        }
    }
}

impl Scope {
    /// Whether the database can write such an answer, and the actor may see all of it. Otherwise the
    /// fields are resolved one by one, and each tells what it lacks.
    #[must_use]
    pub fn can_write(&self, shape: &Shape) -> bool {
        dialect::writes_json(self.db.backend()) && shape.is_permitted(self)
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
        let row = Written::row(self.organization.uuid(), table, id, removed, shape);
        self.written(row).await
    }

    async fn written(&self, written: Written) -> Result<Option<String>> {
        let (sql, values) = written.into_parts();
        let row = self.read_alone(&sql, values).await?;
        let json = row.map(|row| row.try_get_by_index(0)).transpose()?;
        Ok(json.flatten())
    }

    /// Reads with one statement that binds its tenant itself: within the snapshot where there is to
    /// be one, and otherwise alone, since it sees one moment by itself.
    async fn read_alone(&self, sql: &str, values: Vec<Value>) -> Result<Option<QueryResult>> {
        if self.stands_alone().await {
            self.statements.fetch_add(1, Ordering::Relaxed);
            return self.db.read(sql, values).await;
        }
        let connection = self.snapshot().await?;
        let backend = connection.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, values);
        Ok(connection.query_one_raw(statement).await?)
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
        let (select, walk, _) = self.walk(select, sort, request)?;
        let page = select
            .limit(walk.size)
            .into_statement(self.scope.db.backend());
        let organization = self.scope.organization.uuid();
        let written = Written::page(organization, page, shape);
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
