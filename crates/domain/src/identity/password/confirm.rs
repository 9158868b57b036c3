//! Giving the password again, for what a stolen session must not do.

use super::{LONGEST, Passwords, Verdict};
use crate::{
    Code, Error, Limits, Result, Viewer,
    identity::{
        account_log::{self, Kind},
        session, user,
    },
    limit,
    scope::Fresh,
    secret::Token,
};

/// Verifies the viewer's own password, which came in the input `field`. Whoever has a session and guesses
/// is answered later and later, as at the sign-in.
///
/// # Errors
/// A refusal when it is wrong.
pub async fn prove(
    viewer: &Viewer,
    passwords: &Passwords,
    limits: &Limits,
    field: &'static str,
    password: String,
) -> Result<Fresh> {
    let wrong = || Error::refused(Code::BadCredentials, field, "The password is wrong.");
    if password.len() > LONGEST {
        return Err(wrong());
    }
    let account = viewer.user().to_string();
    limits.slow_down(&limit::WRONG_PASSWORDS, &account).await?;
    let stored = user::row(viewer).await?.password_hash;
    if passwords.verify(password, Some(stored)).await? == Verdict::Wrong {
        let who = (viewer.user(), Some(viewer.session()));
        let (kind, reason) = (Kind::PasswordConfirmed, Code::BadCredentials);
        account_log::refused(&viewer.db, who, &viewer.origin, kind, reason);
        return Err(wrong());
    }
    limits.forgive(&limit::WRONG_PASSWORDS, &account).await;
    let proved = Viewer {
        authenticated_at: viewer.clock().now(),
        ..viewer.clone()
    };
    proved.fresh()
}

/// Makes the session in use fresh, for who gives their password again. It gets another token, and the
/// one that it had ends.
///
/// # Errors
/// That of [`prove`].
pub async fn confirm(
    viewer: &Viewer,
    passwords: &Passwords,
    limits: &Limits,
    password: String,
) -> Result<(Token, Viewer)> {
    let fresh = prove(viewer, passwords, limits, "password", password).await?;
    let own = fresh.viewer().begin(true).await?;
    session::lock(&own, fresh.viewer()).await?;
    // As the proof has it: given now.
    let renewed = session::renew(&own, fresh.viewer().clone()).await?;
    account_log::done(&own, viewer, Kind::PasswordConfirmed).await?;
    own.commit().await?;
    viewer.db.end_session(viewer.session());
    Ok(renewed)
}
