//! What is done without anybody asking.

mod cleanup;
mod schedule;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::{Clock, Db, jobs::Scheduler};

use crate::harness::{App, Backend, TestDatabase, configuration};

/// No instance does what is due by itself, so that a test can.
pub const IDLE: (&str, &str) = ("ROLLCALL_WORKER", "false");
/// How many tasks there are.
pub const TASKS: usize = 8;

/// As long ago as anything here happens: PostgreSQL goes by its own clock when it keeps entries of the
/// audit log.
pub fn long_ago() -> DateTime<Utc> {
    Clock::system().now() - TimeDelta::days(800)
}

/// An instance of its own of what does what is due.
pub struct Instance {
    pub db: Db,
    pub scheduler: Scheduler,
}

impl Instance {
    pub async fn of(app: &App) -> Self {
        let database = configuration(&app.database, &[]).database;
        let db = Db::open(&database, app.clock.clone()).await;
        let db = db.expect("the database");
        let scheduler = Scheduler::new(&db);
        Self { db, scheduler }
    }

    /// Does what is due, and says how many tasks that were.
    pub async fn work(&self) -> usize {
        self.scheduler.work().await.expect("the database")
    }

    /// The same once so much time has passed since everything was planned.
    pub async fn work_after(&self, app: &App, time: TimeDelta) -> usize {
        self.work().await;
        app.clock.set(app.clock.now() + time);
        self.work().await
    }
}

/// An instant as a literal of either database.
pub fn instant(database: &TestDatabase, at: DateTime<Utc>) -> String {
    let text = at.to_rfc3339_opts(SecondsFormat::AutoSi, false);
    match database.backend() {
        Backend::Sqlite => format!("'{text}'"),
        Backend::Postgres => format!("'{text}'::timestamptz"),
    }
}

/// A new id, and an empty object, as expressions of a database.
pub fn words(database: &TestDatabase) -> (&'static str, &'static str) {
    match database.backend() {
        Backend::Sqlite => ("randomblob(16)", "'{}'"),
        Backend::Postgres => ("gen_random_uuid()", "'{}'::jsonb"),
    }
}
