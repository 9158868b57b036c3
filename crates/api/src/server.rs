//! One running instance: everything that is started together and stopped together.

use std::{
    net::SocketAddr,
    sync::OnceLock,
    time::{Duration, Instant},
};

use axum::{Router, extract::Request, middleware::Next, response::Response};
use domain::{
    Clock, Database, Db, Error, Limits,
    identity::Passwords,
    jobs::{Mailer, Scheduler, Worker},
    live,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{net::TcpSocket, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    accept,
    configuration::Configuration,
    http::{self, Settings},
    identity::{callback, provider::Providers},
    mail::{self, Transport, outbox},
    pages::{self, Pages},
    service::Service,
};

/// Sockets, streams and mutations under way may take this long to end.
const DRAIN: Duration = Duration::from_secs(10);
/// Bytes of a request body: an import's 16 MiB in base64, and a little.
const LARGEST_BODY: usize = 23 * 1024 * 1024;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Why an instance could not be started.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// A running instance.
pub struct Server {
    address: SocketAddr,
    db: Db,
    hub: live::Hub,
    stop: CancellationToken,
    tasks: TaskTracker,
    serving: JoinHandle<()>,
}

impl Server {
    /// Starts an instance on a migrated database.
    ///
    /// # Errors
    /// The database is away, its schema or role is not right, Redis's URL is none, or the address
    /// is taken.
    pub async fn start(configuration: &Configuration, clock: Clock) -> Result<Self, StartError> {
        Self::start_at(bind(configuration)?, configuration, clock).await
    }

    /// The same at an address that was bound before.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_at(
        socket: TcpSocket,
        configuration: &Configuration,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let metrics = metrics()?;
        let db = open(configuration, clock).await?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let hub = live::Hub::start(&db, stop.clone());
        if let Some(url) = &configuration.redis_url {
            live::wake::start(url, &db, &hub, stop.clone())?;
        }
        if configuration.worker {
            tasks.spawn(Worker::new(&db).run(stop.clone()));
            tasks.spawn(Scheduler::new(&db).run(stop.clone()));
        }
        let service = Service::new(
            &db,
            Passwords::new(configuration.password_profile)?,
            limits(configuration, db.clock())?,
            Providers::new(
                &configuration.providers,
                &public_url(configuration, socket.local_addr()?),
                &configuration.allowed_origins,
            )?,
            hub.clone(),
        );
        let settings = Settings {
            public_origin: configuration.public_origin.clone(),
            allowed_origins: configuration.allowed_origins.clone(),
            secure_cookies: configuration.secure,
            trusted_proxy: configuration.trusted_proxy,
            max_body: LARGEST_BODY,
            shutdown: stop.clone(),
            tasks: tasks.clone(),
            ..Settings::default()
        };
        let transport = configuration.mail.as_ref().map(mail::Settings::open);
        let transport = transport.transpose()?;
        let shown = match &transport {
            Some(Transport::Outbox(outbox)) => outbox::router(outbox.clone()),
            _ => Router::new(),
        };
        let router = http::router(service.clone(), settings.clone())
            .merge(callback::router(service, settings))
            .merge(shown)
            .merge(pages::router(Pages {
                db: db.clone(),
                metrics,
                stopping: stop.clone(),
            }))
            .layer(axum::middleware::from_fn(measure));
        let listener = socket
            .listen(BACKLOG)
            .map_err(|error| unlistenable(configuration, &error))?;
        let address = listener.local_addr()?;
        if let Some(transport) = transport
            && configuration.worker
        {
            let mailer = Mailer::new(&db, transport, public_url(configuration, address));
            tasks.spawn(mailer.run(stop.clone()));
        }
        let serving = tokio::spawn(accept::serve(listener, router, stop.clone()));
        Ok(Self {
            address,
            db,
            hub,
            stop,
            tasks,
            serving,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The database in use.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Stops taking requests, lets what is under way end, and closes the database. Sockets are
    /// closed with a code that tells clients to connect again.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        let drained = async {
            self.tasks.wait().await;
            self.hub.close().await;
            // Ends by itself once every connection is idle.
            let _ = self.serving.await;
        };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!(seconds = DRAIN.as_secs(), "server.drain.cut_short");
        }
        self.db.close().await;
    }
}

/// Takes the address, on which nothing is accepted yet: that it is taken should be known before
/// anything else is done.
///
/// # Errors
/// The address is taken, or not ours to take.
pub fn bind(configuration: &Configuration) -> Result<TcpSocket, StartError> {
    let bound = || {
        let socket = match configuration.listen {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        // Or the address would be taken for a while after a stop. On Windows it means another thing.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(configuration.listen)?;
        Ok(socket)
    };
    bound().map_err(|error| unlistenable(configuration, &error))
}

/// Where the links of mails lead to: what was said, or the address that is listened on.
#[must_use]
pub fn public_url(configuration: &Configuration, address: SocketAddr) -> String {
    let said = configuration.public_origin.clone();
    said.unwrap_or_else(|| format!("http://{address}"))
}

fn unlistenable(configuration: &Configuration, error: &std::io::Error) -> StartError {
    let address = configuration.listen;
    format!("ROLLCALL_LISTEN: {address} cannot be listened on: {error}").into()
}

/// Opens a database that is migrated, under a role that row-level security binds.
///
/// # Errors
/// What is wrong with it, for whoever runs the machine.
pub async fn open(configuration: &Configuration, clock: Clock) -> Result<Db, StartError> {
    if pending(configuration).await? > 0 {
        let database = configuration.database.in_words();
        return Err(format!("{database} is not migrated. Run rollcall migrate first.").into());
    }
    let opened = async {
        let db = Db::open_with(
            &configuration.database,
            clock,
            configuration.secret_keys.clone(),
        )
        .await?;
        db.check().await?;
        Ok(db)
    };
    opened
        .await
        .map_err(|error| unusable(configuration, &error))
}

/// Makes the changes of the schema that are still to be made, and says how many there were.
///
/// # Errors
/// As [`open`].
pub async fn migrate(configuration: &Configuration) -> Result<usize, StartError> {
    pending(configuration).await?;
    let migrated = Db::migrate(&configuration.database).await;
    migrated.map_err(|error| unusable(configuration, &error))
}

/// How many changes of the schema are still to be made.
///
/// # Errors
/// The database cannot be reached.
pub async fn pending(configuration: &Configuration) -> Result<usize, StartError> {
    let pending = configuration.database.pending().await;
    pending.map_err(|cause| unusable(configuration, &Error::Internal(cause)))
}

/// What keeps a database from being used, under the variable that names it, with the cause that
/// clients are never told.
#[must_use]
pub fn unusable(configuration: &Configuration, error: &Error) -> StartError {
    let variable = match &configuration.database {
        Database::Sqlite { .. } if !configuration.database_given => "ROLLCALL_DATA",
        _ => "DATABASE_URL",
    };
    let database = configuration.database.in_words();
    format!("{variable}: {database} cannot be used: {}", cause(error)).into()
}

/// What went wrong, for whoever runs the machine.
#[must_use]
pub fn cause(error: &Error) -> String {
    match error {
        Error::Internal(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The limits of an instance, which are on unless told otherwise.
fn limits(configuration: &Configuration, clock: &Clock) -> Result<Limits, StartError> {
    if configuration.rate_limits == Some(false) {
        return Ok(Limits::off());
    }
    Ok(Limits::new(
        clock.clone(),
        configuration.redis_url.as_deref(),
    )?)
}

/// Counts requests and their time by path and status. Paths are ours or `other`, so that a scanner
/// cannot make metrics without end.
async fn measure(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let path = match request.uri().path() {
        "/graphql" => "/graphql",
        "/" => "/",
        "/metrics" => "/metrics",
        "/healthz" | "/readyz" => "/health",
        _ => "other",
    };
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("rollcall_http_requests_total", "path" => path, "status" => status)
        .increment(1);
    metrics::histogram!("rollcall_http_request_seconds", "path" => path)
        .record(started.elapsed().as_secs_f64());
    response
}

/// The process's one recorder, whoever starts first.
fn metrics() -> Result<PrometheusHandle, StartError> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new()
        .set_buckets(&[
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
        ])?
        .build_recorder();
    let handle = recorder.handle();
    let handle = RECORDER.get_or_init(|| handle);
    // Refused only if another start in this process was faster; its recorder is the one in use.
    let _ = metrics::set_global_recorder(recorder);
    Ok(handle.clone())
}
