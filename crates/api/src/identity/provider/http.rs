//! How providers are asked: over TLS, within ten seconds and a mebibyte, and where their answer leads
//! elsewhere, not there.

use std::{fmt, pin::Pin, time::Duration};

use axum::http::{HeaderValue, Response, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, url::Url};

use super::settings::is_local;

/// An answer is whole within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const LARGEST: usize = 1024 * 1024;

/// A client of one provider.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Whether the provider runs on this machine, without TLS.
    plain: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub struct Failure(&'static str);

impl Http {
    /// A client; `plain` of a provider on this machine.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(plain: bool) -> Result<Self, String> {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| error.to_string())?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            plain,
        })
    }

    /// Whether a URL may be asked, or a browser sent there.
    pub fn may_ask(&self, url: &Url) -> bool {
        is_safe(url, self.plain)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let (mut parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| Failure("it has no such URL"))?;
        if !self.may_ask(&url) {
            return Err(Failure("it names a URL without TLS"));
        }
        parts
            .headers
            .insert(header::USER_AGENT, HeaderValue::from_static("rollcall"));
        let request = hyper::Request::from_parts(parts, Full::new(Bytes::from(body)));
        let answered = async {
            let answer = self.client.request(request).await;
            let (parts, body) = answer
                .map_err(|_| Failure("it cannot be reached"))?
                .into_parts();
            let body = Limited::new(body, LARGEST).collect().await;
            let body = body.map_err(|_| Failure("its answer broke off, or is too long"))?;
            Ok(Response::from_parts(parts, body.to_bytes().to_vec()))
        };
        let answered = tokio::time::timeout(PATIENCE, answered).await;
        answered.map_err(|_| Failure("its answer took too long"))?
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Failure>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl std::error::Error for Failure {}

/// Whether a URL has TLS, or needs none: `plain` says that it may lead to this machine.
pub(super) fn is_safe(url: &Url, plain: bool) -> bool {
    url.scheme() == "https" || (plain && url.scheme() == "http" && is_local(url))
}
