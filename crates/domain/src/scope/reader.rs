//! Reading one tenant's rows under one permission.

use std::{collections::HashMap, marker::PhantomData, sync::Arc};

use entity::TenantOwned;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, Iterable, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select, Statement, Value,
    sea_query::{Expr, Order, SelectStatement, SimpleExpr},
};
use uuid::Uuid;

use super::{Scope, dialect, transaction::Transaction};
use crate::{
    Error, Result,
    page::{self, Key, Page, PageRequest, Walk},
};

/// The right to read one tenant's rows under permission `P`.
///
/// It cannot write:
///
/// ```compile_fail,E0599
/// async fn write(reader: domain::Reader<domain::permission::EventsRead>, event: entity::events::event::ActiveModel) {
///     let _ = reader.insert(event).await;
/// }
/// ```
///
/// and one permission is not another:
///
/// ```compile_fail,E0308
/// fn patrons(_: domain::Reader<domain::permission::PatronsRead>) {}
/// fn events(reader: domain::Reader<domain::permission::EventsRead>) {
///     patrons(reader);
/// }
/// ```
///
/// ```
/// fn events(_: domain::Reader<domain::permission::EventsRead>) {}
/// fn twin(reader: domain::Reader<domain::permission::EventsRead>) {
///     events(reader);
/// }
/// ```
///
/// A table without a tenant cannot be read through it:
///
/// ```compile_fail,E0277
/// fn users(reader: &domain::Reader<domain::permission::EventsRead>) {
///     let _ = reader.find::<entity::identity::user::Entity>();
/// }
/// ```
#[derive(Clone)]
pub struct Reader<P> {
    pub(super) scope: Scope,
    /// The writer's transaction; none for the scope's shared snapshot.
    pub(super) transaction: Option<Arc<Transaction>>,
    pub(super) permission: PhantomData<fn() -> P>,
}

/// A select that begins with the tenant's filter. Filters, orders and limits can only narrow it.
#[derive(Clone)]
pub struct Scoped<E: EntityTrait>(Select<E>);

/// How a list is ordered: first by a column, then by id.
pub struct Sort<E: EntityTrait> {
    /// The column.
    pub column: E::Column,
    /// The id's column.
    pub id: E::Column,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// The list's name, which its cursors are bound to, with all that filters it.
    pub list: String,
    /// The row whose list it is, for one of those below each of several rows.
    pub of: Option<Uuid>,
}

impl<E: EntityTrait> Sort<E> {
    fn list(&self, tenant: Uuid) -> u64 {
        match self.of {
            Some(parent) => page::list(tenant, &format!("{} {parent}", self.list)),
            None => page::list(tenant, &self.list),
        }
    }
}

impl<P> Reader<P> {
    /// The scope this reads for.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// A select of the tenant's rows of `E`.
    #[must_use]
    pub fn find<E: TenantOwned>(&self) -> Scoped<E> {
        let Scoped(select) = self.find_at_any_event::<E>();
        Scoped(match self.scope.within_event::<E>() {
            Some(within) => select.filter(within),
            None => select,
        })
    }

    /// The same of events, too, that the actor is not to learn of: for what is unique among all.
    #[must_use]
    pub(crate) fn find_at_any_event<E: TenantOwned>(&self) -> Scoped<E> {
        Scoped(E::find().filter(E::ORGANIZATION.eq(self.scope.organization.uuid())))
    }

    /// The rows.
    pub async fn all<E: EntityTrait>(&self, select: Scoped<E>) -> Result<Vec<E::Model>> {
        Ok(select.0.all(&*self.connection().await?).await?)
    }

    /// The first row, if any.
    pub async fn one<E: EntityTrait>(&self, select: Scoped<E>) -> Result<Option<E::Model>> {
        Ok(select.0.one(&*self.connection().await?).await?)
    }

    /// The row, or [`Error::NotFound`].
    pub async fn required<E: EntityTrait>(&self, select: Scoped<E>) -> Result<E::Model> {
        self.one(select).await?.ok_or(Error::NotFound)
    }

    /// The rows as another type, for selects of some columns.
    pub async fn all_as<E: EntityTrait, Row: FromQueryResult>(
        &self,
        select: Scoped<E>,
    ) -> Result<Vec<Row>> {
        Ok(select
            .0
            .into_model::<Row>()
            .all(&*self.connection().await?)
            .await?)
    }

    /// How many rows there are, counted up to `cap`.
    pub async fn count<E: EntityTrait>(&self, select: Scoped<E>, cap: u64) -> Result<u64> {
        let connection = self.connection().await?;
        let mut inner = select.0;
        QuerySelect::query(&mut inner)
            .clear_selects()
            .expr(Expr::val(1))
            .limit(cap);
        let mut count = SelectStatement::new();
        count
            .expr_as(sea_orm::sea_query::Func::count(Expr::cust("*")), "count")
            .from_subquery(QuerySelect::query(&mut inner).clone(), "counted");
        let row = connection.query_one(&count).await?;
        let count: i64 = row
            .map(|row| row.try_get("", "count"))
            .transpose()?
            .unwrap_or(0);
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// One page of a list.
    ///
    /// # Errors
    /// A refusal when the page's arguments do not fit the list.
    pub async fn page<E: EntityTrait>(
        &self,
        select: Scoped<E>,
        sort: Sort<E>,
        request: &PageRequest,
        key: impl Fn(&E::Model) -> (Key, Uuid),
    ) -> Result<Page<E::Model>> {
        let (select, walk, list) = self.walk(select, &sort, request)?;
        let select = QuerySelect::limit(select, walk.size + 1);
        Ok(walk.page(list, self.all(select).await?, key))
    }

    /// The rows of a page, in walking order, and the walk and the list that they belong to.
    pub(super) fn walk<E: EntityTrait>(
        &self,
        mut select: Scoped<E>,
        sort: &Sort<E>,
        request: &PageRequest,
    ) -> Result<(Scoped<E>, Walk, u64)> {
        let list = sort.list(self.scope.organization.uuid());
        let walk = request
            .walk(list)?
            .along(sort.column.def().get_column_type())?;
        if let Some(beyond) = walk.beyond(
            sort.descending,
            sort.column.into_expr(),
            sort.id.into_expr(),
        ) {
            select = select.filter(beyond);
        }
        let order = if walk.backward == sort.descending {
            Order::Asc
        } else {
            Order::Desc
        };
        let select = select
            .order_by(sort.column, order.clone())
            .order_by(sort.id, order);
        Ok((select, walk, list))
    }

    /// The first page of `E` of each parent, with one statement. `sort` gives each parent's list
    /// its name; the order is the same for all.
    pub async fn first_pages<E: TenantOwned>(
        &self,
        parents: &[Uuid],
        parent: E::Column,
        sort: impl Fn(Uuid) -> Sort<E>,
        size: u64,
        parent_of: impl Fn(&E::Model) -> Uuid,
        key: impl Fn(&E::Model) -> (Key, Uuid),
    ) -> Result<Vec<(Uuid, Page<E::Model>)>> {
        let Some(any) = parents.first() else {
            return Ok(Vec::new());
        };
        let connection = self.connection().await?;
        let tenant = self.scope.organization.uuid();
        let statement = dialect::first_of_each::<E>(
            connection.get_database_backend(),
            tenant,
            parents,
            parent,
            self.scope.event,
            &sort(*any),
            size + 1,
        );
        let rows = E::find().from_raw_sql(statement).all(&*connection).await?;
        let mut of_parent: HashMap<Uuid, Vec<E::Model>> = HashMap::new();
        for row in rows {
            of_parent.entry(parent_of(&row)).or_default().push(row);
        }
        let walk = Walk {
            size,
            backward: false,
            from: None,
        };
        Ok(parents
            .iter()
            .map(|parent| {
                let list = sort(*parent).list(tenant);
                (
                    *parent,
                    walk.page(list, of_parent.remove(parent).unwrap_or_default(), &key),
                )
            })
            .collect())
    }

    /// Runs a hand-written select. The tenant is `$1`, `values` follow from `$2` on.
    ///
    /// # Errors
    /// [`Error::Internal`] when the text forgets the tenant.
    pub async fn rows<Row: FromQueryResult>(
        &self,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>> {
        let connection = self.connection().await?;
        let statement = self.statement(&connection, sql, values)?;
        Ok(Row::find_by_statement(statement).all(&*connection).await?)
    }

    /// Runs a hand-written select over the rows that `ids` name: `{in $2}` in the text stands for
    /// "is one of them", the tenant is `$1`, `values` follow from `$3` on.
    ///
    /// # Errors
    /// As [`Reader::rows`].
    pub async fn rows_of<Row: FromQueryResult>(
        &self,
        sql: &str,
        ids: Vec<Uuid>,
        mut values: Vec<Value>,
    ) -> Result<Vec<Row>> {
        let (condition, ids) =
            dialect::one_of(self.connection().await?.get_database_backend(), ids);
        values.insert(0, ids);
        self.rows(&sql.replace("{in $2}", condition), values).await
    }

    /// The condition `column` is one of `ids`: one statement text for any number of them.
    pub async fn any<C: ColumnTrait>(&self, column: C, ids: Vec<Uuid>) -> Result<SimpleExpr> {
        Ok(dialect::any(
            self.connection().await?.get_database_backend(),
            column,
            ids,
        ))
    }

    /// The same for texts.
    pub async fn any_text<C: ColumnTrait>(
        &self,
        column: C,
        texts: Vec<String>,
    ) -> Result<SimpleExpr> {
        Ok(dialect::any_text(
            self.connection().await?.get_database_backend(),
            column,
            texts,
        ))
    }

    pub(super) fn statement(
        &self,
        connection: &Transaction,
        sql: &str,
        mut values: Vec<Value>,
    ) -> Result<Statement> {
        if !sql.contains("organization_id = $1") {
            return Err(Error::Internal(format!(
                "a statement without its tenant: {sql}"
            )));
        }
        values.insert(0, self.scope.organization.uuid().into());
        Ok(Statement::from_sql_and_values(
            connection.get_database_backend(),
            sql,
            values,
        ))
    }

    pub(super) async fn connection(&self) -> Result<Arc<Transaction>> {
        match &self.transaction {
            Some(transaction) => Ok(transaction.clone()),
            None => self.scope.snapshot().await,
        }
    }
}

impl<E: EntityTrait> Scoped<E> {
    pub(super) fn into_statement(self, backend: DbBackend) -> Statement {
        self.0.build(backend)
    }
}

impl<E: EntityTrait> QueryFilter for Scoped<E> {
    type QueryStatement = SelectStatement;

    fn query(&mut self) -> &mut SelectStatement {
        QueryFilter::query(&mut self.0)
    }
}

impl<E: EntityTrait> QueryOrder for Scoped<E> {
    type QueryStatement = SelectStatement;

    fn query(&mut self) -> &mut SelectStatement {
        QueryOrder::query(&mut self.0)
    }
}

impl<E: EntityTrait> QuerySelect for Scoped<E> {
    type QueryStatement = SelectStatement;

    fn query(&mut self) -> &mut SelectStatement {
        QuerySelect::query(&mut self.0)
    }
}

/// The columns of `E`, qualified by `table`, for hand-written selects of whole rows.
pub(super) fn columns<E: EntityTrait>(table: &str) -> String {
    use sea_orm::Iden;
    E::Column::iter()
        .map(|column| format!("{table}.\"{}\"", column.unquoted()))
        .collect::<Vec<_>>()
        .join(", ")
}
