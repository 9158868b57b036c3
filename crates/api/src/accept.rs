//! Connections, from the first byte to the last: what `axum::serve` does, with a bound on the time
//! that a request's header may take.

use std::{
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    serve::Listener,
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a connection may wait for the end of a request's header, whether or not it has begun.
/// Longer than proxies keep an idle connection (60 s as a rule): they would send a request into one
/// that is just being closed.
const HEADER_DEADLINE: Duration = Duration::from_secs(75);

/// Serves connections until `stop`, then waits for the requests under way.
pub async fn serve(mut listener: TcpListener, router: Router, stop: CancellationToken) {
    let service = TowerToHyperService::new(router);
    let connections = TaskTracker::new();
    let mut accept = async || Listener::accept(&mut listener).await;
    while let Some((stream, peer)) = stop.run_until_cancelled(accept()).await {
        connections.spawn(converse(stream, peer, service.clone(), stop.clone()));
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    router: TowerToHyperService<Router>,
    stop: CancellationToken,
) {
    let begun = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let begun = begun.clone();
        move |mut request: Request<Incoming>| {
            begun.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(ConnectInfo(peer));
            router.call(request.map(Body::new))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // How a connection ends is its client's business.
    let ended = stop.run_until_cancelled(connection.as_mut()).await;
    // A first request whose header has not ended is none yet, and Hyper would wait for it.
    if ended.is_none() && begun.load(Ordering::Relaxed) {
        connection.as_mut().graceful_shutdown();
        drop(connection.await);
    }
}
