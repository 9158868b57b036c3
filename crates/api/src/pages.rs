//! What is served beside GraphQL: the explorer's files, health, and metrics.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use domain::Db;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

/// What the pages look at.
#[derive(Clone)]
pub struct Pages {
    /// The database, for readiness.
    pub db: Db,
    /// The process's metrics.
    pub metrics: PrometheusHandle,
    /// Cancelled when the process is about to stop.
    pub stopping: CancellationToken,
}

/// `/`, the explorer's files, `/healthz`, `/readyz` and `/metrics`.
pub fn router(pages: Pages) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(get(asset))
        .with_state(pages)
}

/// Whether this instance should be given requests: not while it stops, and not while its database
/// is away.
async fn ready(State(pages): State<Pages>) -> Response {
    if pages.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    match pages.db.check().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(?error, "readiness.database");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the database is not ready\n",
            )
                .into_response()
        }
    }
}

async fn metrics(State(pages): State<Pages>) -> Response {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        pages.metrics.render(),
    )
        .into_response()
}

async fn asset(uri: Uri, request: HeaderMap) -> Response {
    let Some(asset) = web::asset(uri.path()) else {
        return (
            StatusCode::NOT_FOUND,
            "There is nothing here. The explorer is at /, the API at /graphql.\n",
        )
            .into_response();
    };
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(web::CONTENT_SECURITY_POLICY),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers.insert(header::ETAG, HeaderValue::from_static(asset.etag));
    let caching = if asset.immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if request
        .get(header::IF_NONE_MATCH)
        .is_some_and(|tag| tag == asset.etag)
    {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(asset.content_type),
    );
    if asset.gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    (headers, asset.body).into_response()
}
