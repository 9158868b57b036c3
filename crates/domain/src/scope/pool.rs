//! The pools that reach a database, and what each connection is told first.

use std::{path::Path, str::FromStr, time::Duration};

use migration::APPLICATION_ROLE;
use sqlx::{
    ConnectOptions, Connection as _, PgPool, SqlitePool,
    pool::PoolOptions,
    postgres::{PgConnectOptions, PgConnection},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::socket;
use crate::{Error, Result};

/// How long a request waits for a connection before it is told that the database is busy.
pub(super) const ACQUIRE: Duration = Duration::from_secs(2);
/// The same for the right to write, where waiting in line is the normal case.
pub(super) const ACQUIRE_WRITER: Duration = Duration::from_secs(10);
/// A connection idle for longer is asked for a sign of life before it is used.
const PING_AFTER: Duration = Duration::from_millis(500);

/// The pool of a server, whose connections are made on first use.
pub(super) fn postgres(url: &str, connections: u32) -> Result<PgPool> {
    let options = quiet(PgConnectOptions::from_str(url)?)
        .application_name("rollcall")
        .options([
            ("role", APPLICATION_ROLE),
            ("statement_timeout", "10s"),
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "10s"),
            ("client_min_messages", "error"),
            ("jit", "off"),
            // Times that PostgreSQL writes into JSON are read as UTC.
            ("TimeZone", "UTC"),
        ]);
    Ok(PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .after_connect(|_, _| {
            socket::send_at_once();
            Box::pin(std::future::ready(Ok(())))
        })
        .before_acquire(|connection: &mut PgConnection, about| {
            Box::pin(async move {
                if about.idle_for > PING_AFTER {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options))
}

/// A statement that took a second is the metrics' business: its text would fill the log.
pub(super) fn quiet<O: ConnectOptions>(options: O) -> O {
    options.log_slow_statements(log::LevelFilter::Off, Duration::MAX)
}

/// Makes the file unless it is there. It holds people's addresses, so it is its owner's alone, as
/// are the files that SQLite makes beside it.
fn create(path: &Path) -> Result<()> {
    let mut options = std::fs::File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = options.open(path);
    made.map(drop)
        .map_err(|error| Error::Internal(format!("{}: {error}", path.display())))
}

/// A pool of the embedded file, whose connections are made at once.
pub(super) async fn sqlite(path: &Path, read_only: bool, connections: u32) -> Result<SqlitePool> {
    create(path)?;
    let options = quiet(SqliteConnectOptions::new())
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // Survives power loss: every commit reaches the disk.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("query_only", if read_only { "on" } else { "off" });
    Ok(PoolOptions::new()
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(if read_only { ACQUIRE } else { ACQUIRE_WRITER })
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await?)
}
