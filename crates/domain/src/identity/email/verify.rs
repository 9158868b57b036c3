//! Proving that an address is one's own.

use entity::identity::user;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{
    Code, Error, Result, System, Viewer,
    identity::{
        account_log::{self, Kind},
        account_token::{self, Purpose},
        session,
    },
    scope::Origin,
};

/// Takes the token that was mailed to an account's address as proof of it, from whoever has it.
///
/// # Errors
/// A refusal when it is no such token.
pub async fn verify(system: &System, token: &str, origin: &Origin) -> Result<()> {
    let now = system.clock().now();
    let live = account_token::opened_by(token, Purpose::VerifyEmail, now)?;
    let transaction = system.begin(true).await?;
    let row = account_token::redeem(&transaction, live, now).await?;
    user::Entity::update_many()
        .col_expr(user::Column::EmailVerifiedAt, Expr::value(now))
        .col_expr(user::Column::UpdatedAt, Expr::value(now))
        .filter(user::Column::Id.eq(row.user_id))
        .filter(user::Column::Email.eq(row.address))
        .exec(&*transaction)
        .await?;
    account_log::done_by_mail(&transaction, row.user_id, origin, Kind::EmailVerified).await?;
    transaction.commit().await
}

/// Has the viewer's address asked for its proof again.
///
/// # Errors
/// A refusal when it is proved, or was asked a moment ago.
pub async fn request_verification(viewer: &Viewer) -> Result<()> {
    let own = viewer.begin(true).await?;
    let account = session::lock(&own, viewer).await?;
    if account.email_verified_at.is_some() {
        return Err(Error::refused(
            Code::WrongState,
            "",
            "Your address is confirmed already.",
        ));
    }
    let now = viewer.clock().now();
    account_token::request(&own, Purpose::VerifyEmail, &account.email, now).await?;
    own.commit().await
}
