//! Writing one tenant's rows under one permission: the transaction itself.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use entity::{
    TenantOwned,
    identity::user::{self, UserId},
    organizations::organization,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DeleteMany, EntityTrait, ExprTrait,
    IntoActiveModel, QueryFilter, QuerySelect, UpdateMany, Value,
    sea_query::{DeleteStatement, Expr, LockType, OnConflict, SimpleExpr, UpdateStatement},
};
use uuid::Uuid;

use super::{
    Author, Committed, Reader, dialect,
    log::{self, Deed},
    outbox,
};
use crate::{Change, Error, Result, mail::Mail};

/// The right to write one tenant's rows under permission `P`, and the transaction that does so. It
/// reads too, and sees what it wrote. It ends with [`Writer::commit`]; dropped, nothing happened.
///
/// Another permission's writer does not do:
///
/// ```compile_fail,E0308
/// async fn remove(_: domain::Writer<domain::permission::MembersDelete>) {}
/// async fn update(writer: domain::Writer<domain::permission::EventsUpdate>) {
///     remove(writer).await;
/// }
/// ```
///
/// and there is no commit without saying what changed:
///
/// ```compile_fail,E0061
/// async fn quietly(writer: domain::Writer<domain::permission::EventsUpdate>) {
///     let _ = writer.commit().await;
/// }
/// ```
///
/// ```
/// async fn aloud(writer: domain::Writer<domain::permission::EventsUpdate>, change: domain::Change) -> domain::Result<()> {
///     writer.commit(change).await
/// }
/// ```
pub struct Writer<P> {
    reader: Reader<P>,
    enqueued: AtomicBool,
}

/// What one author did.
#[derive(Debug)]
pub struct Work {
    /// Who did it.
    pub author: Author,
    /// What happened, in order; never empty.
    pub changes: Vec<Change>,
}

/// An update of the tenant's rows of `E`.
pub struct ScopedUpdate<E: EntityTrait>(UpdateMany<E>);

/// A deletion of the tenant's rows of `E`.
pub struct ScopedDelete<E: EntityTrait>(DeleteMany<E>);

impl<P> Deref for Writer<P> {
    type Target = Reader<P>;

    fn deref(&self) -> &Reader<P> {
        &self.reader
    }
}

impl<P> Writer<P> {
    pub(super) fn new(reader: Reader<P>) -> Self {
        Self {
            reader,
            enqueued: AtomicBool::new(false),
        }
    }

    /// Inserts a row of the tenant, whatever tenant it names.
    pub async fn insert<A>(&self, row: A) -> Result<<A::Entity as EntityTrait>::Model>
    where
        A: ActiveModelTrait + sea_orm::ActiveModelBehavior + Send,
        A::Entity: TenantOwned,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        Ok(self.owned(row).insert(&*self.connection().await?).await?)
    }

    /// Inserts rows of the tenant with one statement; none is no statement.
    pub async fn insert_all<A>(&self, rows: Vec<A>) -> Result<()>
    where
        A: ActiveModelTrait + Send,
        A::Entity: TenantOwned,
    {
        self.insert_rows(rows, None).await
    }

    /// Inserts rows of the tenant, or what `conflict` says where they are there already, with one
    /// statement.
    pub async fn upsert_all<A>(&self, rows: Vec<A>, conflict: OnConflict) -> Result<()>
    where
        A: ActiveModelTrait + Send,
        A::Entity: TenantOwned,
    {
        self.insert_rows(rows, Some(conflict)).await
    }

    /// An update of the tenant's rows of `E`, to be narrowed and given to [`Writer::update`].
    #[must_use]
    pub fn change<E: TenantOwned>(&self) -> ScopedUpdate<E> {
        let update = E::update_many().filter(E::ORGANIZATION.eq(self.scope.organization.uuid()));
        ScopedUpdate(match self.scope.within_event::<E>() {
            Some(within) => update.filter(within),
            None => update,
        })
    }

    /// Runs an update and says how many rows it met.
    pub async fn update<E: EntityTrait>(&self, update: ScopedUpdate<E>) -> Result<u64> {
        Ok(update
            .0
            .exec(&*self.connection().await?)
            .await?
            .rows_affected)
    }

    /// A deletion of the tenant's rows of `E`, to be narrowed and given to [`Writer::delete`].
    #[must_use]
    pub fn removal<E: TenantOwned>(&self) -> ScopedDelete<E> {
        let removal = E::delete_many().filter(E::ORGANIZATION.eq(self.scope.organization.uuid()));
        ScopedDelete(match self.scope.within_event::<E>() {
            Some(within) => removal.filter(within),
            None => removal,
        })
    }

    /// Runs a deletion and says how many rows it met.
    pub async fn delete<E: EntityTrait>(&self, removal: ScopedDelete<E>) -> Result<u64> {
        Ok(removal
            .0
            .exec(&*self.connection().await?)
            .await?
            .rows_affected)
    }

    /// Runs a hand-written statement and says how many rows it met. The tenant is `$1`, `values`
    /// follow from `$2` on.
    ///
    /// # Errors
    /// [`Error::Internal`] when the text forgets the tenant.
    pub async fn execute(&self, sql: &str, values: Vec<Value>) -> Result<u64> {
        let connection = self.connection().await?;
        let statement = self.statement(&connection, sql, values)?;
        Ok(connection.execute_raw(statement).await?.rows_affected())
    }

    /// Adds numbers to columns of the tenant's rows with one hand-written update, and says how many
    /// rows it met. The tenant is `$1`; `{deltas $2}` in the text stands for the relation `delta (id, a,
    /// b, ...)` of the rows' ids and their numbers; `values` follow from `$3` on.
    ///
    /// # Errors
    /// As [`Writer::execute`].
    pub async fn add_all<const N: usize>(
        &self,
        sql: &str,
        deltas: &[(Uuid, [i64; N])],
        mut values: Vec<Value>,
    ) -> Result<u64> {
        let backend = self.connection().await?.get_database_backend();
        let (relation, deltas) = dialect::deltas(backend, deltas);
        values.insert(0, deltas);
        self.execute(&sql.replace("{deltas $2}", &relation), values)
            .await
    }

    /// Whether an account is there; if so, it is not closed before the commit.
    pub async fn keep_account(&self, user: UserId) -> Result<bool> {
        let open = user::Entity::find_by_id(user)
            .select_only()
            .column(user::Column::Id)
            .filter(user::Column::DeletedAt.is_null())
            .lock(LockType::Share)
            .into_tuple::<Uuid>();
        Ok(open.one(&*self.connection().await?).await?.is_some())
    }

    /// Asks for work to be done after the commit, by whichever instance takes it.
    pub async fn enqueue(&self, kind: &'static str, subject: Uuid) -> Result<()> {
        let (clock, organization) = (self.scope.clock(), self.scope.organization);
        let connection = self.connection().await?;
        outbox::enqueue(&*connection, clock, organization, kind, subject).await?;
        self.enqueued.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Has a mail sent after the commit.
    pub async fn mail(&self, mail: Mail) -> Result<()> {
        outbox::put(&*self.connection().await?, self.scope.clock(), mail).await?;
        self.enqueued.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Makes everything permanent, with its audit entry and its number in the organization's log.
    pub async fn commit(self, change: Change) -> Result<()> {
        self.commit_all(vec![change]).await
    }

    /// The same for a unit of work that changed several things.
    ///
    /// # Errors
    /// [`Error::Internal`] when `changes` is empty: whoever changed nothing drops the writer.
    pub async fn commit_all(self, changes: Vec<Change>) -> Result<()> {
        let author = self.scope.author();
        self.commit_each(vec![Work { author, changes }]).await
    }

    /// The same for what several authors did, each with an audit entry of its own.
    ///
    /// # Errors
    /// [`Error::Internal`] when somebody did nothing.
    pub async fn commit_each(self, works: Vec<Work>) -> Result<()> {
        let mut changes = works.iter().flat_map(|work| &work.changes);
        if changes.any(|change| change.kind.changes_access()) {
            self.move_access_version().await?;
        }
        let deeds = works
            .into_iter()
            .map(Deed::done)
            .collect::<Result<Vec<_>>>()?;
        let last = log::append(&self.scope, &*self.connection().await?, deeds).await?;
        let scope = self.reader.scope.clone();
        let enqueued = self.enqueued.load(Ordering::Relaxed);
        self.finish().await?;
        scope.generation.fetch_add(1, Ordering::AcqRel);
        scope.db.announce(Committed::Changes {
            organization: scope.organization.uuid(),
            sequence: last,
        });
        if enqueued {
            scope.db.announce(Committed::JobEnqueued);
        }
        Ok(())
    }

    /// What was known of people's access holds no more, on any instance: see [`super::Claim`].
    async fn move_access_version(&self) -> Result<()> {
        let update = self
            .change::<organization::Entity>()
            .add(organization::Column::AccessVersion, 1);
        self.update(update).await.map(drop)
    }

    async fn insert_rows<A>(&self, rows: Vec<A>, conflict: Option<OnConflict>) -> Result<()>
    where
        A: ActiveModelTrait + Send,
        A::Entity: TenantOwned,
    {
        if rows.is_empty() {
            return Ok(());
        }
        let connection = self.connection().await?;
        let rows = rows.into_iter().map(|row| self.owned(row)).collect();
        let insert = dialect::insert(connection.get_database_backend(), rows, conflict);
        connection.execute_raw(insert).await?;
        Ok(())
    }

    async fn finish(self) -> Result<()> {
        let transaction = self
            .reader
            .transaction
            .and_then(Arc::into_inner)
            .ok_or_else(|| {
                Error::Internal("a writer's transaction was still in use at its commit".to_owned())
            })?;
        transaction.commit().await
    }

    fn owned<A>(&self, mut row: A) -> A
    where
        A: ActiveModelTrait,
        A::Entity: TenantOwned,
    {
        row.set(
            <A::Entity as TenantOwned>::ORGANIZATION,
            self.scope.organization.uuid().into(),
        );
        row
    }
}

impl<E: EntityTrait> ScopedUpdate<E> {
    /// Sets a column.
    #[must_use]
    pub fn set(self, column: E::Column, value: impl Into<Value>) -> Self {
        self.set_expr(column, Expr::value(value.into()))
    }

    /// Sets a column to an expression over the row.
    #[must_use]
    pub fn set_expr(self, column: E::Column, value: SimpleExpr) -> Self {
        Self(self.0.col_expr(column, value))
    }

    /// Adds to a column.
    #[must_use]
    pub fn add(self, column: E::Column, value: i64) -> Self {
        self.set_expr(column, Expr::col(column).add(value))
    }
}

impl<E: EntityTrait> QueryFilter for ScopedUpdate<E> {
    type QueryStatement = UpdateStatement;

    fn query(&mut self) -> &mut UpdateStatement {
        QueryFilter::query(&mut self.0)
    }
}

impl<E: EntityTrait> QueryFilter for ScopedDelete<E> {
    type QueryStatement = DeleteStatement;

    fn query(&mut self) -> &mut DeleteStatement {
        QueryFilter::query(&mut self.0)
    }
}
