//! Another password.

use entity::identity::{account_token, user};
use sea_orm::{ColumnTrait, QueryFilter, sea_query::Expr};

use super::{Passwords, check};
use crate::{
    Error, Problem, Result, Viewer,
    identity::{account_log, account_token::Purpose, second_factor, session},
    mail::{Kind, Mail},
    scope::Fresh,
    secret::Token,
};

/// Gives the account another password. All its other sessions end, and the one in use gets another
/// token.
///
/// # Errors
/// A refusal when the password does not satisfy the rule.
pub async fn change(
    fresh: Fresh,
    passwords: &Passwords,
    new_password: String,
) -> Result<(Token, Viewer)> {
    let viewer = fresh.viewer();
    check_new(&new_password)?;
    let password_hash = passwords.hash(new_password).await?;
    let own = viewer.begin(true).await?;
    let account = session::lock(&own, viewer).await?;
    let update = own
        .change::<user::Entity>()
        .col_expr(user::Column::PasswordHash, Expr::value(password_hash))
        .col_expr(user::Column::UpdatedAt, Expr::value(viewer.clock().now()));
    own.update(update).await?;
    let ended = session::end_others(&own, viewer).await?;
    let confirmed = Viewer {
        authenticated_at: viewer.clock().now(),
        ..viewer.clone()
    };
    let renewed = session::renew(&own, confirmed).await?;
    // A sign-in with the password before.
    second_factor::end_challenges(&own).await?;
    // What somebody else may have asked for: another address, or yet another password.
    let others = account_token::Column::Purpose.ne(Purpose::VerifyEmail);
    own.delete(own.removal::<account_token::Entity>().filter(others))
        .await?;
    let told = Mail::new(Kind::PasswordChanged, account.email);
    own.mail(told.about(viewer.user())).await?;
    account_log::done(&own, viewer, account_log::Kind::PasswordChanged).await?;
    own.commit().await?;
    for session in ended.iter().map(|session| session.id) {
        viewer.db.end_session(session);
    }
    viewer.db.end_session(viewer.session());
    Ok(renewed)
}

/// Checks a password that came as `newPassword`.
pub(super) fn check_new(password: &str) -> Result<()> {
    check(password).map_err(|problem| {
        Error::Refused(vec![Problem {
            field: "newPassword",
            ..problem
        }])
    })
}
