//! Which outside providers people may sign in with, as configured.

use std::collections::HashSet;

use openidconnect::{ClientId, ClientSecret, IssuerUrl, Scope, url::Url};
use serde::Deserialize;

use super::http::is_safe;

/// Providers at most: each is asked for its keys, and listed.
const MOST: usize = 50;

/// A provider, as configured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Our name of it: part of its redirect URI, and never to be given to another.
    pub id: String,
    /// What people are shown.
    pub name: String,
    /// Its own name, below which its discovery document is.
    pub issuer: IssuerUrl,
    /// Its name of us.
    pub client_id: ClientId,
    /// What proves to it that it is us; none of a public client. Not shown by `Debug`.
    pub client_secret: Option<ClientSecret>,
    /// What is asked for beside `openid`.
    pub scopes: Vec<Scope>,
}

/// The same as it is written down.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    id: String,
    name: String,
    issuer: String,
    client_id: String,
    client_secret: Option<String>,
    #[serde(default = "usual")]
    scopes: Vec<String>,
}

/// The providers of a JSON text.
///
/// # Errors
/// What is wrong with it, which repeats nothing that may be secret.
pub fn parse(text: &str) -> Result<Vec<Settings>, String> {
    let written: Vec<Written> = serde_json::from_str(text).map_err(|error| {
        format!(
            "is not a JSON list of objects with id, name, issuer, clientId, and where there are any clientSecret and scopes; see line {}, column {}",
            error.line(),
            error.column()
        )
    })?;
    if written.len() > MOST {
        return Err(format!("lists more than {MOST} providers"));
    }
    let mut ids = HashSet::new();
    let mut providers = Vec::with_capacity(written.len());
    for written in written {
        let is_id = (1..=50).contains(&written.id.len())
            && written
                .id
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !is_id {
            return Err("holds an id that is not 1 to 50 of a-z, 0-9 and hyphens".to_owned());
        }
        let id = written.id.clone();
        if !ids.insert(id.clone()) {
            return Err(format!("holds the id {id} twice"));
        }
        providers.push(read(written).map_err(|why| format!("is wrong about {id}: {why}"))?);
    }
    Ok(providers)
}

fn read(written: Written) -> Result<Settings, &'static str> {
    if written.name.trim().is_empty() || written.name.chars().count() > 100 {
        return Err("its name is not 1 to 100 characters");
    }
    let issuer = IssuerUrl::new(written.issuer).map_err(|_| "its issuer is not a URL")?;
    if !is_safe(issuer.url(), is_plain(&issuer)) {
        return Err("its issuer is not an https URL (http is for this machine alone)");
    }
    if issuer.url().query().is_some() || issuer.url().fragment().is_some() || issuer.len() > 255 {
        return Err("its issuer has a query or a fragment, or more than 255 characters");
    }
    if written.client_id.is_empty() || written.client_secret.as_deref() == Some("") {
        return Err("its clientId or clientSecret is empty");
    }
    let is_scope = |scope: &String| !scope.is_empty() && !scope.contains(char::is_whitespace);
    if !written.scopes.iter().all(is_scope) {
        return Err("one of its scopes is empty, or is several");
    }
    Ok(Settings {
        id: written.id,
        name: written.name.trim().to_owned(),
        issuer,
        client_id: ClientId::new(written.client_id),
        client_secret: written.client_secret.map(ClientSecret::new),
        scopes: written.scopes.into_iter().map(Scope::new).collect(),
    })
}

/// Whether the provider runs on this machine, where nobody listens in.
pub(super) fn is_plain(issuer: &IssuerUrl) -> bool {
    issuer.url().scheme() == "http" && is_local(issuer.url())
}

/// Whether a URL leads to this very machine.
pub(super) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(openidconnect::url::Host::Domain(name)) => name == "localhost",
        Some(openidconnect::url::Host::Ipv4(address)) => address.is_loopback(),
        Some(openidconnect::url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn usual() -> Vec<String> {
    ["email", "profile"].map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(changes: &[(&str, serde_json::Value)]) -> Result<Vec<Settings>, String> {
        let mut provider = serde_json::json!({
            "id": "example", "name": "Example", "issuer": "https://id.example.org", "clientId": "rollcall",
            "clientSecret": "hunter2",
        });
        for (key, value) in changes {
            provider[key] = value.clone();
        }
        parse(&serde_json::json!([provider]).to_string())
    }

    #[test]
    fn what_is_wrong_is_told_without_the_secret() {
        let good = one(&[]).expect("in order");
        assert!(!format!("{good:?}").contains("hunter2"));
        one(&[("issuer", "http://127.0.0.1:1/a".into())]).expect("on this machine");
        one(&[("issuer", "http://[::1]:1".into())]).expect("on this machine");
        for (key, value) in [
            ("id", ""),
            ("id", "Example"),
            ("id", "a/b"),
            ("name", " "),
            ("issuer", "http://id.example.org"),
            ("issuer", "http://127.0.0.1.example.org"),
            ("issuer", "https://id.example.org?a=b"),
            ("issuer", "javascript:alert(1)"),
            ("clientId", ""),
            ("clientSecret", ""),
            ("secret", "x"),
        ] {
            let error = one(&[(key, value.into())]).expect_err(value);
            assert!(!error.contains("hunter2"), "{error}");
        }
        for (key, value) in [
            ("clientSecret", serde_json::json!({ "a": "hunter2" })),
            ("scopes", serde_json::json!(["email profile"])),
            ("scopes", serde_json::json!("email")),
        ] {
            let error = one(&[(key, value.clone())]).expect_err("wrong");
            assert!(!error.contains("hunter2"), "{error}");
        }
        for text in ["", "{}", "[{}]", "[null]", "nobody:hunter2"] {
            assert!(!parse(text).expect_err(text).contains("hunter2"));
        }
        assert!(parse("[]").expect("none").is_empty());
    }
}
