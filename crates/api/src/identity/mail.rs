//! What is proved by mail: an address, and who forgot a password.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use domain::identity::{email, password};

use super::viewer::Viewer;
use crate::{
    error::Result,
    operation::Operation,
    user_error::{Settled, UserError, payload},
};

/// What proving an address takes.
#[derive(InputObject)]
pub struct VerifyEmailInput {
    /// The token that was mailed.
    #[graphql(secret)]
    token: String,
}

/// What asking for another password takes.
#[derive(InputObject)]
pub struct RequestPasswordResetInput {
    /// The account's address.
    email: String,
}

/// What choosing another password takes.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// The token that was mailed.
    #[graphql(secret)]
    token: String,
    /// 8 to 128 characters, among them an upper-case letter, a lower-case letter and a digit.
    #[graphql(secret)]
    new_password: String,
}

/// What asking for another address takes.
#[derive(InputObject)]
pub struct RequestEmailChangeInput {
    /// What it is to be.
    email: String,
}

/// What making it the account's takes.
#[derive(InputObject)]
pub struct ConfirmEmailChangeInput {
    /// The token that was mailed.
    #[graphql(secret)]
    token: String,
}

/// What became of an account.
#[derive(SimpleObject)]
pub struct AccountPayload {
    /// The person who is signed in, if anybody is.
    viewer: Option<Viewer>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Mutations by mail.
#[derive(Default)]
pub struct MailMutation;

#[Object]
impl MailMutation {
    /// Takes a token that was mailed as proof of the account's address. Whoever has it need not be
    /// signed in.
    async fn verify_email(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The proof.")] input: VerifyEmailInput,
    ) -> Option<Result<AccountPayload>> {
        let operation = Operation::of(context);
        payload(async {
            email::verify(&operation.system(), &input.token, operation.origin()).await?;
            Ok(operation.viewer().map(|_| Viewer))
        })
        .await
    }

    /// Mails the viewer another token for `verifyEmail`; the one before is worth nothing any more.
    async fn request_email_verification(
        &self,
        context: &Context<'_>,
    ) -> Option<Result<AccountPayload>> {
        let operation = Operation::of(context);
        payload(async {
            email::request_verification(&operation.require_viewer()?).await?;
            Ok(Some(Viewer))
        })
        .await
    }

    /// Mails a token for `resetPassword`, if the address is an account's. The answer does not say
    /// whether it is. From one network address three times, and three more an hour, and for one e-mail
    /// address once an hour; then the error `RATE_LIMITED` says when to come again.
    async fn request_password_reset(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose.")] input: RequestPasswordResetInput,
    ) -> Option<Result<AccountPayload>> {
        let operation = Operation::of(context);
        payload(async {
            let (system, limits) = (operation.system(), operation.limits());
            password::request_reset(&system, limits, &input.email, operation.origin()).await?;
            Ok(operation.viewer().map(|_| Viewer))
        })
        .await
    }

    /// Chooses another password with a token that was mailed within the last hour. All sessions of the
    /// account end; sign in then.
    async fn reset_password(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The proof, and what it is to be.")] input: ResetPasswordInput,
    ) -> Option<Result<AccountPayload>> {
        let operation = Operation::of(context);
        payload(async {
            let (system, passwords) = (operation.system(), operation.passwords());
            let (password, origin) = (input.new_password, operation.origin());
            password::reset(&system, passwords, &input.token, password, origin).await?;
            Ok(None)
        })
        .await
    }

    /// Mails a token for `confirmEmailChange` to an address that is to be the account's, and tells the
    /// one so far. Needs a fresh session: see `confirmPassword`. An address can be asked for three times,
    /// and three more an hour; then the error `RATE_LIMITED` says when to come again.
    async fn request_email_change(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is to be.")] input: RequestEmailChangeInput,
    ) -> Option<Result<AccountPayload>> {
        let operation = Operation::of(context);
        payload(async {
            let fresh = operation.require_viewer()?.fresh()?;
            email::request_change(fresh, operation.limits(), &input.email).await?;
            Ok(Some(Viewer))
        })
        .await
    }

    /// Makes the address that the token was mailed to the account's, and tells both.
    async fn confirm_email_change(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The proof.")] input: ConfirmEmailChangeInput,
    ) -> Option<Result<AccountPayload>> {
        let operation = Operation::of(context);
        payload(async {
            email::confirm_change(&operation.require_viewer()?, &input.token).await?;
            Ok(Some(Viewer))
        })
        .await
    }
}

impl From<Settled<Option<Viewer>>> for AccountPayload {
    fn from(settled: Settled<Option<Viewer>>) -> Self {
        Self {
            viewer: settled.value.flatten(),
            errors: settled.errors,
        }
    }
}
