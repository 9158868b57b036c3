//! Making an account.

use entity::identity::user;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::ExprTrait};

use super::{
    Passwords,
    account_log::{self, Kind},
    account_token, email, password, session, username,
};
use crate::{
    Code, Error, Limits, Problem, Result, System, Viewer, limit, mail::Locale, scope::Origin,
    secret::Token, text,
};

/// What a person tells about themselves.
#[derive(Clone)]
pub struct NewAccount {
    /// 3 to 50 of `[A-Za-z0-9_]`.
    pub username: String,
    /// Their address.
    pub email: String,
    /// See [`password::check`].
    pub password: String,
    /// Given name.
    pub first_name: String,
    /// Family name; may be empty.
    pub last_name: String,
    /// The language of their mails.
    pub locale: Locale,
}

/// Makes an account, signs it in, and asks its address for the proof that it is theirs.
///
/// # Errors
/// A refusal naming every field that is wrong or taken. [`Error::Limited`] after too many accounts, or
/// tries of what is taken, from one network address.
pub async fn sign_up(
    system: &System,
    passwords: &Passwords,
    limits: &Limits,
    account: NewAccount,
    origin: Origin,
) -> Result<(Token, Viewer)> {
    let mut problems = Vec::new();
    let username_key = username::check(&account.username)
        .map_err(|problem| problems.push(problem))
        .ok();
    let email = email::check(&account.email)
        .map_err(|problem| problems.push(problem))
        .ok();
    password::check(&account.password)
        .map_err(|problem| problems.push(problem))
        .ok();
    let first_name = text::required(&mut problems, "firstName", &account.first_name, 100);
    let last_name = text::optional(&mut problems, "lastName", &account.last_name, 100);
    let (Some(username_key), Some(email), true) = (username_key, email, problems.is_empty()) else {
        return Err(Error::Refused(problems));
    };
    limits.take_from(&limit::SIGN_UP, &origin).await?;
    // The costly part comes before the transaction, and before it is known whether anything is taken.
    let password_hash = passwords.hash(account.password).await?;

    let now = system.clock().now();
    let transaction = system.begin(true).await?;
    let present = user::Entity::find()
        .filter(
            user::Column::UsernameKey
                .eq(&*username_key)
                .or(user::Column::Email.eq(&*email)),
        )
        .all(&*transaction)
        .await?;
    for user in present {
        if user.username_key == username_key {
            problems.push(Problem::new(
                Code::Taken,
                "username",
                "This username is taken.",
            ));
        }
        if user.email == email {
            problems.push(Problem::new(
                Code::Taken,
                "email",
                "An account with this address exists: sign in instead.",
            ));
        }
    }
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    let id = user::UserId::random();
    let row = user::ActiveModel {
        id: Set(id),
        username: Set(account.username),
        username_key: Set(username_key),
        email: Set(email.clone()),
        email_verified_at: Set(None),
        password_hash: Set(password_hash),
        first_name: Set(first_name),
        last_name: Set(last_name),
        phone: Set(None),
        avatar_url: Set(None),
        locale: Set(account.locale.as_str().to_owned()),
        created_at: Set(now),
        updated_at: Set(now),
        deleted_at: Set(None),
        purged_at: Set(None),
    };
    row.insert(&*transaction).await?;
    account_token::request_first(&transaction, id, &email, now).await?;
    let own = transaction.of(id);
    let signed_in = session::open(&own, origin).await?;
    account_log::done(&own, &signed_in.1, Kind::SignedUp).await?;
    own.commit().await?;
    Ok(signed_in)
}
