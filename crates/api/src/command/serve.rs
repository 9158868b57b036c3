//! `rollcall serve` and `rollcall worker`.

use domain::{Clock, Database, Db, jobs::Worker};
use tokio_util::sync::CancellationToken;

use crate::{
    configuration::Configuration,
    server::{Server, StartError},
};

/// Serves until it is told to stop. The embedded database is migrated first; a PostgreSQL server
/// is not, because several instances share it.
///
/// # Errors
/// What keeps the instance from starting.
pub async fn serve(configuration: &Configuration) -> Result<(), StartError> {
    announce(configuration);
    if let Database::Sqlite { path } = &configuration.database {
        create_directory(path)?;
        Db::migrate(&configuration.database).await?;
    }
    let server = Server::start(configuration, Clock::system()).await?;
    tracing::info!(address = %server.address(), "server.listening");
    stop_signal().await;
    tracing::info!("server.stopping");
    server.stop().await;
    Ok(())
}

/// Carries out jobs until it is told to stop.
///
/// # Errors
/// The database is away or not migrated.
pub async fn worker(configuration: &Configuration) -> Result<(), StartError> {
    announce(configuration);
    let db = Db::open(&configuration.database, Clock::system()).await?;
    db.check().await?;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(Worker::new(&db).run(stop.clone()));
    stop_signal().await;
    stop.cancel();
    worker.await?;
    db.close().await;
    Ok(())
}

/// The first line of the log: nobody should find out later that it was the wrong database.
pub(super) fn announce(configuration: &Configuration) {
    tracing::info!(
        database = configuration.database_in_words(),
        redis = configuration.redis_url.is_some(),
        version = env!("CARGO_PKG_VERSION"),
        "rollcall.starting"
    );
}

pub(super) fn create_directory(file: &std::path::Path) -> Result<(), StartError> {
    match file.parent() {
        Some(directory) => Ok(std::fs::create_dir_all(directory).map_err(|error| {
            format!(
                "ROLLCALL_DATA: {} cannot be made: {error}",
                directory.display()
            )
        })?),
        None => Ok(()),
    }
}

/// Waits for SIGTERM or Ctrl-C. A second one ends the process at once.
pub(super) async fn stop_signal() {
    signal().await;
    tokio::spawn(async {
        signal().await;
        std::process::exit(130);
    });
}

async fn signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                () = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    interrupt.await;
}
