//! Configuration: the environment, and a file of the same names for what the environment leaves out.
//!
//! Read once, at start. Anything wrong is told by the variable's name; a name that begins with
//! `ROLLCALL_` and means nothing is wrong too, because it is a typing error that would otherwise
//! run with a default.

mod variables;

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf};

use domain::{Database, identity::password::Profile, secret::sealing::Keys};

use crate::{
    identity::provider::{self, Settings as Provider},
    mail,
};

pub use variables::{LOG, VARIABLES};

/// Read while building, not while running.
const BUILD_ONLY: &[&str] = &["ROLLCALL_WEB_SKIP"];

/// How this process is to run.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a variable of its own"
)]
pub struct Configuration {
    /// Which database.
    pub database: Database,
    /// Whether it was said which.
    pub database_given: bool,
    /// Redis, if there is one.
    pub redis_url: Option<String>,
    /// Directory of the embedded database.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Whether browsers reach us over TLS.
    pub secure: bool,
    /// The origin at which browsers reach us, if it was said.
    pub public_origin: Option<String>,
    /// Other origins whose pages may call.
    pub allowed_origins: Vec<String>,
    /// Whether a proxy of ours writes `X-Forwarded-For`.
    pub trusted_proxy: bool,
    /// How hard passwords are hashed.
    pub password_profile: Profile,
    /// What secrets at rest are encrypted with, if it was said.
    pub secret_keys: Option<Keys>,
    /// Whether tries are counted, if it was said.
    pub rate_limits: Option<bool>,
    /// Where mails go; if it was not said, they wait.
    pub mail: Option<mail::Settings>,
    /// The outside providers that people may sign in with.
    pub providers: Vec<Provider>,
    /// Whether `serve` carries out jobs and sends mails too.
    pub worker: bool,
    /// What is logged, if it was said.
    pub log: Option<String>,
    /// Whether the log is JSON, if it was said.
    pub log_json: Option<bool>,
}

/// What is wrong with the configuration.
#[derive(Debug)]
pub struct ConfigurationError(String);

impl fmt::Display for ConfigurationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for ConfigurationError {}

impl Configuration {
    /// Reads the process's environment and the file it names.
    ///
    /// # Errors
    /// The first thing that is wrong, by its variable's name.
    pub fn read() -> Result<Self, ConfigurationError> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self::from_variables(environment)
    }

    /// The same from given variables.
    ///
    /// # Errors
    /// As [`Configuration::read`].
    pub fn from_variables(
        environment: BTreeMap<String, String>,
    ) -> Result<Self, ConfigurationError> {
        let mut variables = match environment.get("ROLLCALL_CONFIGURATION") {
            Some(path) => read_file(path)?,
            None => BTreeMap::new(),
        };
        variables.extend(environment);
        for name in variables
            .keys()
            .filter(|name| name.starts_with("ROLLCALL_"))
        {
            if !BUILD_ONLY.contains(&&**name) && VARIABLES.iter().all(|(known, ..)| known != name) {
                return wrong(
                    name,
                    "is not a variable of Rollcall. See rollcall --help for those that are",
                );
            }
        }
        let get = |name: &str| {
            variables
                .get(name)
                .map(String::as_str)
                .filter(|value| !value.is_empty())
        };
        let data = PathBuf::from(get("ROLLCALL_DATA").unwrap_or("data"));
        let connections = get("ROLLCALL_DATABASE_CONNECTIONS").unwrap_or("20");
        let Ok(connections @ 2..=500) = connections.parse() else {
            return wrong(
                "ROLLCALL_DATABASE_CONNECTIONS",
                "is not a number from 2 to 500",
            );
        };
        let database = match get("DATABASE_URL") {
            None => Database::Sqlite {
                path: data.join("rollcall.db"),
            },
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Database::Postgres {
                    url: url.to_owned(),
                    connections,
                }
            }
            Some(url) => match url.strip_prefix("sqlite:") {
                Some(path) => Database::Sqlite {
                    path: sqlite_file(path.trim_start_matches("//"))?,
                },
                None => {
                    return wrong(
                        "DATABASE_URL",
                        "begins neither with postgres:// nor with sqlite:",
                    );
                }
            },
        };
        let redis_url = get("REDIS_URL").map(str::to_owned);
        if redis_url
            .as_deref()
            .is_some_and(|url| !url.starts_with("redis://") && !url.starts_with("rediss://"))
        {
            return wrong("REDIS_URL", "does not begin with redis://");
        }
        let Ok(listen) = get("ROLLCALL_LISTEN").unwrap_or("127.0.0.1:8000").parse() else {
            return wrong(
                "ROLLCALL_LISTEN",
                "is not an address with a port, like 127.0.0.1:8000",
            );
        };
        let public_url = get("ROLLCALL_PUBLIC_URL").map(|url| url.trim_end_matches('/'));
        let mut public_origins = origins("ROLLCALL_PUBLIC_URL", public_url)?;
        if public_origins.len() > 1 {
            return wrong("ROLLCALL_PUBLIC_URL", "is more than one origin");
        }
        Ok(Self {
            database,
            database_given: get("DATABASE_URL").is_some(),
            redis_url,
            data,
            listen,
            secure: public_url.is_some_and(|url| url.starts_with("https://")),
            public_origin: public_origins.pop(),
            allowed_origins: origins("ROLLCALL_ALLOWED_ORIGINS", get("ROLLCALL_ALLOWED_ORIGINS"))?,
            trusted_proxy: boolean(
                "ROLLCALL_TRUSTED_PROXY",
                get("ROLLCALL_TRUSTED_PROXY"),
                false,
            )?,
            password_profile: match get("ROLLCALL_PASSWORD_PROFILE") {
                None | Some("standard") => Profile::Standard,
                Some("hardened") => Profile::Hardened,
                Some(_) => {
                    return wrong(
                        "ROLLCALL_PASSWORD_PROFILE",
                        "is neither standard nor hardened",
                    );
                }
            },
            secret_keys: get("ROLLCALL_SECRET_KEYS")
                .map(Keys::parse)
                .transpose()
                .or_else(|why| wrong("ROLLCALL_SECRET_KEYS", why))?,
            rate_limits: match get("ROLLCALL_RATE_LIMITS") {
                None => None,
                Some("on") => Some(true),
                Some("off") => Some(false),
                Some(_) => return wrong("ROLLCALL_RATE_LIMITS", "is neither on nor off"),
            },
            mail: mail(get("ROLLCALL_SMTP_URL"), get("ROLLCALL_MAIL_FROM"))?,
            providers: providers(get("ROLLCALL_OIDC_PROVIDERS"), listen, public_url)?,
            worker: boolean("ROLLCALL_WORKER", get("ROLLCALL_WORKER"), true)?,
            log: get("ROLLCALL_LOG").map(str::to_owned),
            log_json: match get("ROLLCALL_LOG_FORMAT") {
                None => None,
                Some("json") => Some(true),
                Some("text") => Some(false),
                Some(_) => return wrong("ROLLCALL_LOG_FORMAT", "is neither json nor text"),
            },
        })
    }
}

/// Browsers come back from a provider to an address that has to be known to it.
fn providers(
    text: Option<&str>,
    listen: SocketAddr,
    public_url: Option<&str>,
) -> Result<Vec<Provider>, ConfigurationError> {
    let providers = text.map_or(Ok(Vec::new()), provider::parse);
    let providers = providers.or_else(|why| wrong("ROLLCALL_OIDC_PROVIDERS", &why))?;
    if !providers.is_empty() && public_url.is_none() && !listen.ip().is_loopback() {
        return wrong(
            "ROLLCALL_PUBLIC_URL",
            "is missing: providers send browsers back to it",
        );
    }
    Ok(providers)
}

fn mail(
    url: Option<&str>,
    from: Option<&str>,
) -> Result<Option<mail::Settings>, ConfigurationError> {
    let from = from.map(|from| {
        from.parse().or_else(|_| {
            wrong(
                "ROLLCALL_MAIL_FROM",
                "is not an address like Rollcall <rollcall@example.org>",
            )
        })
    });
    let from = from.transpose()?;
    let settings = match (url, from) {
        (None, _) => return Ok(None),
        (Some("outbox:"), _) => mail::Settings::Outbox,
        (Some(url), _) if !url.starts_with("smtp://") && !url.starts_with("smtps://") => {
            return wrong(
                "ROLLCALL_SMTP_URL",
                "begins neither with smtp:// nor with smtps://, and is not outbox:",
            );
        }
        (Some(_), None) => {
            return wrong(
                "ROLLCALL_MAIL_FROM",
                "is missing: SMTP needs to know whom mails come from",
            );
        }
        (Some(url), Some(from)) => mail::Settings::Smtp {
            url: url.to_owned(),
            from,
        },
    };
    settings
        .open()
        .or_else(|why| wrong("ROLLCALL_SMTP_URL", &why))?;
    Ok(Some(settings))
}

fn sqlite_file(path: &str) -> Result<PathBuf, ConfigurationError> {
    if path.is_empty() || path.contains(":memory:") || path.contains('?') {
        return wrong(
            "DATABASE_URL",
            "names no file. Write sqlite: and a path, with nothing after it; there is no database in memory",
        );
    }
    Ok(PathBuf::from(path))
}

fn read_file(path: &str) -> Result<BTreeMap<String, String>, ConfigurationError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigurationError(format!(
            "ROLLCALL_CONFIGURATION: {path} cannot be read: {error}."
        ))
    })?;
    let mut variables = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            return Err(ConfigurationError(format!(
                "{path}, line {}: this is not NAME=value.",
                index + 1
            )));
        };
        variables.insert(name.trim().to_owned(), value.trim().to_owned());
    }
    Ok(variables)
}

fn origins(name: &str, value: Option<&str>) -> Result<Vec<String>, ConfigurationError> {
    let origins = value
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|origin| !origin.is_empty());
    origins
        .map(|origin| match origin.split_once("://") {
            Some(("http" | "https", host))
                if !host.is_empty() && !host.contains(['/', '*', ' ']) =>
            {
                // Browsers leave a scheme's own port out.
                let port = if origin.starts_with("https") {
                    ":443"
                } else {
                    ":80"
                };
                Ok(origin.strip_suffix(port).unwrap_or(origin).to_owned())
            }
            _ => wrong(name, "is not an origin like https://app.example.org"),
        })
        .collect()
}

fn boolean(name: &str, value: Option<&str>, default: bool) -> Result<bool, ConfigurationError> {
    match value {
        None => Ok(default),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => wrong(name, "is neither true nor false"),
    }
}

/// The value is not repeated: it may be a secret.
fn wrong<T>(name: &str, why: &str) -> Result<T, ConfigurationError> {
    Err(ConfigurationError(format!("{name} {why}.")))
}

#[cfg(test)]
mod tests;
