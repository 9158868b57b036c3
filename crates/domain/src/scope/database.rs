//! The database: where it is, and the pools that reach it.

use std::{path::PathBuf, str::FromStr, sync::Arc};

use migration::{APPLICATION_ROLE, Migrator, MigratorTrait};
use sea_orm::{
    ConnectionTrait, DbBackend, QueryResult, SqlxPostgresConnector, SqlxSqliteConnector, Statement,
    Value,
};
use sqlx::{Executor, PgPool, SqlitePool, pool::PoolOptions, postgres::PgConnectOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use uuid::Uuid;

use super::{
    dialect,
    pool::{self, ACQUIRE, ACQUIRE_WRITER, quiet},
    transaction::{Connection, Transaction},
};
use crate::{
    Clock, Error, Result,
    limit::Limits,
    secret::sealing::{Keys, Sealing},
};

/// Which database, and where.
#[derive(Clone, Debug)]
pub enum Database {
    /// A PostgreSQL server, by URL. The login owns the schema or belongs to the application role.
    Postgres {
        /// `postgres://user:password@host/name`.
        url: String,
        /// Connections at most.
        connections: u32,
    },
    /// The embedded SQLite file.
    Sqlite {
        /// Its path; created when it is not there, for its owner alone.
        path: PathBuf,
    },
}

/// The database. It cannot run a statement: it makes the handles that can.
///
/// ```compile_fail,E0277
/// use sea_orm::EntityTrait;
/// async fn all_events_of_everybody(db: domain::Db) {
///     let _ = entity::events::event::Entity::find().all(&db).await;
/// }
/// ```
///
/// The same select is fine through a reader, which has the tenant and the permission:
///
/// ```
/// use entity::events::event;
/// async fn all_events(reader: domain::Reader<domain::permission::EventsRead>) -> domain::Result<Vec<event::Model>> {
///     reader.all(reader.find::<event::Entity>()).await
/// }
/// ```
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    pool: Pool,
    backend: DbBackend,
    clock: Clock,
    committed: broadcast::Sender<Committed>,
    denials: Limits,
    sealing: Sealing,
}

#[derive(Clone)]
enum Pool {
    /// Writers wait for one another's locks, at the latest for the organization's counter. They
    /// queue for their turns, in order, before they queue for a connection, so that a rush at one
    /// door leaves connections to readers and to itself.
    Postgres { pool: PgPool, turns: Arc<Semaphore> },
    /// One writer, as SQLite has it, and readers that never wait for it (WAL).
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
}

/// What a transaction may do, and on whose behalf.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Binding {
    pub(super) organization: Option<Uuid>,
    pub(super) user: Option<Uuid>,
}

/// Told to this process after a commit that others may be waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// An organization's log has new changes.
    Changes {
        /// Whose.
        organization: Uuid,
        /// The number of the newest.
        sequence: i64,
    },
    /// A session was ended, or its token.
    SessionEnded(Uuid),
    /// Work was asked for: a job, or a mail.
    JobEnqueued,
}

impl Db {
    /// Opens the pools. Connections are made on first use on PostgreSQL, at once on SQLite.
    ///
    /// # Errors
    /// The URL or the file is unusable.
    pub async fn open(database: &Database, clock: Clock) -> Result<Self> {
        Self::open_with(database, clock, None).await
    }

    /// The same with keys for secrets that have to be read again. Without any, the embedded file gets
    /// one of its own, and on PostgreSQL what needs one is refused.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub async fn open_with(database: &Database, clock: Clock, keys: Option<Keys>) -> Result<Self> {
        let sealing = match database {
            Database::Postgres { .. } => Sealing::by(keys),
            Database::Sqlite { path } => Sealing::beside(path, keys)?,
        };
        let pool = match database {
            Database::Postgres { url, connections } => {
                let turns = usize::try_from(connections / 2).unwrap_or(1).max(1);
                Pool::Postgres {
                    pool: pool::postgres(url, *connections)?,
                    turns: Arc::new(Semaphore::new(turns)),
                }
            }
            Database::Sqlite { path } => Pool::Sqlite {
                writer: pool::sqlite(path, false, 1).await?,
                readers: pool::sqlite(path, true, 8).await?,
            },
        };
        let denials =
            Limits::new(clock.clone(), None).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self(Arc::new(Inner {
            pool,
            backend: dialect::of(database),
            clock,
            committed: broadcast::channel(4096).0,
            denials,
            sealing,
        })))
    }

    /// Brings the schema up to date and says how many changes that took. PostgreSQL is migrated
    /// under the login of the URL; several instances may try at once.
    ///
    /// # Errors
    /// The login may not change the schema, or a change fails; the database is then as it was.
    pub async fn migrate(database: &Database) -> Result<usize> {
        match database {
            Database::Postgres { url, .. } => {
                let pool: PgPool = PoolOptions::new()
                    .max_connections(2)
                    .acquire_timeout(ACQUIRE)
                    .connect_with(quiet(PgConnectOptions::from_str(url)?))
                    .await?;
                // Session-level advisory lock: one instance migrates, the others find nothing left.
                let mut lock = pool.acquire().await?;
                lock.execute("SELECT pg_advisory_lock(7265717)").await?;
                let connection = SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone());
                let pending = Migrator::get_pending_migrations(&connection).await?.len();
                Migrator::up(&connection, None).await?;
                lock.close().await?;
                pool.close().await;
                Ok(pending)
            }
            Database::Sqlite { path } => {
                let pool = pool::sqlite(path, false, 1).await?;
                let connection = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.clone());
                let pending = Migrator::get_pending_migrations(&connection).await?.len();
                Migrator::up(&connection, None).await?;
                pool.close().await;
                Ok(pending)
            }
        }
    }

    /// Undoes the last `steps` changes of the schema.
    ///
    /// # Errors
    /// As [`Db::migrate`].
    pub async fn roll_back(database: &Database, steps: u32) -> Result<()> {
        let connection = match database {
            Database::Postgres { url, .. } => {
                let options = quiet(PgConnectOptions::from_str(url)?);
                SqlxPostgresConnector::from_sqlx_postgres_pool(PgPool::connect_with(options).await?)
            }
            Database::Sqlite { path } => {
                SqlxSqliteConnector::from_sqlx_sqlite_pool(pool::sqlite(path, false, 1).await?)
            }
        };
        Ok(Migrator::down(&connection, Some(steps)).await?)
    }

    /// The clock everything here reads.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Encrypts secrets that have to be read again.
    #[must_use]
    pub fn sealing(&self) -> &Sealing {
        &self.0.sealing
    }

    /// Commits of tenants' changes in this process, from now on. For `live` and `jobs`.
    #[must_use]
    pub fn committed(&self) -> broadcast::Receiver<Committed> {
        self.0.committed.subscribe()
    }

    /// Whether the database answers, and serves under a role that row-level security binds.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not answer; [`Error::Internal`] when the role could see
    /// through the walls, or the schema is not the one this binary was made for.
    pub async fn check(&self) -> Result<()> {
        match &self.0.pool {
            Pool::Postgres { pool, .. } => {
                // One connection is enough, and the slowest part of a start.
                let mut connection = pool.acquire().await?;
                let exempt: bool = sqlx::query_scalar(
                    "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user",
                )
                .fetch_one(&mut *connection)
                .await?;
                if exempt {
                    return Err(Error::Internal(format!(
                        "the database role in use is exempt from row-level security; it must be {APPLICATION_ROLE} or one like it"
                    )));
                }
                let _: i64 = sqlx::query_scalar("SELECT count(*) FROM users WHERE false")
                    .fetch_one(&mut *connection)
                    .await?;
            }
            Pool::Sqlite { readers, .. } => {
                let _: i64 = sqlx::query_scalar("SELECT count(*) FROM users WHERE false")
                    .fetch_one(readers)
                    .await?;
            }
        }
        Ok(())
    }

    /// Waits for running transactions, up to the pools' own patience, and closes every connection.
    pub async fn close(&self) {
        match &self.0.pool {
            Pool::Postgres { pool, .. } => pool.close().await,
            Pool::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }

    pub(crate) fn end_session(&self, session: entity::identity::session::SessionId) {
        self.announce(Committed::SessionEnded(session.uuid()));
    }

    pub(super) fn announce(&self, committed: Committed) {
        // No receiver is no error: nobody follows the changes at present.
        let _ = self.0.committed.send(committed);
    }

    /// Begins a transaction: a read-only snapshot, or the right to write.
    pub(super) async fn begin(&self, binding: Binding, write: bool) -> Result<Transaction> {
        let turn = match &self.0.pool {
            Pool::Postgres { turns, .. } if write => Some(turn(turns.clone()).await?),
            _ => None,
        };
        let text = dialect::begin(self.backend(), binding, write);
        let begun = Transaction::begin(self.connection(write).await?, &text).await;
        let transaction = match begun {
            // A connection the server dropped while it idled: nothing ran, so try another.
            Err(sqlx::Error::Io(_) | sqlx::Error::Database(_)) => {
                Transaction::begin(self.connection(write).await?, &text).await
            }
            begun => begun,
        };
        Ok(transaction?.holding(turn))
    }

    /// Reads with one statement that needs no transaction: it sees one moment by itself.
    pub(super) async fn read(&self, sql: &str, values: Vec<Value>) -> Result<Option<QueryResult>> {
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        let read = async || {
            let alone = Transaction::none(self.connection(false).await?);
            Ok(alone.query_one_raw(statement.clone()).await?)
        };
        match read().await {
            // As above.
            Err(Error::Unavailable(_)) => read().await,
            read => read,
        }
    }

    /// Counts what people are denied, in this process.
    pub(crate) fn denials(&self) -> &Limits {
        &self.0.denials
    }

    /// Which of the two it is, for [`dialect`] alone.
    pub(super) fn backend(&self) -> DbBackend {
        self.0.backend
    }

    async fn connection(&self, write: bool) -> Result<Connection> {
        // On the heap: this future takes four kilobytes, which every one that reads would carry along,
        // and move from place to place.
        let acquire = Box::pin(async {
            Ok(match &self.0.pool {
                Pool::Postgres { pool, .. } => Connection::Postgres(pool.acquire().await?),
                Pool::Sqlite { writer, .. } if write => Connection::Sqlite(writer.acquire().await?),
                Pool::Sqlite { readers, .. } => Connection::Sqlite(readers.acquire().await?),
            })
        });
        acquire.await
    }
}

async fn turn(turns: Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    let turn = tokio::time::timeout(ACQUIRE_WRITER, turns.acquire_owned()).await;
    turn.ok()
        .and_then(Result::ok)
        .ok_or(Error::Unavailable("The database is busy."))
}
