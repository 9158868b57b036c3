//! Single-use tokens that are mailed to people. A row is written when one is asked for; the token
//! itself is made when its mail is sent, so that no secret waits in the outbox.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    identity::{
        account_token::{AccountTokenId, ActiveModel, Column, Entity, Model},
        user,
    },
    jobs::mail,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    Set,
    sea_query::{Expr, LockType},
};
use uuid::Uuid;

pub(super) use entity::identity::account_token::Purpose;

use crate::{
    Code, Error, Result, System,
    mail::{Kind, Mail, UNSENT},
    scope::{Own, SystemTransaction},
    secret::Token,
};

/// The word of a mail that says which row its token belongs to.
const ROW: &str = "accountTokenId";
/// Mails to one person for one purpose come this far apart, at least.
const APART: TimeDelta = TimeDelta::minutes(1);

/// Asks for a token in a running change of a locked account, to be mailed to `address`. The one that
/// was asked for before is worth nothing any more.
///
/// # Errors
/// A refusal when that was a moment ago.
pub(super) async fn request(
    own: &Own,
    purpose: Purpose,
    address: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let of_purpose = Column::Purpose.eq(purpose);
    let before = own
        .all(own.find::<Entity>().filter(of_purpose.clone()))
        .await?;
    if before.iter().any(|row| now - row.created_at < APART) {
        return Err(Error::refused(
            Code::TooSoon,
            "",
            "A mail was asked for less than a minute ago. Look for it, or wait a minute.",
        ));
    }
    own.delete(own.removal::<Entity>().filter(of_purpose))
        .await?;
    // Whose it is, the insert sets.
    let row = own
        .insert(row(user::UserId::random(), purpose, address, now))
        .await?;
    own.mail(letter(&row)).await
}

/// The same for an account that is just being made.
pub(super) async fn request_first(
    transaction: &SystemTransaction,
    user: user::UserId,
    address: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = row(user, Purpose::VerifyEmail, address, now);
    let row = row.insert(&**transaction).await?;
    transaction.mail(letter(&row)).await
}

/// Makes the token of a mail that [`request`] wrote; none if another was asked for since, or the account
/// is gone.
pub(crate) async fn mint(system: &System, data: &serde_json::Value) -> Result<Option<Token>> {
    let row = data[ROW].as_str().and_then(|id| Uuid::parse_str(id).ok());
    let row = row.ok_or_else(|| Error::Internal("a mail without its token's row".to_owned()))?;
    let transaction = system.begin(true).await?;
    let asked_for = Entity::find_by_id(row).filter(Column::UsedAt.is_null());
    let Some(row) = asked_for
        .lock(LockType::NoKeyUpdate)
        .one(&*transaction)
        .await?
    else {
        return Ok(None);
    };
    let token = Token::random()?;
    let update = ActiveModel {
        id: Set(row.id),
        token_hash: Set(Some(token.hash())),
        expires_at: Set(system.clock().now() + lifetime(row.purpose)),
        ..Default::default()
    };
    update.update(&*transaction).await?;
    transaction.commit().await?;
    Ok(Some(token))
}

/// Makes the token with which the account of a mail's recipient gets another password; none if the
/// address is no account's, or if another was asked for since, or less than a minute before.
pub(crate) async fn mint_reset(
    system: &System,
    mail: &mail::Model,
) -> Result<Option<(user::Model, Token)>> {
    let now = system.clock().now();
    let transaction = system.begin(true).await?;
    let holder = user::Entity::find()
        .filter(user::Column::Email.eq(&*mail.recipient))
        .filter(user::Column::DeletedAt.is_null())
        .lock(LockType::NoKeyUpdate);
    let Some(user) = holder.one(&*transaction).await? else {
        return Ok(None);
    };
    let of_purpose = Condition::all()
        .add(Column::UserId.eq(user.id))
        .add(Column::Purpose.eq(Purpose::ResetPassword));
    let before = Entity::find().filter(of_purpose.clone());
    let before = before.one(&*transaction).await?;
    // The row bears the id of its mail, which knows it again when it is tried again.
    let id = AccountTokenId::from(mail.id.uuid());
    if before.is_some_and(|row| row.id != id && mail.created_at - row.created_at < APART) {
        return Ok(None);
    }
    Entity::delete_many()
        .filter(of_purpose)
        .exec(&*transaction)
        .await?;
    let token = Token::random()?;
    let row = ActiveModel {
        id: Set(id),
        token_hash: Set(Some(token.hash())),
        ..row(user.id, Purpose::ResetPassword, &mail.recipient, now)
    };
    row.insert(&*transaction).await?;
    transaction.commit().await?;
    Ok(Some((user, token)))
}

/// Removes up to `size` tokens that were used, or are too old, and gives how many. One whose mail still
/// waits is not made yet, and does not grow old before the mail does.
pub(crate) async fn purge(system: &System, size: u64) -> Result<u64> {
    let now = system.clock().now();
    let mailed = Condition::all()
        .add(Column::TokenHash.is_not_null())
        .add(Column::ExpiresAt.lte(now));
    let over = Condition::any()
        .add(Column::UsedAt.is_not_null())
        .add(mailed)
        .add(Column::ExpiresAt.lte(now - UNSENT));
    let over = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(over)
        .limit(size);
    let transaction = system.begin(true).await?;
    let removed = Entity::delete_many()
        .filter(Column::Id.in_subquery(over.into_query()))
        .exec(&*transaction)
        .await?;
    transaction.commit().await?;
    Ok(removed.rows_affected)
}

/// What is true of the row that `token` opens for this purpose at this time, and of no other.
///
/// # Errors
/// A refusal when it is no token.
pub(super) fn opened_by(token: &str, purpose: Purpose, now: DateTime<Utc>) -> Result<Condition> {
    let token = Token::parse(token).ok_or_else(invalid)?;
    Ok(Condition::all()
        .add(Column::TokenHash.eq(token.hash()))
        .add(Column::Purpose.eq(purpose))
        .add(Column::UsedAt.is_null())
        .add(Column::ExpiresAt.gt(now)))
}

/// Uses a token in a running change, and locks the account that it is about. Of many who try at once
/// one does.
///
/// # Errors
/// A refusal when it opens nothing.
pub(super) async fn redeem(
    transaction: &SystemTransaction,
    live: Condition,
    now: DateTime<Utc>,
) -> Result<Model> {
    let found = Entity::find().filter(live.clone());
    let row = found.one(&**transaction).await?.ok_or_else(invalid)?;
    let account = user::Entity::find_by_id(row.user_id)
        .filter(user::Column::DeletedAt.is_null())
        .lock(LockType::NoKeyUpdate);
    account.one(&**transaction).await?.ok_or_else(invalid)?;
    let used = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(live);
    if used.exec(&**transaction).await?.rows_affected == 1 {
        Ok(row)
    } else {
        Err(invalid())
    }
}

/// The same for the token of a signed-in person, whose account is locked.
pub(super) async fn redeem_own(own: &Own, live: Condition, now: DateTime<Utc>) -> Result<Model> {
    let found = own.all(own.find::<Entity>().filter(live.clone())).await?;
    let used = own
        .change::<Entity>()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(live);
    if own.update(used).await? == 1 {
        found.into_iter().next().ok_or_else(invalid)
    } else {
        Err(invalid())
    }
}

/// One answer for every token that opens nothing.
pub(super) fn invalid() -> Error {
    Error::refused(
        Code::InvalidToken,
        "token",
        "This token is none of ours, was used, is too old, or was replaced by a newer one. Ask for another.",
    )
}

fn row(user: user::UserId, purpose: Purpose, address: &str, now: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        id: Set(entity::Id::random()),
        user_id: Set(user),
        purpose: Set(purpose),
        address: Set(address.to_owned()),
        token_hash: Set(None),
        created_at: Set(now),
        expires_at: Set(now + lifetime(purpose)),
        used_at: Set(None),
    }
}

fn letter(row: &Model) -> Mail {
    let kind = match row.purpose {
        Purpose::VerifyEmail => Kind::VerifyEmail,
        Purpose::ChangeEmail => Kind::ChangeEmail,
        Purpose::ResetPassword => Kind::ResetPassword,
    };
    Mail::new(kind, &*row.address)
        .about(row.user_id)
        .with(ROW, row.id.to_string())
}

fn lifetime(purpose: Purpose) -> TimeDelta {
    match purpose {
        Purpose::VerifyEmail | Purpose::ChangeEmail => TimeDelta::hours(24),
        Purpose::ResetPassword => TimeDelta::hours(1),
    }
}
