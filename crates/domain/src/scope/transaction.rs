//! One database transaction: the only thing that runs SQL, and private to `scope`.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
    sea_query::Values,
};
use sea_query_sqlx::SqlxValues;
use sqlx::{AssertSqlSafe, Executor, Postgres, Sqlite};
use tokio::sync::{Mutex, OwnedSemaphorePermit};

use crate::Result;

/// A transaction on either database. Dropped, it rolls back.
pub struct Transaction {
    backend: DbBackend,
    connection: Mutex<Connection>,
    statements: Arc<AtomicU32>,
    /// A writer's turn, which ends with it.
    _turn: Option<OwnedSemaphorePermit>,
}

enum Connection {
    Postgres(sqlx::Transaction<'static, Postgres>),
    Sqlite(sqlx::Transaction<'static, Sqlite>),
}

impl Transaction {
    pub(super) fn postgres(
        transaction: sqlx::Transaction<'static, Postgres>,
        turn: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self::new(DbBackend::Postgres, Connection::Postgres(transaction), turn)
    }

    pub(super) fn sqlite(transaction: sqlx::Transaction<'static, Sqlite>) -> Self {
        Self::new(DbBackend::Sqlite, Connection::Sqlite(transaction), None)
    }

    fn new(backend: DbBackend, connection: Connection, turn: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            backend,
            connection: Mutex::new(connection),
            statements: Arc::default(),
            _turn: turn,
        }
    }

    /// Counts this transaction's statements in `statements`.
    pub(super) fn counted_in(mut self, statements: Arc<AtomicU32>) -> Self {
        self.statements = statements;
        self
    }

    /// Makes everything done here permanent.
    pub(super) async fn commit(self) -> Result<()> {
        match self.connection.into_inner() {
            Connection::Postgres(transaction) => transaction.commit().await?,
            Connection::Sqlite(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    fn count(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("rollcall_database_statements_total").increment(1);
    }
}

/// `$query.$verb(connection)` on whichever database it is.
macro_rules! run {
    ($self:ident, $statement:ident, $verb:ident, $error:path, $row:ident => $result:expr) => {{
        $self.count();
        let values = SqlxValues($statement.values.unwrap_or_else(|| Values(Vec::new())));
        match &mut *$self.connection.lock().await {
            Connection::Postgres(transaction) => {
                let query = sqlx::query_with::<Postgres, _>(AssertSqlSafe($statement.sql), values);
                let $row = query
                    .$verb(&mut **transaction)
                    .await
                    .map_err(|error| $error(wrap(error)))?;
                Ok($result)
            }
            Connection::Sqlite(transaction) => {
                let query = sqlx::query_with::<Sqlite, _>(AssertSqlSafe($statement.sql), values);
                let $row = query
                    .$verb(&mut **transaction)
                    .await
                    .map_err(|error| $error(wrap(error)))?;
                Ok($result)
            }
        }
    }};
}

#[sea_orm::prelude::async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        run!(self, statement, execute, DbErr::Exec, result => result.into())
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.count();
        let sql = AssertSqlSafe(sql.to_owned());
        match &mut *self.connection.lock().await {
            Connection::Postgres(transaction) => Ok(transaction
                .execute(sql)
                .await
                .map_err(|error| DbErr::Exec(wrap(error)))?
                .into()),
            Connection::Sqlite(transaction) => Ok(transaction
                .execute(sql)
                .await
                .map_err(|error| DbErr::Exec(wrap(error)))?
                .into()),
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        run!(self, statement, fetch_optional, DbErr::Query, row => row.map(QueryResult::from))
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        run!(self, statement, fetch_all, DbErr::Query, rows => rows.into_iter().map(QueryResult::from).collect())
    }
}

fn wrap(error: sqlx::Error) -> RuntimeErr {
    RuntimeErr::SqlxError(Arc::new(error))
}
