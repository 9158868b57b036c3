//! Outside providers to sign in with: a real one as a process of its own, with the browser that fills its
//! forms in, and one in this process that tells the truth or lies, as it is asked to.

use std::{
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::{
    JsonWebKeyId, PrivateSigningKey,
    core::{CoreEdDsaPrivateSigningKey, CoreHmacKey, CoreJwsSigningAlgorithm},
    url::form_urlencoded,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{TestDatabase, node, services::free_port};
use crate::walls::catalog;

/// What every provider here calls us, and what proves that it is us.
pub const CLIENT: &str = "rollcall";
pub const SECRET: &str = "a secret of two";

/// A provider's process, ended with this value.
pub struct ProviderServer {
    child: Option<Child>,
    port: u16,
}

impl ProviderServer {
    /// One that is still to be started, on a port of its own.
    pub fn away() -> Self {
        Self {
            child: None,
            port: free_port(),
        }
    }

    /// Its issuer.
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts it for browsers that come back there, and waits until it listens; false, said once, where
    /// there is no Node.
    pub async fn up(&mut self, redirect: &str) -> bool {
        let Some(directory) = node::installed("node") else {
            return false;
        };
        let child = Command::new("node")
            .args(["oidc.mjs", &self.port.to_string(), CLIENT, SECRET, redirect])
            .current_dir(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.expect("node"));
        let address = ("127.0.0.1", self.port);
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        true
    }

    /// Ends it at once.
    pub fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for ProviderServer {
    fn drop(&mut self) {
        self.down();
    }
}

/// An entry of `ROLLCALL_OIDC_PROVIDERS`.
pub fn entry(id: &str, issuer: &str) -> Value {
    json!({ "id": id, "name": id.to_uppercase(), "issuer": issuer, "clientId": CLIENT, "clientSecret": SECRET })
}

/// The variable for one provider that every instance has: it is in this process, and called `sample`.
pub fn sample() -> String {
    json!([entry("sample", &liar("sample"))]).to_string()
}

/// A code for which the provider in this process says that somebody is `subject`, of the address
/// SUBJECT@example.org, or lies.
pub fn code(lie: &str, nonce: &str, subject: &str) -> String {
    format!("{lie}~{nonce}~{subject}")
}

/// A parameter of a URL's query.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let query = query.split('#').next().unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

impl TestDatabase {
    /// Links the account of `email` to that of `subject` at the provider in this process; the link's
    /// global id.
    pub async fn linked_account(&self, email: &str, subject: &str) -> String {
        let id = Uuid::new_v4();
        let (literal, issuer) = (catalog::literal(self, id), liar("sample"));
        let long_ago = "'2000-01-01T00:00:00+00:00'";
        self.look(&format!(
            "INSERT INTO linked_accounts (id, user_id, provider, issuer, subject, email, created_at, last_used_at)
             SELECT {literal}, id, 'sample', '{issuer}', '{subject}', email, {long_ago}, {long_ago} FROM users
             WHERE email = '{email}'"
        ))
        .await;
        URL_SAFE_NO_PAD.encode([b"Q".as_slice(), id.as_bytes()].concat())
    }
}

/// The issuer of a provider in this process, which is as its name says.
pub fn liar(flavor: &str) -> String {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    let address = ADDRESS.get_or_init(|| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("an address");
        // Each test has a runtime of its own, which ends with it.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
                axum::serve(listener, router()).await.expect("it serves");
            });
        });
        format!("http://{address}")
    });
    format!("{address}/{flavor}")
}

fn router() -> Router {
    Router::new()
        .route("/{flavor}/.well-known/openid-configuration", get(discovery))
        .route("/{flavor}/keys", get(keys))
        .route("/{flavor}/token", post(token))
}

async fn discovery(Path(flavor): Path<String>) -> Json<Value> {
    let issuer = liar(&flavor);
    let mut metadata = json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
        "authorization_response_iss_parameter_supported": true,
    });
    match flavor.as_str() {
        "impostor" => metadata["issuer"] = json!(liar("sample")),
        "script" => metadata["authorization_endpoint"] = json!("javascript:alert(1)"),
        "plain" => metadata["code_challenge_methods_supported"] = json!(["plain"]),
        "downgraded" => metadata["token_endpoint"] = json!("http://id.example.org/token"),
        "symmetric" => metadata["id_token_signing_alg_values_supported"] = json!(["HS256"]),
        _ => {}
    }
    Json(metadata)
}

async fn keys(Path(flavor): Path<String>) -> Response {
    if flavor == "keyless" {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    Json(json!({ "keys": [key(OWN).as_verification_key()] })).into_response()
}

/// Private keys, of nobody else: the provider's, and another.
const OWN: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIFVlhncruV4T5ygEo2LSYZow2tf73FxEg9NsccAnlL+B\n-----END PRIVATE KEY-----\n";
const OTHER: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINW7BrHyW9isTlrM0yaZseRkQF42JP1g7qDaxkYAasFd\n-----END PRIVATE KEY-----\n";

fn key(pem: &str) -> CoreEdDsaPrivateSigningKey {
    let id = JsonWebKeyId::new("own".to_owned());
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(pem, Some(id)).expect("a key")
}

async fn token(Path(flavor): Path<String>, body: Bytes) -> Response {
    let code = form_urlencoded::parse(&body).find(|(key, _)| key == "code");
    let code = code.expect("a code").1.into_owned();
    let parts: Vec<&str> = code.split('~').collect();
    let [lie, nonce, subject] = parts[..] else {
        let refusal = Json(json!({ "error": "invalid_grant" }));
        return (StatusCode::BAD_REQUEST, refusal).into_response();
    };
    let mut claims = json!({
        "iss": liar(&flavor), "aud": CLIENT, "sub": subject, "nonce": nonce, "iat": 0, "exp": 32_503_680_000_i64,
        "email": format!("{subject}@example.org"), "email_verified": true,
    });
    match lie {
        "wrong nonce" => claims["nonce"] = json!("another"),
        "no nonce" => drop(claims.as_object_mut().expect("claims").remove("nonce")),
        "wrong issuer" => claims["iss"] = json!(liar("another")),
        "wrong audience" => claims["aud"] = json!("another"),
        "two audiences" => claims["aud"] = json!([CLIENT, "another"]),
        "another party" => claims["azp"] = json!("another"),
        "expired" => claims["exp"] = json!(1),
        "no address" => drop(claims.as_object_mut().expect("claims").remove("email")),
        "unproved" => claims["email_verified"] = json!(false),
        "unsaid" => drop(
            claims
                .as_object_mut()
                .expect("claims")
                .remove("email_verified"),
        ),
        "no subject" => claims["sub"] = json!(""),
        _ => {}
    }
    let mut token = match lie {
        "unsigned" => jwt(&json!({ "alg": "none" }), &claims, |_| Vec::new()),
        "our own secret" => jwt(&json!({ "alg": "HS256" }), &claims, |text| {
            let key = CoreHmacKey::new(SECRET);
            let signed = key.sign(&CoreJwsSigningAlgorithm::HmacSha256, text);
            signed.expect("a signature")
        }),
        _ => {
            let pem = if lie == "another key" { OTHER } else { OWN };
            jwt(&json!({ "alg": "EdDSA", "kid": "own" }), &claims, |text| {
                let signed = key(pem).sign(&CoreJwsSigningAlgorithm::EdDsa, text);
                signed.expect("a signature")
            })
        }
    };
    if lie == "tampered" {
        let parts: Vec<&str> = token.split('.').collect();
        claims["sub"] = json!("somebody-else");
        token = [parts[0], &part(&claims), parts[2]].join(".");
    }
    let mut answer =
        json!({ "access_token": "access", "token_type": "Bearer", "refresh_token": "refresh" });
    if lie != "no token" {
        answer["id_token"] = json!(token);
    }
    if lie == "too much" {
        answer["filling"] = json!("x".repeat(2 * 1024 * 1024));
    }
    if lie == "elsewhere" {
        let there = [("location", format!("{}/token", liar(&flavor)))];
        return (StatusCode::TEMPORARY_REDIRECT, there).into_response();
    }
    Json(answer).into_response()
}

fn jwt(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let text = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(text.as_bytes()));
    format!("{text}.{signature}")
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
