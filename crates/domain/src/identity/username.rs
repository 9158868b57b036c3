//! The rule for usernames (schema source 001): 3 to 50 of `[A-Za-z0-9_]`.

use entity::identity::user;
use sea_orm::sea_query::Expr;

use super::{
    account_log::{self, Kind},
    session,
};
use crate::{Code, Error, Limits, Problem, Result, limit, scope::Fresh};

/// Checks a username and gives its key: what uniqueness and sign-in compare.
pub fn check(username: &str) -> Result<String, Problem> {
    let permitted = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if (3..=50).contains(&username.len()) && username.bytes().all(permitted) {
        Ok(key(username))
    } else {
        Err(Problem::new(
            Code::Invalid,
            "username",
            "A username has 3 to 50 letters (A to Z), digits or underscores.",
        ))
    }
}

/// The key of a username, whether or not it is permitted.
#[must_use]
pub fn key(username: &str) -> String {
    username.to_ascii_lowercase()
}

/// Gives the viewer another username. The one before is free at once: nothing leads to a person by
/// their name.
///
/// # Errors
/// A refusal when it is none, theirs already, or somebody else's. [`Error::Limited`] after too many
/// tries.
pub async fn change(fresh: Fresh, limits: &Limits, username: &str) -> Result<()> {
    let viewer = fresh.viewer();
    let username_key = check(username).map_err(|problem| Error::Refused(vec![problem]))?;
    let account = viewer.user().to_string();
    limits.take(&limit::USERNAME_CHANGE, &account).await?;
    let own = viewer.begin(true).await?;
    let account = session::lock(&own, viewer).await?;
    if account.username == username {
        let message = "This is your username already.";
        return Err(Error::refused(Code::Invalid, "username", message));
    }
    let update = own
        .change::<user::Entity>()
        .col_expr(user::Column::Username, Expr::value(username))
        .col_expr(user::Column::UsernameKey, Expr::value(username_key))
        .col_expr(user::Column::UpdatedAt, Expr::value(viewer.clock().now()));
    let updated = own.update(update).await;
    updated.map_err(|error| error.or_taken("username", "This username is taken."))?;
    account_log::done(&own, viewer, Kind::UsernameChanged).await?;
    own.commit().await
}
