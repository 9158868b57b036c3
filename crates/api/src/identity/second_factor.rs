//! Second factors: adding them and taking them away, and giving one.

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    identity::second_factor::{self, Factor, FactorKind, Proof, challenge, totp},
    secret::Token,
};

use super::{
    session::{SignInPayload, admit},
    viewer::Viewer,
};
use crate::{
    error::Result,
    operation::Operation,
    user_error::{Settled, UserError, payload},
};

/// A kind of second factor.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "FactorKind")]
pub enum SecondFactorKind {
    /// An authenticator app: a code of six digits for each half minute (RFC 6238).
    Totp,
}

/// A second factor of the viewer's.
#[derive(SimpleObject)]
pub struct SecondFactor {
    /// What it is.
    kind: SecondFactorKind,
    /// Since when it is one.
    confirmed_at: DateTime<Utc>,
}

/// A sign-in whose password was right, and that waits for a second factor.
#[derive(SimpleObject)]
pub struct SignInChallenge {
    /// For `completeSignIn`, told this once.
    token: String,
    /// What would do. A recovery code does, too.
    factors: Vec<SecondFactorKind>,
    /// Until when it waits.
    expires_at: DateTime<Utc>,
}

/// What finishing a sign-in takes: one of the two codes.
#[derive(InputObject)]
pub struct CompleteSignInInput {
    /// The token of its challenge.
    #[graphql(secret)]
    challenge: String,
    /// The six digits that the authenticator app shows.
    #[graphql(secret)]
    code: Option<String>,
    /// A recovery code.
    #[graphql(secret)]
    recovery_code: Option<String>,
}

/// What giving a second factor takes: one of the two codes.
#[derive(InputObject)]
pub struct ConfirmSecondFactorInput {
    /// The six digits that the authenticator app shows.
    #[graphql(secret)]
    code: Option<String>,
    /// A recovery code.
    #[graphql(secret)]
    recovery_code: Option<String>,
}

/// What making an authenticator app a second factor takes.
#[derive(InputObject)]
pub struct ConfirmTotpInput {
    /// The six digits that it shows.
    #[graphql(secret)]
    code: String,
}

/// What an authenticator app is told.
#[derive(SimpleObject)]
pub struct BeginTotpPayload {
    /// The secret in base 32, told this once; for who types it in.
    secret: Option<String>,
    /// The same as an `otpauth` URI; for a picture that the app reads.
    uri: Option<String>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// What became of second factors. The answer also sets the session cookie where there is a token.
#[derive(SimpleObject)]
pub struct SecondFactorPayload {
    /// The session's new token, told this once; the one before has ended. Null where it stays.
    token: Option<String>,
    /// Codes that are good once each, for who lost what they have: told this once.
    recovery_codes: Option<Vec<String>>,
    /// The person who is signed in.
    viewer: Option<Viewer>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// What was done, for [`SecondFactorPayload`].
#[derive(Default)]
struct Done {
    token: Option<Token>,
    recovery_codes: Option<Vec<String>>,
}

/// Mutations of second factors.
#[derive(Default)]
pub struct SecondFactorMutation;

#[Object]
impl SecondFactorMutation {
    /// Begins to add an authenticator app, which becomes a second factor with `confirmTotp`, within an
    /// hour. Needs a fresh session: see `confirmPassword`.
    async fn begin_totp(&self, context: &Context<'_>) -> Option<Result<BeginTotpPayload>> {
        let operation = Operation::of(context);
        payload(async { totp::begin(&operation.require_viewer()?.fresh()?).await }).await
    }

    /// Makes the app that was begun a second factor: from now on signing in takes it, too. Gives ten
    /// recovery codes, unless there are some. Needs a fresh session; it gets a new token, and counts as
    /// one in which a second factor was given.
    async fn confirm_totp(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "That the app has the secret.")] input: ConfirmTotpInput,
    ) -> Option<Result<SecondFactorPayload>> {
        let operation = Operation::of(context);
        payload(async {
            let fresh = operation.require_viewer()?.fresh()?;
            let confirmed = totp::confirm(&fresh, operation.passwords(), &input.code).await?;
            Ok(Done {
                token: Some(admit(context, confirmed.session)),
                recovery_codes: confirmed.recovery_codes,
            })
        })
        .await
    }

    /// Takes the authenticator app away; with the last second factor go the recovery codes. Needs a fresh
    /// session in which a second factor was given. The session gets a new token.
    async fn disable_totp(&self, context: &Context<'_>) -> Option<Result<SecondFactorPayload>> {
        let operation = Operation::of(context);
        payload(async {
            let disabled = totp::disable(&operation.require_viewer()?.fresh()?).await?;
            Ok(Done {
                token: Some(admit(context, disabled)),
                ..Done::default()
            })
        })
        .await
    }

    /// Gives ten other recovery codes; those before are worth nothing any more. Needs a fresh session in
    /// which a second factor was given.
    async fn regenerate_recovery_codes(
        &self,
        context: &Context<'_>,
    ) -> Option<Result<SecondFactorPayload>> {
        let operation = Operation::of(context);
        payload(async {
            let fresh = operation.require_viewer()?.fresh()?;
            let passwords = operation.passwords();
            let codes = second_factor::regenerate_recovery_codes(&fresh, passwords).await?;
            Ok(Done {
                recovery_codes: Some(codes),
                ..Done::default()
            })
        })
        .await
    }

    /// Opens the session of a sign-in that was answered with a challenge. After ten wrong second factors of
    /// an account within 15 minutes, whatever they were given for, none is looked at for 15 minutes; then
    /// the error `RATE_LIMITED` says when to come again.
    async fn complete_sign_in(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which sign-in, and the second factor.")] input: CompleteSignInInput,
    ) -> Option<Result<SignInPayload>> {
        let operation = Operation::of(context);
        payload(async {
            let (system, passwords) = (operation.system(), operation.passwords());
            let (code, recovery_code) = (input.code.as_deref(), input.recovery_code.as_deref());
            let proof = Proof::typed(code, recovery_code)?;
            let origin = operation.origin().clone();
            let completed =
                challenge::complete(&system, passwords, &input.challenge, proof, origin).await?;
            Ok(admit(context, completed).into())
        })
        .await
    }

    /// Gives a second factor in a session that was opened without one, as what is answered with
    /// `SECOND_FACTOR_REQUIRED` needs it. The session gets a new token; the one before ends, and so do
    /// streams that were begun with it. Wrong ones are counted as with `completeSignIn`.
    async fn confirm_second_factor(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "That they have it.")] input: ConfirmSecondFactorInput,
    ) -> Option<Result<SecondFactorPayload>> {
        let operation = Operation::of(context);
        payload(async {
            let (viewer, passwords) = (operation.require_viewer()?, operation.passwords());
            let (code, recovery_code) = (input.code.as_deref(), input.recovery_code.as_deref());
            let proof = Proof::typed(code, recovery_code)?;
            let confirmed = second_factor::confirm(&viewer, passwords, proof).await?;
            Ok(Done {
                token: Some(admit(context, confirmed)),
                ..Done::default()
            })
        })
        .await
    }
}

impl From<Factor> for SecondFactor {
    fn from(factor: Factor) -> Self {
        Self {
            kind: factor.kind.into(),
            confirmed_at: factor.confirmed_at,
        }
    }
}

impl From<challenge::Challenge> for SignInChallenge {
    fn from(challenge: challenge::Challenge) -> Self {
        let factors = challenge.factors.into_iter();
        Self {
            token: challenge.token.reveal(),
            factors: factors.map(SecondFactorKind::from).collect(),
            expires_at: challenge.expires_at,
        }
    }
}

impl From<Settled<totp::Enrolment>> for BeginTotpPayload {
    fn from(settled: Settled<totp::Enrolment>) -> Self {
        let (secret, uri) = settled.value.map(|begun| (begun.secret, begun.uri)).unzip();
        Self {
            secret,
            uri,
            errors: settled.errors,
        }
    }
}

impl From<Settled<Done>> for SecondFactorPayload {
    fn from(settled: Settled<Done>) -> Self {
        let viewer = settled.value.is_some().then_some(Viewer);
        let done = settled.value.unwrap_or_default();
        Self {
            token: done.token.map(|token| token.reveal()),
            recovery_codes: done.recovery_codes,
            viewer,
            errors: settled.errors,
        }
    }
}
