//! Giving a second factor in a session that was opened without one, or again.

use super::{Proof, held, require_any};
use crate::{
    Result, Viewer,
    identity::{Passwords, session},
    secret::Token,
};

/// Marks the session in use as one in which a second factor was given. It gets another token, and the
/// one that it had ends.
///
/// # Errors
/// A refusal when it is wrong, or there is none. [`Error::Limited`] after ten wrong ones of the account.
pub async fn confirm(
    viewer: &Viewer,
    passwords: &Passwords,
    proof: Proof,
) -> Result<(Token, Viewer)> {
    let given = proof.prepare(viewer.begin(false).await?, passwords).await?;
    let own = viewer.begin(true).await?;
    let account = session::lock(&own, viewer).await?;
    require_any(&held(&own).await?)?;
    let own = given.take(own, &account).await?;
    let marked = Viewer {
        second_factor_at: Some(viewer.clock().now()),
        ..viewer.clone()
    };
    let renewed = session::renew(&own, marked).await?;
    own.commit().await?;
    viewer.db.end_session(viewer.session());
    Ok(renewed)
}
