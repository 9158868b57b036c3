//! One database transaction: the only thing that runs SQL, and private to `scope`.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
    sea_query::Values,
};
use sea_query_sqlx::SqlxValues;
use sqlx::{AssertSqlSafe, Executor, Postgres, Sqlite, pool::PoolConnection};
use tokio::sync::{Mutex, OwnedSemaphorePermit};

use crate::Result;

/// A transaction on either database. Dropped, it rolls back.
///
/// It is there before its BEGIN is sent: sqlx's own begins when the answer has come, and whoever
/// drops the future before that leaves a connection in the pool inside a transaction that nobody
/// ends, on which later writes are lost (sqlx issue 4385).
pub struct Transaction {
    connection: Mutex<Connection>,
    backend: DbBackend,
    /// Whether there is something to roll back.
    open: bool,
    statements: Arc<AtomicU32>,
    /// A writer's turn, which ends with it.
    turn: Option<OwnedSemaphorePermit>,
}

/// A connection of a pool.
pub(super) enum Connection {
    Postgres(PoolConnection<Postgres>),
    Sqlite(PoolConnection<Sqlite>),
    /// It went back to its pool.
    Returned,
}

impl Transaction {
    /// Statements that each stand alone.
    pub(super) fn none(connection: Connection) -> Self {
        Self {
            backend: connection.backend(),
            connection: Mutex::new(connection),
            open: false,
            statements: Arc::default(),
            turn: None,
        }
    }

    /// Begins with the statements of `text`, which go out in one message.
    pub(super) async fn begin(connection: Connection, text: &str) -> Result<Self, sqlx::Error> {
        let mut transaction = Self::none(connection);
        transaction.open = true;
        transaction.connection.get_mut().run(text).await?;
        Ok(transaction)
    }

    /// Keeps a writer's turn until the end.
    pub(super) fn holding(mut self, turn: Option<OwnedSemaphorePermit>) -> Self {
        self.turn = turn;
        self
    }

    /// Counts this transaction's statements in `statements`.
    pub(super) fn counted_in(mut self, statements: Arc<AtomicU32>) -> Self {
        self.statements = statements;
        self
    }

    /// Makes everything done here permanent.
    pub(super) async fn commit(mut self) -> Result<()> {
        self.connection.get_mut().run("COMMIT").await?;
        self.open = false;
        Ok(())
    }

    fn count(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("rollcall_database_statements_total").increment(1);
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let mut connection = mem::replace(self.connection.get_mut(), Connection::Returned);
        let turn = self.turn.take();
        tokio::spawn(async move {
            if connection.run("ROLLBACK").await.is_err() {
                connection.discard();
            }
            drop(turn);
        });
    }
}

impl Connection {
    pub(super) fn backend(&self) -> DbBackend {
        match self {
            Self::Postgres(_) => DbBackend::Postgres,
            Self::Sqlite(_) | Self::Returned => DbBackend::Sqlite,
        }
    }

    async fn run(&mut self, text: &str) -> Result<(), sqlx::Error> {
        let text = AssertSqlSafe(text.to_owned());
        match self {
            Self::Postgres(connection) => connection.execute(text).await.map(drop),
            Self::Sqlite(connection) => connection.execute(text).await.map(drop),
            Self::Returned => Err(sqlx::Error::PoolClosed),
        }
    }

    /// Nobody gets this connection again.
    fn discard(&mut self) {
        match self {
            Self::Postgres(connection) => connection.close_on_drop(),
            Self::Sqlite(connection) => connection.close_on_drop(),
            Self::Returned => {}
        }
    }
}

/// `$query.$verb(connection)` on whichever database it is.
macro_rules! run {
    ($self:ident, $statement:ident, $verb:ident, $error:path, $row:ident => $result:expr) => {{
        $self.count();
        let values = SqlxValues($statement.values.unwrap_or_else(|| Values(Vec::new())));
        match &mut *$self.connection.lock().await {
            Connection::Postgres(connection) => {
                let query = sqlx::query_with::<Postgres, _>(AssertSqlSafe($statement.sql), values);
                let $row = query
                    .$verb(&mut **connection)
                    .await
                    .map_err(|error| $error(wrap(error)))?;
                Ok($result)
            }
            Connection::Sqlite(connection) => {
                let query = sqlx::query_with::<Sqlite, _>(AssertSqlSafe($statement.sql), values);
                let $row = query
                    .$verb(&mut **connection)
                    .await
                    .map_err(|error| $error(wrap(error)))?;
                Ok($result)
            }
            Connection::Returned => Err($error(wrap(sqlx::Error::PoolClosed))),
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
        self.execute_raw(Statement::from_string(self.backend, sql))
            .await
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
