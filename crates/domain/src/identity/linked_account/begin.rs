//! Beginning a sign-in at a provider.

use chrono::{DateTime, TimeDelta, Utc};
use entity::identity::{linked_account, provider_sign_in};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};

use crate::{
    Code, Error, Limits, Result, System,
    identity::session,
    limit,
    scope::{Fresh, Origin},
    secret::Token,
};

/// A sign-in that was begun is to be completed within this time.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// The secrets of a sign-in that was begun.
pub struct Begun {
    /// Goes to the provider and comes back.
    pub state: Token,
    /// Stays with the browser.
    pub browser: Token,
}

impl Begun {
    /// What the provider is to repeat in its proof.
    #[must_use]
    pub fn nonce(&self) -> String {
        nonce(&self.browser)
    }

    /// What the provider gets only to hash (PKCE, RFC 7636).
    #[must_use]
    pub fn verifier(&self) -> String {
        verifier(&self.browser)
    }

    fn new() -> Result<Self> {
        Ok(Self {
            state: Token::random()?,
            browser: Token::random()?,
        })
    }

    fn row(
        &self,
        provider: &str,
        return_to: &str,
        now: DateTime<Utc>,
    ) -> provider_sign_in::ActiveModel {
        provider_sign_in::ActiveModel {
            id: Set(entity::Id::random()),
            state_hash: Set(self.state.hash()),
            browser_hash: Set(self.browser.hash()),
            provider: Set(provider.to_owned()),
            user_id: Set(None),
            session_id: Set(None),
            return_to: Set(return_to.to_owned()),
            created_at: Set(now),
            expires_at: Set(now + LIFETIME),
            used_at: Set(None),
        }
    }
}

/// Begins a sign-in at a provider that is configured; the browser goes to a URL that was checked then.
///
/// # Errors
/// [`Error::Limited`] after too many from one network address.
pub async fn begin_sign_in(
    system: &System,
    limits: &Limits,
    provider: &str,
    return_to: &str,
    origin: &Origin,
) -> Result<Begun> {
    limits.take_from(&limit::PROVIDER_SIGN_IN, origin).await?;
    let (begun, now) = (Begun::new()?, system.clock().now());
    let transaction = system.begin(true).await?;
    provider_sign_in::Entity::delete_many()
        .filter(provider_sign_in::Column::ExpiresAt.lte(now))
        .exec(&*transaction)
        .await?;
    begun
        .row(provider, return_to, now)
        .insert(&*transaction)
        .await?;
    transaction.commit().await?;
    Ok(begun)
}

/// Begins to link an account at a provider to the viewer's own. Only this session completes it.
///
/// # Errors
/// A refusal when one at this provider is linked already, or it is not proved that the account's address
/// is the viewer's: who signed up with somebody else's must not keep a way in. [`Error::Limited`] as
/// with [`begin_sign_in`].
pub async fn begin_link(
    fresh: Fresh,
    limits: &Limits,
    provider: &str,
    return_to: &str,
) -> Result<Begun> {
    let viewer = fresh.viewer();
    limits
        .take_from(&limit::PROVIDER_SIGN_IN, &viewer.origin)
        .await?;
    let (begun, now) = (Begun::new()?, viewer.clock().now());
    let own = viewer.begin(true).await?;
    let account = session::lock(&own, viewer).await?;
    if account.email_verified_at.is_none() {
        return Err(Error::refused(
            Code::EmailNotVerified,
            "",
            "Confirm your address first: see requestEmailVerification.",
        ));
    }
    let present = own
        .find::<linked_account::Entity>()
        .filter(linked_account::Column::Provider.eq(provider));
    if !own.all(present).await?.is_empty() {
        return Err(already_linked());
    }
    own.delete(own.removal::<provider_sign_in::Entity>())
        .await?;
    let row = provider_sign_in::ActiveModel {
        session_id: Set(Some(viewer.session())),
        ..begun.row(provider, return_to, now)
    };
    own.insert(row).await?;
    own.commit().await?;
    Ok(begun)
}

/// The refusal of a second account at a provider.
pub(super) fn already_linked() -> Error {
    Error::refused(
        Code::Taken,
        "provider",
        "Your account is linked to one at this provider already: unlink that first.",
    )
}

pub(super) fn nonce(browser: &Token) -> String {
    browser.derived("nonce").reveal()
}

pub(super) fn verifier(browser: &Token) -> String {
    browser.derived("pkce verifier").reveal()
}
