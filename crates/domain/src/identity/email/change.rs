//! Another address.

use entity::identity::{account_token, user};
use sea_orm::sea_query::Expr;

use super::check;
use crate::{
    Code, Error, Limits, Result, Viewer,
    identity::{
        account_log,
        account_token::{Purpose, opened_by, redeem_own, request},
        session,
    },
    limit,
    mail::{Kind, Mail},
    scope::Fresh,
};

/// Has an address asked to prove that it is the viewer's, and tells the one so far. Whether another
/// account has it is not told before that.
///
/// # Errors
/// A refusal when it is none, is the viewer's already, or was asked a moment ago. [`Error::Limited`] when
/// it was asked too often, by whomever.
pub async fn request_change(fresh: Fresh, limits: &Limits, email: &str) -> Result<()> {
    let viewer = fresh.viewer();
    let email = check(email).map_err(|problem| Error::Refused(vec![problem]))?;
    limits.take(&limit::EMAIL_CHANGE, &email).await?;
    let own = viewer.begin(true).await?;
    let account = session::lock(&own, viewer).await?;
    if account.email == email {
        return Err(Error::refused(
            Code::Invalid,
            "email",
            "This is your address already.",
        ));
    }
    request(&own, Purpose::ChangeEmail, &email, viewer.clock().now()).await?;
    let told = Mail::new(Kind::EmailChangeRequested, account.email);
    own.mail(told.about(viewer.user()).with("email", email))
        .await?;
    account_log::done(&own, viewer, account_log::Kind::EmailChangeRequested).await?;
    own.commit().await
}

/// Makes the address that the token was mailed to the viewer's, and tells both. Only themselves may: a
/// stranger whose address was given by mistake has the token, too.
///
/// # Errors
/// A refusal when it is no such token, or another account has the address.
pub async fn confirm_change(viewer: &Viewer, token: &str) -> Result<()> {
    let now = viewer.clock().now();
    let live = opened_by(token, Purpose::ChangeEmail, now)?;
    let own = viewer.begin(true).await?;
    let account = session::lock(&own, viewer).await?;
    let email = redeem_own(&own, live, now).await?.address;
    let update = own
        .change::<user::Entity>()
        .col_expr(user::Column::Email, Expr::value(&*email))
        .col_expr(user::Column::EmailVerifiedAt, Expr::value(now))
        .col_expr(user::Column::UpdatedAt, Expr::value(now));
    let message = "An account with this address exists: sign in there instead.";
    let updated = own.update(update).await;
    updated.map_err(|error| error.or_taken("token", message))?;
    // Those that were mailed to the address before.
    let others = own.removal::<account_token::Entity>();
    own.delete(others).await?;
    for recipient in [&account.email, &email] {
        let told = Mail::new(Kind::EmailChanged, recipient);
        own.mail(told.about(viewer.user()).with("email", &*email))
            .await?;
    }
    account_log::done(&own, viewer, account_log::Kind::EmailChanged).await?;
    own.commit().await
}
