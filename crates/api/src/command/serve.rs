//! `rollcall serve` and `rollcall worker`.

use std::path::Path;

use domain::{
    Clock, Database,
    jobs::{Mailer, Scheduler, Worker},
};
use tokio_util::sync::CancellationToken;

use super::stop::Stop;
use crate::{
    configuration::Configuration,
    mail,
    server::{self, Server, StartError},
};

/// Serves until it is told to stop. The embedded database is migrated first; a PostgreSQL server
/// is not, because several instances share it.
///
/// # Errors
/// What keeps the instance from starting.
pub async fn serve(configuration: &Configuration) -> Result<(), StartError> {
    announce(configuration);
    if configuration.mail.is_none() {
        tracing::warn!(
            "mails wait until they can be sent: set ROLLCALL_SMTP_URL and ROLLCALL_MAIL_FROM, here or for a worker"
        );
    }
    let address = server::bind(configuration)?;
    if let Database::Sqlite { .. } = &configuration.database {
        create_directory(configuration)?;
        server::migrate(configuration).await?;
    }
    let stop = Stop::new()?;
    let server = Server::start_at(address, configuration, Clock::system()).await?;
    tracing::info!(address = %server.address(), "server.listening");
    stop.asked().await;
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
    let stop = Stop::new()?;
    let db = server::open(configuration, Clock::system()).await?;
    let stopping = CancellationToken::new();
    let worker = tokio::spawn(Worker::new(&db).run(stopping.clone()));
    let scheduler = tokio::spawn(Scheduler::new(&db).run(stopping.clone()));
    let mailer = match &configuration.mail {
        // Kept in this process's memory, where nobody would see them.
        None | Some(mail::Settings::Outbox) => None,
        Some(settings) => {
            let url = server::public_url(configuration, configuration.listen);
            let mailer = Mailer::new(&db, settings.open()?, url);
            Some(tokio::spawn(mailer.run(stopping.clone())))
        }
    };
    tracing::info!("worker.working");
    stop.asked().await;
    tracing::info!("worker.stopping");
    stopping.cancel();
    worker.await?;
    scheduler.await?;
    if let Some(mailer) = mailer {
        mailer.await?;
    }
    db.close().await;
    Ok(())
}

/// The first line of the log: nobody should find out later that it was the wrong database.
pub(super) fn announce(configuration: &Configuration) {
    tracing::info!(
        database = configuration.database.in_words(),
        redis = configuration.redis_url.is_some(),
        mail = configuration
            .mail
            .as_ref()
            .map_or("none", mail::Settings::in_words),
        version = env!("CARGO_PKG_VERSION"),
        "rollcall.starting"
    );
}

/// Makes the directory of data. The directory of a file that was given is not ours to make: it
/// may be a typing error, or a disk that is not mounted.
pub(super) fn create_directory(configuration: &Configuration) -> Result<(), StartError> {
    let Database::Sqlite { path } = &configuration.database else {
        return Ok(());
    };
    let Some(directory) = path.parent().filter(|parent| *parent != Path::new("")) else {
        return Ok(());
    };
    if configuration.database_given && !directory.is_dir() {
        let directory = directory.display();
        return Err(
            format!("DATABASE_URL: there is no directory {directory}. Make it first.").into(),
        );
    }
    std::fs::create_dir_all(directory).map_err(|error| {
        format!(
            "ROLLCALL_DATA: {} cannot be made: {error}",
            directory.display()
        )
        .into()
    })
}
