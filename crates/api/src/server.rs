//! One running instance: everything that is started together and stopped together.

use std::{
    net::SocketAddr,
    sync::OnceLock,
    time::{Duration, Instant},
};

use axum::{Router, extract::Request, middleware::Next, response::Response};
use domain::{Clock, Db, identity::Passwords, jobs::Worker, live};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    configuration::Configuration,
    http::{self, Settings},
    pages::{self, Pages},
    service::Service,
};

/// Sockets, streams and mutations under way may take this long to end.
const DRAIN: Duration = Duration::from_secs(10);
/// Bytes of a request body: an import's 16 MiB in base64, and a little.
const LARGEST_BODY: usize = 23 * 1024 * 1024;

/// Why an instance could not be started.
pub type StartError = Box<dyn std::error::Error + Send + Sync>;

/// A running instance.
pub struct Server {
    address: SocketAddr,
    db: Db,
    hub: live::Hub,
    stop: CancellationToken,
    tasks: TaskTracker,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Starts an instance on a migrated database.
    ///
    /// # Errors
    /// The database is away, its schema or role is not right, Redis's URL is none, or the address
    /// is taken.
    pub async fn start(configuration: &Configuration, clock: Clock) -> Result<Self, StartError> {
        let metrics = metrics()?;
        let db = Db::open(&configuration.database, clock).await?;
        db.check().await.map_err(|error| match error {
            domain::Error::Internal(text) => {
                format!("the database is not ready: {text}. Is it migrated? See rollcall migrate")
            }
            other => other.to_string(),
        })?;
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let hub = live::Hub::start(&db, stop.clone());
        if let Some(url) = &configuration.redis_url {
            live::wake::start(url, &db, &hub, stop.clone())?;
        }
        if configuration.worker {
            tasks.spawn(Worker::new(&db).run(stop.clone()));
        }
        let service = Service::new(
            &db,
            Passwords::new(configuration.password_profile)?,
            hub.clone(),
        );
        let settings = Settings {
            allowed_origins: configuration.allowed_origins.clone(),
            secure_cookies: configuration.secure,
            trusted_proxy: configuration.trusted_proxy,
            max_body: LARGEST_BODY,
            shutdown: stop.clone(),
            tasks: tasks.clone(),
            ..Settings::default()
        };
        let router = http::router(service, settings)
            .merge(pages::router(Pages {
                db: db.clone(),
                metrics,
                stopping: stop.clone(),
            }))
            .layer(axum::middleware::from_fn(measure));
        let listener = TcpListener::bind(configuration.listen)
            .await
            .map_err(|error| {
                format!(
                    "ROLLCALL_LISTEN: {} cannot be listened on: {error}",
                    configuration.listen
                )
            })?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(serve(listener, router, stop.clone()));
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

async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
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
