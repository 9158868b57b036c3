//! Accounts at outside providers that people sign in with.
//!
//! A sign-in there is begun, leaves with the browser, and comes back to be completed: [`begin_sign_in`] or
//! [`begin_link`], [`claim`], and once the provider said who it is, [`complete`]. What begins it makes two
//! secrets. The state travels through the provider; the browser's own never does, and nonce and PKCE
//! verifier are made of it. So who has only what the provider saw completes nothing, and no secret is
//! stored.
//!
//! Which account is meant, issuer and subject say. The address that a provider tells is never a reason to
//! sign in to an account that is there already: who had it before may have another by now.

mod begin;
mod claim;
mod link;
mod sign_in;
mod unlink;

use entity::identity::{linked_account, provider_sign_in};
use sea_orm::QueryOrder;

pub use entity::identity::linked_account::{LinkedAccountId, Model as LinkedAccount};

pub use begin::{Begun, LIFETIME, begin_link, begin_sign_in};
pub use claim::{Claimed, claim, return_to};
pub use unlink::unlink;

use super::sign_in::SignedIn;
use crate::{
    Error, Limits, Result, System, Viewer,
    scope::{Origin, Own},
    secret::sealing::{Place, Sealing},
};

/// Who somebody is, as a provider proved it.
pub struct Identity {
    /// The provider's own name, a URL.
    pub issuer: String,
    /// The provider's name of the account.
    pub subject: String,
    /// The address that the provider knows.
    pub email: Option<String>,
    /// Whether the provider says that it is proved.
    pub email_verified: bool,
    /// Given name.
    pub given_name: Option<String>,
    /// Family name.
    pub family_name: Option<String>,
    /// The whole name.
    pub name: Option<String>,
    /// The language that they read, as BCP 47 writes it.
    pub locale: Option<String>,
    /// What asks the provider again without the person, where it gave that.
    pub refresh_token: Option<String>,
}

/// What a completed sign-in came to.
pub enum Completed {
    /// Somebody is signed in, or has to give a second factor first.
    SignedIn(SignedIn),
    /// The account that asked for it has a link more.
    Linked,
}

/// Carries out what was begun, now that the provider said who it is.
///
/// # Errors
/// A refusal: of an address that is not proved, or is another account's; of an account there that is
/// linked to another one here. [`Error::Limited`] after too many new accounts from one network address.
pub async fn complete(
    system: &System,
    limits: &Limits,
    claimed: Claimed,
    identity: Identity,
    origin: Origin,
) -> Result<Completed> {
    if let Some(viewer) = claimed.viewer {
        link::link(&viewer, claimed.provider, identity).await?;
        Ok(Completed::Linked)
    } else {
        let signed_in = sign_in::sign_in(system, limits, claimed.provider, identity, origin);
        Ok(Completed::SignedIn(signed_in.await?))
    }
}

/// What the viewer signs in with at providers, oldest first; one at each.
pub async fn list(viewer: &Viewer) -> Result<Vec<LinkedAccount>> {
    let own = viewer.begin(false).await?;
    let select = own
        .find::<linked_account::Entity>()
        .order_by_asc(linked_account::Column::CreatedAt)
        .order_by_asc(linked_account::Column::Id);
    own.all(select).await
}

/// Removes all of an account's, which is about to be forgotten.
pub(crate) async fn forget(own: &Own) -> Result<()> {
    own.delete(own.removal::<linked_account::Entity>()).await?;
    own.delete(own.removal::<provider_sign_in::Entity>())
        .await?;
    Ok(())
}

/// The refresh token as it is kept: encrypted, or not at all where nobody gave a key.
fn sealed(sealing: &Sealing, id: LinkedAccountId, identity: &Identity) -> Result<Option<Vec<u8>>> {
    let Some(token) = &identity.refresh_token else {
        return Ok(None);
    };
    let place = Place::of::<linked_account::Entity>(linked_account::Column::RefreshToken, id);
    match sealing.seal(place, token.as_bytes()) {
        Err(Error::Refused(_)) => Ok(None),
        sealed => sealed.map(Some),
    }
}
