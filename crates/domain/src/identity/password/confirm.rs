//! Giving the password again, for what a stolen session must not do.

use super::{LONGEST, Passwords, Verdict};
use crate::{
    Code, Error, Result, Viewer,
    identity::{session, user},
    scope::Fresh,
    secret::Token,
};

/// Verifies the viewer's own password, which came in the input `field`.
///
/// # Errors
/// A refusal when it is wrong.
pub async fn prove(
    viewer: &Viewer,
    passwords: &Passwords,
    field: &'static str,
    password: String,
) -> Result<Fresh> {
    let wrong = || Error::refused(Code::BadCredentials, field, "The password is wrong.");
    if password.len() > LONGEST {
        return Err(wrong());
    }
    let stored = user::row(viewer).await?.password_hash;
    if passwords.verify(password, Some(stored)).await? == Verdict::Wrong {
        return Err(wrong());
    }
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
    password: String,
) -> Result<(Token, Viewer)> {
    let fresh = prove(viewer, passwords, "password", password).await?;
    let own = fresh.viewer().begin(true).await?;
    session::lock(&own, fresh.viewer()).await?;
    let renewed = session::renew(&own, fresh.viewer()).await?;
    own.commit().await?;
    viewer.db.end_session(viewer.session());
    Ok(renewed)
}
