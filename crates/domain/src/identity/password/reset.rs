//! Another password for who forgot theirs.

use entity::identity::{account_token, session, user};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};

use super::{Passwords, change::check_new};
use crate::{
    Error, Limits, Result, System,
    identity::{
        account_log,
        account_token::{Purpose, invalid, opened_by, redeem},
        email, second_factor,
    },
    limit,
    mail::{Kind, Mail},
    scope::Origin,
};

/// Has a token mailed to an address if it is an account's. Whether it is, is found out when the mail is
/// sent: what is done here is the same for every address.
///
/// # Errors
/// A refusal when it is no address. [`Error::Limited`] after too many tries from one network address, or
/// for one e-mail address.
pub async fn request_reset(
    system: &System,
    limits: &Limits,
    address: &str,
    origin: &Origin,
) -> Result<()> {
    let address = email::check(address).map_err(|problem| Error::Refused(vec![problem]))?;
    limits.take_from(&limit::RECOVERY, origin).await?;
    let of_address = limits.take(&limit::RECOVERY_OF_ADDRESS, &address);
    of_address.await?;
    let transaction = system.begin(true).await?;
    transaction
        .mail(Mail::new(Kind::ResetPassword, address))
        .await?;
    transaction.commit().await
}

/// Gives the account another password for a token that was mailed to its address, which is proved by
/// that. All its sessions end.
///
/// # Errors
/// A refusal when it is no such token, or the password does not satisfy the rule.
pub async fn reset(
    system: &System,
    passwords: &Passwords,
    token: &str,
    new_password: String,
    origin: &Origin,
) -> Result<()> {
    check_new(&new_password)?;
    let now = system.clock().now();
    let live = opened_by(token, Purpose::ResetPassword, now)?;
    // Nobody has a password hashed for nothing.
    let transaction = system.begin(false).await?;
    let known = account_token::Entity::find().filter(live.clone());
    known.one(&*transaction).await?.ok_or_else(invalid)?;
    drop(transaction);
    let password_hash = passwords.hash(new_password).await?;

    let transaction = system.begin(true).await?;
    let row = redeem(&transaction, live, now).await?;
    let update = user::ActiveModel {
        id: Set(row.user_id),
        password_hash: Set(password_hash),
        email_verified_at: Set(Some(now)),
        updated_at: Set(now),
        ..Default::default()
    };
    update.update(&*transaction).await?;
    let ended = session::Entity::find()
        .filter(session::Column::UserId.eq(row.user_id))
        .all(&*transaction)
        .await?;
    session::Entity::delete_many()
        .filter(session::Column::UserId.eq(row.user_id))
        .exec(&*transaction)
        .await?;
    // A change of the address that somebody else asked for is among them.
    account_token::Entity::delete_many()
        .filter(account_token::Column::UserId.eq(row.user_id))
        .exec(&*transaction)
        .await?;
    let told = Mail::new(Kind::PasswordChanged, row.address);
    transaction.mail(told.about(row.user_id)).await?;
    let kind = account_log::Kind::PasswordReset;
    account_log::done_by_mail(&transaction, row.user_id, origin, kind).await?;
    // Sign-ins with the password before. The second factors themselves stay.
    let own = transaction.of(row.user_id);
    second_factor::end_challenges(&own).await?;
    own.commit().await?;
    for session in ended {
        system.db().end_session(session.id);
    }
    Ok(())
}
