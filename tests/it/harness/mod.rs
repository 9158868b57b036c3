//! What every test stands on: the whole application on a port of its own, with a database of its
//! own, and clients that speak to it as anybody would.

pub mod authenticator;
pub mod browser;
pub mod chain;
pub mod client;
pub mod database;
pub mod door;
pub mod evening;
pub mod invariants;
pub mod listener;
pub mod machine;
pub mod mail;
pub mod mutation;
pub mod node;
pub mod people;
pub mod process;
pub mod provider;
pub mod rows;
pub mod services;
pub mod socket;

use api::{configuration::Configuration, server::Server};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Clock;

pub use client::{Answer, Client};
pub use database::{Backend, TestDatabase};

/// Declares tests that run on each database: `on_each_database!(name, ...)` makes
/// `sqlite::name` and `postgres::name` from an `async fn name(app: App)`.
/// `on_each_database!(at INSTANT; name, ...)` does so under a clock that stands there until set.
macro_rules! on_each_database {
    (at $instant:expr; $($name:ident),+ $(,)?) => {
        $crate::harness::on_each_database!(@ domain::Clock::fixed($instant); $($name),+);
    };
    ($($name:ident),+ $(,)?) => {
        $crate::harness::on_each_database!(@ domain::Clock::system(); $($name),+);
    };
    (@ $clock:expr; $($name:ident),+) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    let app = $crate::harness::App::start_at($crate::harness::Backend::Sqlite, $clock).await;
                    super::$name(app.expect("SQLite needs nothing")).await;
                }
            )+
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    if let Some(app) = $crate::harness::App::start_at($crate::harness::Backend::Postgres, $clock).await {
                        super::$name(app).await;
                    }
                }
            )+
        }
    };
}
pub(crate) use on_each_database;

/// A running instance in this process.
pub struct App {
    /// Its address.
    pub url: String,
    /// Its clock: the machine's, unless the test was started with a fixed one.
    pub clock: Clock,
    /// Its database, dropped with it.
    pub database: TestDatabase,
    server: Option<Server>,
}

impl App {
    /// Starts an instance on a new database; none where there is no such database.
    pub async fn start(backend: Backend) -> Option<Self> {
        Self::start_at(backend, Clock::system()).await
    }

    /// The same under a given clock.
    pub async fn start_at(backend: Backend, clock: Clock) -> Option<Self> {
        let database = TestDatabase::create(backend).await?;
        Some(Self::start_on(database, clock).await)
    }

    /// The same on a database that is there.
    pub async fn start_on(database: TestDatabase, clock: Clock) -> Self {
        Self::start_with(database, clock, &[]).await
    }

    /// The same under a configuration of its own.
    pub async fn start_with(
        database: TestDatabase,
        clock: Clock,
        variables: &[(&str, &str)],
    ) -> Self {
        let server = Server::start(&configuration(&database, variables), clock.clone())
            .await
            .expect("the server starts");
        Self {
            url: format!("http://{}", server.address()),
            clock,
            database,
            server: Some(server),
        }
    }

    /// Stops the instance and starts another on the same database, under the same clock, once
    /// `meanwhile` has happened.
    pub async fn restart_after(mut self, meanwhile: impl FnOnce()) -> Self {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        meanwhile();
        Self::start_on(self.database, self.clock).await
    }

    /// Stops the instance and starts another on the same database, under a configuration of its own.
    pub async fn with(mut self, variables: &[(&str, &str)]) -> Self {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
        Self::start_with(self.database, self.clock, variables).await
    }

    /// Starts a second instance beside this one, on the same database.
    pub async fn beside(&self, variables: &[(&str, &str)]) -> Server {
        Server::start(
            &configuration(&self.database, variables),
            self.clock.clone(),
        )
        .await
        .expect("the server starts")
    }

    /// A client that has not signed in.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.url)
    }

    /// Stops the instance and waits for it.
    pub async fn stop(mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }
}

/// The configuration of an instance on `database`, on any free port.
pub fn configuration(database: &TestDatabase, variables: &[(&str, &str)]) -> Configuration {
    let mut all = std::collections::BTreeMap::from([
        ("DATABASE_URL".to_owned(), database.url()),
        ("ROLLCALL_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
        // Everybody comes from one address here.
        ("ROLLCALL_RATE_LIMITS".to_owned(), "off".to_owned()),
        ("ROLLCALL_OIDC_PROVIDERS".to_owned(), provider::sample()),
        ("ROLLCALL_SECRET_KEYS".to_owned(), secret_key("tests", 1)),
    ]);
    all.extend(
        variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    Configuration::from_variables(all).expect("a configuration")
}

/// A key of this id, of thirty-two times the same byte.
pub fn secret_key(id: &str, byte: u8) -> String {
    format!("{id}:{}", STANDARD.encode([byte; 32]))
}
