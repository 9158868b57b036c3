//! The outside providers that people may sign in with (OpenID Connect): where a sign-in there begins, and
//! what its answer proves. Who is signed in then is `domain`'s to say.
//!
//! It fails closed: a provider that is away, or says anything that is not in order, signs nobody in. None
//! keeps Rollcall from starting.

mod discovery;
mod exchange;
mod http;
mod settings;

use std::sync::Arc;

use domain::{Code, Error, Result, identity::linked_account::Begun};
use openidconnect::{
    AuthenticationFlow, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    core::{CoreClient, CoreResponseType},
    url::Url,
};

pub use discovery::Metadata;
pub use exchange::check_issuer;
pub use settings::{Settings, parse};

use discovery::Discovery;
use http::Http;

/// Where browsers come back to, before the provider's id.
pub const CALLBACK: &str = "/callback/";
/// Bytes of a URL that a browser returns to.
const LONGEST: usize = 2000;

/// All providers, and where a browser may go when it is back.
#[derive(Clone)]
pub struct Providers(Arc<All>);

struct All {
    providers: Vec<Provider>,
    /// Our own address.
    public_url: Url,
    /// Origins beside our own.
    allowed_origins: Vec<String>,
}

/// A provider.
pub struct Provider {
    settings: Settings,
    redirect: RedirectUrl,
    http: Http,
    discovery: Discovery,
}

/// A client of a provider that was found.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl Providers {
    /// Those configured. Nothing is asked yet.
    ///
    /// # Errors
    /// The public address is no URL, or TLS cannot be set up.
    pub fn new(
        settings: &[Settings],
        public_url: &str,
        allowed_origins: &[String],
    ) -> Result<Self, String> {
        let public_url = Url::parse(public_url).map_err(|error| error.to_string())?;
        let provider = |settings: &Settings| {
            let path = format!("{CALLBACK}{}", settings.id);
            let redirect = public_url.join(&path).map_err(|error| error.to_string())?;
            Ok(Provider {
                settings: settings.clone(),
                redirect: RedirectUrl::from_url(redirect),
                http: Http::new(settings::is_plain(&settings.issuer))?,
                discovery: Discovery::default(),
            })
        };
        let providers = settings.iter().map(provider).collect::<Result<_, String>>();
        Ok(Self(Arc::new(All {
            providers: providers?,
            public_url,
            allowed_origins: allowed_origins.to_vec(),
        })))
    }

    /// All of them, as they were listed.
    pub fn list(&self) -> &[Provider] {
        &self.0.providers
    }

    /// The one of this id.
    ///
    /// # Errors
    /// A refusal when there is none.
    pub fn find(&self, id: &str) -> Result<&Provider> {
        let mut providers = self.0.providers.iter();
        let found = providers.find(|provider| provider.settings.id == id);
        found.ok_or_else(|| {
            Error::refused(
                Code::NotFound,
                "provider",
                "There is no such provider here: see providers.",
            )
        })
    }

    /// Where a browser may return to: a path of ours, or a page of an origin that may call us. It is read
    /// as browsers read it, and kept as it was read.
    ///
    /// # Errors
    /// A refusal when it leads elsewhere.
    pub fn destination(&self, return_to: Option<&str>) -> Result<String> {
        let refused = || {
            Error::refused(
                Code::Invalid,
                "returnTo",
                "This is neither a path here, like /welcome, nor a page of an origin that is allowed to call.",
            )
        };
        let written = return_to.unwrap_or("/");
        // Browsers leave some of these out.
        let is_strange = |character: char| character.is_whitespace() || character.is_control();
        if written.is_empty() || written.len() > LONGEST || written.contains(is_strange) {
            return Err(refused());
        }
        let url = self.0.public_url.join(written).map_err(|_| refused())?;
        let origin = url.origin();
        let mut allowed = self.0.allowed_origins.iter();
        let is_ours = origin == self.0.public_url.origin()
            || allowed
                .any(|allowed| Url::parse(allowed).is_ok_and(|allowed| allowed.origin() == origin));
        // The fragment is where what comes back is put.
        let is_bare =
            url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        // `blob:https://...` has the origin of what follows, and no host.
        if is_ours
            && is_bare
            && url.has_host()
            && origin.is_tuple()
            && url.as_str().len() <= LONGEST
        {
            Ok(url.into())
        } else {
            Err(refused())
        }
    }
}

impl Provider {
    /// Our name of it.
    pub fn id(&self) -> &str {
        &self.settings.id
    }

    /// What people are shown.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// What it says about itself.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where that cannot be found out, or is not right.
    pub async fn metadata(&self) -> Result<Arc<Metadata>> {
        let found = self.discovery.metadata(&self.settings, &self.http).await;
        found.ok_or(Error::Unavailable("The provider cannot be asked."))
    }

    /// Where the browser is to go.
    pub fn authorization_url(&self, metadata: &Metadata, begun: &Begun) -> String {
        let (state, nonce) = (begun.state.reveal(), begun.nonce());
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(begun.verifier()));
        let client = self.client(metadata);
        let request = client.authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            || CsrfToken::new(state),
            || Nonce::new(nonce),
        );
        let request = request.add_scopes(self.settings.scopes.iter().cloned());
        let (url, ..) = request.set_pkce_challenge(challenge).url();
        url.into()
    }

    fn client(&self, metadata: &Metadata) -> Client {
        let settings = &self.settings;
        CoreClient::from_provider_metadata(
            metadata.clone(),
            settings.client_id.clone(),
            settings.client_secret.clone(),
        )
        .set_redirect_uri(self.redirect.clone())
        .set_auth_type(exchange::authentication(metadata))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_returns_to_where_it_may() {
        let allowed = ["https://app.example".to_owned()];
        let providers = Providers::new(&[], "https://rollcall.example", &allowed);
        let providers = providers.expect("in order");
        for (given, read) in [
            (None, "https://rollcall.example/"),
            (Some("/a?b=c"), "https://rollcall.example/a?b=c"),
            (Some("a"), "https://rollcall.example/a"),
            (Some("/../../a"), "https://rollcall.example/a"),
            (
                Some("https://rollcall.example/x"),
                "https://rollcall.example/x",
            ),
            (
                Some("https://rollcall.example:443/x"),
                "https://rollcall.example/x",
            ),
            (Some("https://app.example"), "https://app.example/"),
            (
                Some("/https://evil.example"),
                "https://rollcall.example/https://evil.example",
            ),
        ] {
            let destination = providers.destination(given).expect(read);
            assert_eq!(destination, read, "{given:?}");
        }
        let long = format!("/{}", "a".repeat(LONGEST));
        for given in [
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "https:/\\evil.example",
            "https://evil.example",
            "http://rollcall.example/",
            "https://rollcall.example:8443/",
            "https://rollcall.example.evil.example",
            "https://rollcall.example@evil.example",
            "https://evil.example@rollcall.example",
            "https://app.example.evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "blob:https://rollcall.example/x",
            "file:///etc/passwd",
            "/a#b",
            "",
            " ",
            "/\r\nSet-Cookie: a=b",
            "/a\0",
            "http://[",
            &long,
        ] {
            assert!(providers.destination(Some(given)).is_err(), "{given}");
        }
    }
}
