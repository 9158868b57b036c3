//! GraphQL over HTTP: requests, event streams and sockets, all on one path.
//!
//! The library's own integration fails a quarter of the GraphQL-over-HTTP audits, runs mutations
//! that any web page can forge, and bounds nothing; this layer stands in for it. It knows nothing
//! of the schema: it asks a [`Service`].

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Response, ServerError};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::routing::any;
use futures_util::Stream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::guard::Operation;

mod answer;
mod credential;
mod negotiation;
mod origin;
mod parameters;
mod rejection;
mod request;
mod socket;
mod stream;

pub use answer::encode;
pub use credential::{browser_cookie, session_cookie};

/// The path of everything in this module.
pub const PATH: &str = "/graphql";

/// One answer of a subscription.
pub enum Told {
    /// This subscriber's own.
    Own(Box<Response>),
    /// What others are told too, written down by [`encode`] once for all.
    Shared(Bytes),
}

/// What the HTTP layer asks of the service behind it.
pub trait Service: Clone + Send + Sync + 'static {
    /// Answers one query or mutation. Never panics; errors are in the response, and its
    /// `http_headers` reach the client (a session cookie is set this way).
    fn execute(
        &self,
        credential: Credential,
        operation: Operation,
    ) -> impl Future<Output = Response> + Send;

    /// Answers one subscription: a stream of answers of at most `max_response` bytes, ended by the
    /// service when the right to read them ends.
    fn subscribe(
        &self,
        credential: Credential,
        operation: Operation,
        max_response: usize,
    ) -> impl Stream<Item = Told> + Send + 'static;

    /// Decides whether a socket may be used with this credential.
    ///
    /// # Errors
    /// The reason to refuse, which the client sees when its socket is closed with 4403.
    fn connect(
        &self,
        credential: &Credential,
    ) -> impl Future<Output = Result<(), ServerError>> + Send;

    /// The status of an answer without data whose first error has this code. `None` leaves it to
    /// the media type: 400 for `application/graphql-response+json`, 200 for `application/json`.
    fn status(code: &str) -> Option<StatusCode>;
}

/// Who asks, as far as the request says; nothing of it is verified yet.
#[derive(Clone)]
pub struct Credential {
    /// The token of `Authorization: Bearer`; empty, which no token is, for any other value.
    pub bearer: Option<String>,
    /// The value of the session cookie.
    pub cookie: Option<String>,
    /// The value of the cookie that binds a sign-in at a provider to the browser.
    pub browser: Option<String>,
    /// The slug in `Rollcall-Organization`; something that is no slug if that cannot be read.
    pub organization: Option<String>,
    /// The client's address; behind a trusted proxy, the one the proxy saw.
    pub address: IpAddr,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// Whether cookies are only sent encrypted.
    pub secure: bool,
}

/// How the HTTP layer behaves. Cloning shares the shutdown token and the task tracker.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Our own origin, such as `https://rollcall.example.org`. Where it is not known, the `Host` of a
    /// request is believed.
    pub public_origin: Option<String>,
    /// Origins beside our own that browsers may call from, such as `https://app.example.org`.
    pub allowed_origins: Vec<String>,
    /// Whether browsers reach us over TLS: decides the cookie's name and our own origin's scheme.
    pub secure_cookies: bool,
    /// Whether the last `X-Forwarded-For` entry is written by our own proxy.
    pub trusted_proxy: bool,
    /// Bytes of a request body.
    pub max_body: usize,
    /// Bytes of one answer.
    pub max_response: usize,
    /// Sockets, event streams and running mutations of this process.
    pub max_tasks: usize,
    /// How long a request body may take to arrive; a large one gets more as it comes.
    pub body_deadline: Duration,
    /// How long a query may take. A mutation runs to its end: its client may be gone, its work not.
    pub query_deadline: Duration,
    /// Ends sockets and event streams with a retryable close.
    pub shutdown: CancellationToken,
    /// Holds sockets, event streams and running mutations, which a graceful shutdown waits for.
    pub tasks: TaskTracker,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_origin: None,
            allowed_origins: Vec::new(),
            secure_cookies: false,
            trusted_proxy: false,
            max_body: DEFAULT_MAX_BODY,
            max_response: DEFAULT_MAX_RESPONSE,
            max_tasks: DEFAULT_MAX_TASKS,
            body_deadline: DEFAULT_BODY_DEADLINE,
            query_deadline: DEFAULT_QUERY_DEADLINE,
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }
    }
}

/// [`Settings::max_body`] unless told otherwise.
pub const DEFAULT_MAX_BODY: usize = 256 * 1024;
/// [`Settings::max_response`] unless told otherwise.
pub const DEFAULT_MAX_RESPONSE: usize = 5 * 1024 * 1024;
/// [`Settings::max_tasks`] unless told otherwise.
pub const DEFAULT_MAX_TASKS: usize = 20_000;
/// [`Settings::body_deadline`] unless told otherwise.
pub const DEFAULT_BODY_DEADLINE: Duration = Duration::from_secs(10);
/// [`Settings::query_deadline`] unless told otherwise.
pub const DEFAULT_QUERY_DEADLINE: Duration = Duration::from_secs(5);

/// Serves [`PATH`]. Clients' addresses are known when the router is served with
/// `into_make_service_with_connect_info::<SocketAddr>()`.
pub fn router<S: Service>(service: S, settings: Settings) -> Router {
    let road = Arc::new(Road {
        service,
        settings,
        uploads: Semaphore::new(MAX_UPLOADS),
    });
    Router::new()
        .route(PATH, any(dispatch::<S>))
        .with_state(road)
}

/// The service and the settings that every request needs.
struct Road<S> {
    service: S,
    settings: Settings,
    /// A turn for each large body, so that memory is bounded by their number.
    uploads: Semaphore,
}

/// Large bodies that are read or worked on at a time.
const MAX_UPLOADS: usize = 4;

async fn dispatch<S: Service>(
    State(road): State<Arc<Road<S>>>,
    request: Request,
) -> Result<axum::response::Response, Infallible> {
    Ok(request::answer(&road, request).await)
}

/// The address of the connection itself.
type Peer = axum::extract::ConnectInfo<SocketAddr>;
