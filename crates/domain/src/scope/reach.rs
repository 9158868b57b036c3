//! Whether a database can be reached at all, for whoever runs the machine: drivers' texts and all,
//! and never the password.

use std::{fs::File, io::ErrorKind, path::Path, str::FromStr, time::Duration};

use migration::{Migrator, MigratorTrait};
use sqlx::{
    ConnectOptions, Connection,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteConnection},
};

use super::Database;

/// A server that does not answer within this is away.
const PATIENCE: Duration = Duration::from_secs(5);
const APPLIED: &str = "SELECT count(*) FROM seaql_migrations";
/// What PostgreSQL calls a table that is not there, and one that may not be read.
const UNDEFINED_TABLE: &str = "42P01";
const INSUFFICIENT_PRIVILEGE: &str = "42501";

impl Database {
    /// Which database, and where, without its password.
    #[must_use]
    pub fn in_words(&self) -> String {
        let url = match self {
            Self::Sqlite { path } => return format!("SQLite file {}", path.display()),
            Self::Postgres { url, .. } => url,
        };
        let Ok(options) = PgConnectOptions::from_str(url) else {
            return "PostgreSQL".to_owned();
        };
        let port = match options.get_port() {
            5432 => String::new(),
            port => format!(":{port}"),
        };
        format!(
            "PostgreSQL {}{port}/{}",
            options.get_host(),
            options.get_database().unwrap_or_default()
        )
    }

    /// How many changes of the schema are still to be made; none too where the login may not look.
    /// Makes nothing, not even an empty file.
    ///
    /// # Errors
    /// Why the database cannot be used, for the operator.
    pub async fn pending(&self) -> Result<usize, String> {
        let all = Migrator::migrations().len();
        let applied = match self {
            Self::Postgres { url, .. } => applied_on_postgres(url, all).await?,
            Self::Sqlite { path } => applied_on_sqlite(path).await?,
        };
        Ok(all.saturating_sub(applied))
    }
}

async fn applied_on_postgres(url: &str, all: usize) -> Result<usize, String> {
    let options = PgConnectOptions::from_str(url).map_err(|error| error.to_string())?;
    let asking = async {
        let mut connection = options.connect().await?;
        let applied = sqlx::query_scalar(APPLIED).fetch_one(&mut connection).await;
        let _ = connection.close().await;
        applied
    };
    let Ok(asked) = tokio::time::timeout(PATIENCE, asking).await else {
        return Err(format!("no answer within {} seconds", PATIENCE.as_secs()));
    };
    let refused = |error: &sqlx::Error, code: &str| {
        let database = error.as_database_error();
        database
            .and_then(sqlx::error::DatabaseError::code)
            .as_deref()
            == Some(code)
    };
    match asked {
        Err(error) if refused(&error, UNDEFINED_TABLE) => Ok(0),
        Err(error) if refused(&error, INSUFFICIENT_PRIVILEGE) => Ok(all),
        other => count(other),
    }
}

async fn applied_on_sqlite(path: &Path) -> Result<usize, String> {
    // SQLite would fall back to reading a file that it may not write.
    match File::options().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error.to_string()),
        Ok(_) => {}
    }
    let options = SqliteConnectOptions::new().filename(path);
    let asking = async {
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let tables: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM sqlite_master WHERE name = 'seaql_migrations'",
        )
        .fetch_one(&mut connection)
        .await?;
        let applied = if tables == 0 {
            Ok(0)
        } else {
            sqlx::query_scalar(APPLIED).fetch_one(&mut connection).await
        };
        let _ = connection.close().await;
        applied
    };
    count(asking.await)
}

fn count(answer: Result<i64, sqlx::Error>) -> Result<usize, String> {
    match answer {
        Ok(applied) => Ok(usize::try_from(applied).unwrap_or_default()),
        Err(sqlx::Error::Database(error)) => Err(error.message().to_owned()),
        Err(sqlx::Error::Io(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
