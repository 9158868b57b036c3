//! Signing in with outside providers, and which accounts there are linked.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Code, Error,
    identity::{
        linked_account::{self, Begun, Claimed, Completed},
        sign_in::SignedIn,
    },
};

use super::{
    provider,
    second_factor::SignInChallenge,
    session::{Opened, admit, set_cookie},
    viewer::Viewer,
};
use crate::{
    error::Result,
    http::browser_cookie,
    id,
    operation::Operation,
    user_error::{Settled, UserError, payload},
};

/// An outside provider that people may sign in with.
#[derive(SimpleObject)]
pub struct Provider {
    /// What it is called in inputs.
    id: String,
    /// What people are shown.
    name: String,
}

/// An account at a provider that the viewer signs in with.
#[derive(SimpleObject)]
pub struct LinkedAccount {
    /// Global id.
    id: ID,
    /// The id of the provider, which may not be among `providers` any more.
    provider: String,
    /// The address that the provider knows, to tell accounts apart.
    email: Option<String>,
    /// When it was linked.
    linked_at: DateTime<Utc>,
    /// When it was last signed in with.
    last_used_at: DateTime<Utc>,
}

/// What beginning a sign-in at a provider takes.
#[derive(InputObject)]
pub struct BeginProviderSignInInput {
    /// The provider's id.
    provider: String,
    /// Where the browser goes when it is back: a path here, or a page of an origin that may call.
    return_to: Option<String>,
}

/// What beginning to link an account at a provider takes.
#[derive(InputObject)]
pub struct BeginProviderLinkInput {
    /// The provider's id.
    provider: String,
    /// Where the browser goes when it is back: a path here, or a page of an origin that may call.
    return_to: Option<String>,
}

/// What the browser brought back from a provider.
#[derive(InputObject)]
pub struct CompleteProviderSignInInput {
    /// The provider's id.
    provider: String,
    /// As it came back.
    #[graphql(secret)]
    state: String,
    /// As it came back.
    #[graphql(secret)]
    code: String,
    /// As it came back, if it did: whose answer it is (RFC 9207).
    iss: Option<String>,
    /// What `beginProviderSignIn` or `beginProviderLink` told; the cookie that they set stands for it.
    #[graphql(secret)]
    browser_secret: Option<String>,
}

/// What unlinking an account takes.
#[derive(InputObject)]
pub struct UnlinkAccountInput {
    /// Which one.
    linked_account_id: ID,
}

/// What became of beginning. The answer also sets a cookie that binds what was begun to the browser.
#[derive(SimpleObject)]
pub struct BeginProviderPayload {
    /// Where the browser is to go, within ten minutes.
    authorization_url: Option<String>,
    /// What binds what was begun to the browser where it keeps no cookie of ours; told this once.
    browser_secret: Option<String>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// What became of completing. The answer to a sign-in also sets the session cookie.
#[derive(SimpleObject)]
pub struct CompleteProviderSignInPayload {
    /// The session's token, told this once; null where an account was linked.
    token: Option<String>,
    /// The person who is signed in now.
    viewer: Option<Viewer>,
    /// In place of these two, where the account has a second factor: what `completeSignIn` takes.
    challenge: Option<SignInChallenge>,
    /// Where the browser goes now.
    return_to: Option<String>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// What became of unlinking an account.
#[derive(SimpleObject)]
pub struct UnlinkAccountPayload {
    /// The person who is signed in.
    viewer: Option<Viewer>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Queries of providers.
#[derive(Default)]
pub struct ProviderQuery;

#[Object]
impl ProviderQuery {
    /// The outside providers that people may sign in with.
    async fn providers(&self, context: &Context<'_>) -> Vec<Provider> {
        let providers = Operation::of(context).providers().list().iter();
        let told = |provider: &provider::Provider| Provider {
            id: provider.id().to_owned(),
            name: provider.name().to_owned(),
        };
        providers.map(told).collect()
    }
}

/// Mutations of linked accounts.
#[derive(Default)]
pub struct LinkedAccountMutation;

#[Object]
impl LinkedAccountMutation {
    /// Begins a sign-in at a provider: send the browser to `authorizationUrl`. It comes back to
    /// `/callback/PROVIDER` here, which completes the sign-in if it has the cookie, and leads to `returnTo`;
    /// a client without the cookie finds `provider`, `state`, `code` and `iss` in that page's fragment, for
    /// `completeProviderSignIn`. From one network address ten times, and ten more a minute; then the error
    /// `RATE_LIMITED` says when to come again.
    async fn begin_provider_sign_in(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Where.")] input: BeginProviderSignInInput,
    ) -> Option<Result<BeginProviderPayload>> {
        let operation = Operation::of(context);
        payload(async {
            let providers = operation.providers();
            let provider = providers.find(&input.provider)?;
            let return_to = providers.destination(input.return_to.as_deref())?;
            let metadata = provider.metadata().await?;
            let (system, limits) = (operation.system(), operation.limits());
            let (id, origin) = (provider.id(), operation.origin());
            let begun =
                linked_account::begin_sign_in(&system, limits, id, &return_to, origin).await?;
            Ok(send(
                context,
                provider.authorization_url(&metadata, &begun),
                &begun,
            ))
        })
        .await
    }

    /// Begins to link an account at a provider to the viewer's, as `beginProviderSignIn` begins a sign-in;
    /// only the session in use completes it. Needs a fresh session (see `confirmPassword`), and that the
    /// account's address is confirmed.
    async fn begin_provider_link(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Where.")] input: BeginProviderLinkInput,
    ) -> Option<Result<BeginProviderPayload>> {
        let operation = Operation::of(context);
        payload(async {
            let fresh = operation.require_viewer()?.fresh()?;
            let providers = operation.providers();
            let provider = providers.find(&input.provider)?;
            let return_to = providers.destination(input.return_to.as_deref())?;
            let metadata = provider.metadata().await?;
            let (id, limits) = (provider.id(), operation.limits());
            let begun = linked_account::begin_link(fresh, limits, id, &return_to).await?;
            Ok(send(
                context,
                provider.authorization_url(&metadata, &begun),
                &begun,
            ))
        })
        .await
    }

    /// Completes what `beginProviderSignIn` or `beginProviderLink` began, once. Signs in to the account that
    /// is linked; where none is, makes one, if the provider says that the address is proved and no account
    /// has it. Who has an account already signs in to it and links the other one: an address alone links
    /// nothing.
    async fn complete_provider_sign_in(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What came back.")] input: CompleteProviderSignInInput,
    ) -> Option<Result<CompleteProviderSignInPayload>> {
        payload(complete(context, input)).await
    }

    /// Has an account at a provider sign in to the viewer's no more. Needs a fresh session: see
    /// `confirmPassword`.
    async fn unlink_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: UnlinkAccountInput,
    ) -> Option<Result<UnlinkAccountPayload>> {
        payload(async {
            let fresh = Operation::of(context).require_viewer()?.fresh()?;
            let id = id::decode(&input.linked_account_id, "linkedAccountId")?;
            linked_account::unlink(fresh, id).await
        })
        .await
    }
}

/// What somebody is told who began.
struct Sent {
    authorization_url: String,
    browser_secret: String,
}

/// What was opened, unless an account was linked, and where the browser goes.
struct Arrived {
    opened: Option<Opened>,
    return_to: String,
}

/// Binds what was begun to the browser.
fn send(context: &Context<'_>, authorization_url: String, begun: &Begun) -> Sent {
    let browser_secret = begun.browser.reveal();
    let secure = Operation::of(context).is_secure();
    let seconds = linked_account::LIFETIME.num_seconds();
    context.append_http_header("set-cookie", cookie(secure, &browser_secret, seconds));
    Sent {
        authorization_url,
        browser_secret,
    }
}

async fn complete(
    context: &Context<'_>,
    input: CompleteProviderSignInInput,
) -> domain::Result<Arrived> {
    let operation = Operation::of(context);
    let provider = operation.providers().find(&input.provider)?;
    let told = input.browser_secret.as_deref();
    let Some(browser) = told.or(operation.browser()) else {
        return Err(Error::refused(
            Code::Required,
            "browserSecret",
            "The browser's secret is missing, and so is the cookie that stands for it. Begin again in this browser.",
        ));
    };
    // RFC 6749, A.11; a provider of today says no more than a few hundred of them.
    let is_code = |byte: u8| (b' '..=b'~').contains(&byte);
    if input.code.trim().is_empty() || input.code.len() > 4096 || !input.code.bytes().all(is_code) {
        return Err(Error::refused(
            Code::Invalid,
            "code",
            "This is no code of a provider.",
        ));
    }
    // Nothing is used up while the provider cannot be asked.
    let metadata = provider.metadata().await?;
    provider::check_issuer(&metadata, input.iss.as_deref())?;
    let (system, viewer) = (operation.system(), operation.viewer());
    let claimed: Claimed =
        linked_account::claim(&system, provider.id(), &input.state, browser, viewer).await?;
    let return_to = claimed.return_to().to_owned();
    let clock = operation.clock();
    let identity = provider.identify(&metadata, &claimed, &input.code, clock);
    let identity = Box::pin(identity).await?;
    let (limits, origin) = (operation.limits(), operation.origin().clone());
    let completed = linked_account::complete(&system, limits, claimed, identity, origin).await?;
    let opened = match completed {
        Completed::SignedIn(SignedIn::Open(token, viewer)) => {
            Some(admit(context, (token, viewer)).into())
        }
        Completed::SignedIn(SignedIn::Challenged(challenge)) => {
            Some(Opened::Challenged(challenge.into()))
        }
        Completed::Linked => None,
    };
    context.append_http_header("set-cookie", cookie(operation.is_secure(), "", 0));
    Ok(Arrived { opened, return_to })
}

/// The `Set-Cookie` that binds what was begun to a browser for so many seconds; none take it away.
fn cookie(secure: bool, secret: &str, seconds: i64) -> String {
    set_cookie(browser_cookie(secure), secure, secret, seconds)
}

impl From<linked_account::LinkedAccount> for LinkedAccount {
    fn from(row: linked_account::LinkedAccount) -> Self {
        Self {
            id: id::encode(row.id),
            provider: row.provider,
            email: row.email,
            linked_at: row.created_at,
            last_used_at: row.last_used_at,
        }
    }
}

impl From<Settled<Sent>> for BeginProviderPayload {
    fn from(settled: Settled<Sent>) -> Self {
        let (authorization_url, browser_secret) = settled
            .value
            .map(|sent| (sent.authorization_url, sent.browser_secret))
            .unzip();
        Self {
            authorization_url,
            browser_secret,
            errors: settled.errors,
        }
    }
}

impl From<Settled<Arrived>> for CompleteProviderSignInPayload {
    fn from(settled: Settled<Arrived>) -> Self {
        let arrived = settled
            .value
            .map(|arrived| (arrived.opened, arrived.return_to));
        let (opened, return_to) = arrived.unzip();
        let (token, challenge) = match opened.flatten() {
            Some(Opened::Session(token)) => (Some(token.reveal()), None),
            Some(Opened::Challenged(challenge)) => (None, Some(challenge)),
            None => (None, None),
        };
        Self {
            viewer: (return_to.is_some() && challenge.is_none()).then_some(Viewer),
            token,
            challenge,
            return_to,
            errors: settled.errors,
        }
    }
}

impl From<Settled<()>> for UnlinkAccountPayload {
    fn from(settled: Settled<()>) -> Self {
        Self {
            viewer: settled.value.map(|()| Viewer),
            errors: settled.errors,
        }
    }
}
