//! The viewer's own account: what it says about them, its name, and its end.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::{
    identity::{
        profile::{self, ProfilePatch},
        username,
    },
    organizations::account,
};

use super::{mail::AccountPayload, session::leave, user::Locale, viewer::Viewer};
use crate::{
    error::Result,
    operation::Operation,
    user_error::{Settled, UserError, payload},
};

/// What of the viewer's profile is to change; what is left out stays.
#[derive(InputObject)]
pub struct UpdateProfileInput {
    /// Given name.
    first_name: Option<String>,
    /// Family name; may be empty.
    last_name: Option<String>,
    /// Telephone number; null for none.
    phone: MaybeUndefined<String>,
    /// Where a picture of them is: an address that begins with `https://`, of at most 2048 characters;
    /// null for none.
    avatar_url: MaybeUndefined<String>,
    /// The language of their mails.
    locale: Option<Locale>,
}

/// What changing the username takes.
#[derive(InputObject)]
pub struct ChangeUsernameInput {
    /// 3 to 50 letters (A to Z), digits or underscores.
    username: String,
}

/// What became of closing an account. The answer also clears the session cookie.
#[derive(SimpleObject)]
pub struct DeleteAccountPayload {
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Mutations of the viewer's account.
#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Changes what the account says about the viewer.
    async fn update_profile(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateProfileInput,
    ) -> Option<Result<AccountPayload>> {
        let patch = ProfilePatch {
            first_name: input.first_name,
            last_name: input.last_name,
            phone: input.phone.into(),
            avatar_url: input.avatar_url.into(),
            locale: input.locale.map(Into::into),
        };
        payload(async {
            profile::update(&Operation::of(context).require_viewer()?, patch).await?;
            Ok(Some(Viewer))
        })
        .await
    }

    /// Gives the account another username. The one before can be taken by anybody from then on. Needs a
    /// fresh session: see `confirmPassword`. An account can ask for it three times, and three more a day;
    /// then the error `RATE_LIMITED` says when to come again.
    async fn change_username(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is to be.")] input: ChangeUsernameInput,
    ) -> Option<Result<AccountPayload>> {
        let operation = Operation::of(context);
        payload(async {
            let fresh = operation.require_viewer()?.fresh()?;
            username::change(fresh, operation.limits(), &input.username).await?;
            Ok(Some(Viewer))
        })
        .await
    }

    /// Closes the account: all its sessions end at once, and its memberships. What it did stays in the
    /// organizations' history. Its username and address stay reserved for 30 days, after which nothing of
    /// it is left. Needs a fresh session: see `confirmPassword`. Refused while it owns an organization.
    async fn delete_account(&self, context: &Context<'_>) -> Option<Result<DeleteAccountPayload>> {
        payload(async {
            let fresh = Operation::of(context).require_viewer()?.fresh()?;
            account::delete(fresh).await?;
            leave(context);
            Ok(())
        })
        .await
    }
}

impl From<Settled<()>> for DeleteAccountPayload {
    fn from(settled: Settled<()>) -> Self {
        Self {
            errors: settled.errors,
        }
    }
}
