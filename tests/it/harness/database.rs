//! A database for each test: a copied file, or a copy of a migrated template.

use std::{
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use domain::{Database, Db};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::services::PostgresServer;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// A migrated, empty database of a test's own, removed with it.
pub struct TestDatabase {
    backend: Backend,
    url: String,
    directory: Option<TempDir>,
    /// Whether it is on the server that all tests share, which outlives it.
    shared: bool,
}

impl TestDatabase {
    /// Makes one on a server of the test's own, with which it goes.
    pub async fn on(server: &PostgresServer) -> Self {
        let url = server.database("rollcall").await;
        let database = Database::Postgres {
            url: url.clone(),
            connections: 2,
        };
        Db::migrate(&database).await.expect("a migrated database");
        Self {
            backend: Backend::Postgres,
            url,
            directory: None,
            shared: false,
        }
    }

    /// Makes one; none where there is no such server.
    pub async fn create(backend: Backend) -> Option<Self> {
        match backend {
            Backend::Sqlite => {
                let directory = tempfile::tempdir().expect("a temporary directory");
                let file = directory.path().join("rollcall.db");
                std::fs::copy(sqlite_template().await, &file).expect("a copy of the template");
                Some(Self {
                    backend,
                    url: format!("sqlite:{}", file.display()),
                    directory: Some(directory),
                    shared: false,
                })
            }
            Backend::Postgres => {
                let template = postgres_template().await?;
                let name = unique();
                let mut connection = admin().await?;
                let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
                connection
                    .execute(AssertSqlSafe(create))
                    .await
                    .expect("a copy of the template");
                Some(Self {
                    backend,
                    url: with_name(&admin_url(), &name),
                    directory: None,
                    shared: true,
                })
            }
        }
    }

    /// Which kind it is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Its `DATABASE_URL`.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Its file, on SQLite.
    pub fn file(&self) -> Option<PathBuf> {
        self.directory
            .as_ref()
            .map(|directory| directory.path().join("rollcall.db"))
    }

    /// Runs a query of a test's own as the database's owner, past every wall, and gives the first
    /// column of its rows as text.
    pub async fn look(&self, sql: &str) -> Vec<String> {
        match self.backend {
            Backend::Sqlite => {
                let path = self.url.trim_start_matches("sqlite:");
                let mut connection = SqliteConnection::connect(&format!("sqlite://{path}"))
                    .await
                    .expect("the file");
                let rows: Vec<Option<String>> = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
                    .fetch_all(&mut connection)
                    .await
                    .expect(sql);
                rows.into_iter().map(Option::unwrap_or_default).collect()
            }
            Backend::Postgres => {
                let mut connection = PgConnection::connect(&self.url)
                    .await
                    .expect("the database");
                let rows: Vec<Option<String>> = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
                    .fetch_all(&mut connection)
                    .await
                    .expect(sql);
                rows.into_iter().map(Option::unwrap_or_default).collect()
            }
        }
    }

    /// The same for one number.
    pub async fn number(&self, sql: &str) -> i64 {
        let wrapped = format!("SELECT CAST(({sql}) AS text)");
        self.look(&wrapped)
            .await
            .first()
            .and_then(|text| text.parse().ok())
            .expect(sql)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.shared {
            let name = self.url.rsplit('/').next().unwrap_or_default().to_owned();
            // In a thread of its own: a destructor cannot wait, and the test's runtime may be gone.
            let _ = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime");
                runtime.block_on(async {
                    if let Some(mut connection) = admin().await {
                        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                        let _ = connection.execute(AssertSqlSafe(drop)).await;
                    }
                });
            })
            .join();
        }
    }
}

/// The URL of a login that may create databases.
pub fn admin_url() -> String {
    #[expect(clippy::disallowed_methods, reason = "the tests' own configuration")]
    std::env::var("TEST_DATABASE_URL")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned())
}

/// A connection as that login; none, said once, where there is no server.
async fn admin() -> Option<PgConnection> {
    match PgConnection::connect(&admin_url()).await {
        Ok(connection) => Some(connection),
        Err(error) => {
            super::node::missing("PostgreSQL", &format!("{error} (set TEST_DATABASE_URL)"));
            None
        }
    }
}

async fn sqlite_template() -> &'static PathBuf {
    static TEMPLATE: OnceCell<(TempDir, PathBuf)> = OnceCell::const_new();
    let (_, path) = TEMPLATE
        .get_or_init(|| async {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let path = directory.path().join("template.db");
            Db::migrate(&Database::Sqlite { path: path.clone() })
                .await
                .expect("a migrated file");
            (directory, path)
        })
        .await;
    path
}

/// One template a run. A database named after the run says in whose life it belongs, and a
/// connection of the same name that the run lives: the first test of another run removes the rest.
async fn postgres_template() -> Option<&'static str> {
    static TEMPLATE: OnceCell<Option<(String, Mutex<PgConnection>)>> = OnceCell::const_new();
    let template = TEMPLATE.get_or_init(|| async {
        let mut connection = admin().await?;
        let stale: Vec<String> = sqlx::query_scalar(
            "SELECT datname FROM pg_database WHERE datname LIKE 'rollcall_test_%' AND NOT EXISTS (
                 SELECT 1 FROM pg_stat_activity WHERE pg_stat_activity.datname = pg_database.datname
                     OR starts_with(pg_database.datname, application_name || '_') AND application_name LIKE 'rollcall_test_%')",
        )
        .fetch_all(&mut connection)
        .await
        .expect("the catalog");
        for name in stale {
            let drop = format!("DROP DATABASE IF EXISTS {name}");
            let _ = connection.execute(AssertSqlSafe(drop)).await;
        }
        let name = unique();
        for statement in [
            format!("SET application_name = 'rollcall_test_{}'", std::process::id()),
            format!("CREATE DATABASE {name}"),
        ] {
            connection.execute(AssertSqlSafe(statement)).await.expect("a database");
        }
        let url = with_name(&admin_url(), &name);
        Db::migrate(&Database::Postgres { url, connections: 2 }).await.expect("a migrated database");
        Some((name, Mutex::new(connection)))
    });
    template.await.as_ref().map(|(name, _)| name.as_str())
}

fn unique() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!(
        "rollcall_test_{}_{}",
        std::process::id(),
        NUMBER.fetch_add(1, Ordering::Relaxed)
    )
}

fn with_name(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').expect("a URL with a database's name");
    format!("{server}/{name}")
}
