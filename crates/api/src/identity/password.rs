//! The viewer's own password: given again, and changed.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::{identity::password, secret::Token};

use super::{session::admit, viewer::Viewer};
use crate::{
    error::Result,
    operation::Operation,
    user_error::{Settled, UserError, payload},
};

/// What making the session fresh takes.
#[derive(InputObject)]
pub struct ConfirmPasswordInput {
    /// Password.
    #[graphql(secret)]
    password: String,
}

/// What changing the password takes.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The password so far; a fresh session needs none.
    #[graphql(secret)]
    current_password: Option<String>,
    /// 8 to 128 characters, among them an upper-case letter, a lower-case letter and a digit.
    #[graphql(secret)]
    new_password: String,
}

/// What became of giving or changing the password. The answer also sets the session cookie.
#[derive(SimpleObject)]
pub struct PasswordPayload {
    /// The session's new token, told this once; the one before has ended.
    token: Option<String>,
    /// The person who is signed in.
    viewer: Option<Viewer>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Mutations of the viewer's password.
#[derive(Default)]
pub struct PasswordMutation;

#[Object]
impl PasswordMutation {
    /// Makes the session fresh for 15 minutes, as what is answered with `SESSION_NOT_FRESH` needs it.
    /// The session gets a new token; the one before ends, and so do streams that were begun with it.
    async fn confirm_password(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "That they are still who they were.")] input: ConfirmPasswordInput,
    ) -> Option<Result<PasswordPayload>> {
        let operation = Operation::of(context);
        payload(async {
            let viewer = operation.require_viewer()?;
            let (passwords, limits) = (operation.passwords(), operation.limits());
            let confirmed = password::confirm(&viewer, passwords, limits, input.password).await?;
            Ok(admit(context, confirmed))
        })
        .await
    }

    /// Changes the password, in a fresh session or with the password so far. All other sessions of the
    /// viewer end; this one gets a new token, as with `confirmPassword`.
    async fn change_password(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is to be.")] input: ChangePasswordInput,
    ) -> Option<Result<PasswordPayload>> {
        let operation = Operation::of(context);
        payload(async {
            let viewer = operation.require_viewer()?;
            let (passwords, limits) = (operation.passwords(), operation.limits());
            let fresh = match input.current_password {
                Some(current) => {
                    password::prove(&viewer, passwords, limits, "currentPassword", current).await?
                }
                None => viewer.fresh()?,
            };
            let changed = password::change(fresh, passwords, input.new_password).await?;
            Ok(admit(context, changed))
        })
        .await
    }
}

impl From<Settled<Token>> for PasswordPayload {
    fn from(settled: Settled<Token>) -> Self {
        Self {
            viewer: settled.value.is_some().then_some(Viewer),
            token: settled.value.map(|token| token.reveal()),
            errors: settled.errors,
        }
    }
}
