//! Signing in.

use entity::identity::user;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, Set,
    sea_query::LockType,
};

use super::{
    Passwords, email,
    password::{self, Verdict},
    session, username,
};
use crate::{Code, Error, Limits, Result, System, Viewer, limit, scope::Origin, secret::Token};

/// What a person types.
#[derive(Clone)]
pub struct Credentials {
    /// Username or e-mail address.
    pub login: String,
    /// Password.
    pub password: String,
}

/// Opens a session for whoever knows the password, in the organization they used last.
///
/// From the third wrong password in a row for a login on, the answer takes longer and longer, whether or
/// not there is such an account. It is never locked: nobody can lock somebody else out.
///
/// # Errors
/// One refusal for an unknown login and a wrong password, after the same work.
/// [`Error::Limited`] after too many tries from one network address.
pub async fn sign_in(
    system: &System,
    passwords: &Passwords,
    limits: &Limits,
    credentials: Credentials,
    origin: Origin,
) -> Result<(Token, Viewer)> {
    let wrong = || {
        Error::refused(
            Code::BadCredentials,
            "password",
            "The login or the password is wrong.",
        )
    };
    limits.take_from(&limit::SIGN_IN, &origin).await?;
    // Nobody's, and PostgreSQL takes no NUL in a text.
    let impossible = credentials.login.len() > 1024 || credentials.login.contains('\0');
    if impossible || credentials.password.len() > password::LONGEST {
        return Err(wrong());
    }
    // By what was typed and not by whom it names, which the waiting would tell.
    let typed = email::normalize(&credentials.login);
    limits.slow_down(&limit::WRONG_PASSWORDS, &typed).await?;
    let found = find(system, &credentials.login).await?;
    let stored = found.as_ref().map(|user| user.password_hash.clone());
    let verdict = passwords
        .verify(credentials.password.clone(), stored)
        .await?;
    let (Some(user), true) = (found, verdict != Verdict::Wrong) else {
        return Err(wrong());
    };
    limits.forgive(&limit::WRONG_PASSWORDS, &typed).await;
    let renewed = match verdict {
        Verdict::RightButOutdated => Some(passwords.hash(credentials.password).await?),
        _ => None,
    };
    let transaction = system.begin(true).await?;
    // Locked: whoever changes the password ends the sessions that it opened.
    let unchanged = user::Entity::find_by_id(user.id)
        .filter(user::Column::PasswordHash.eq(&*user.password_hash))
        .filter(user::Column::DeletedAt.is_null())
        .lock(LockType::NoKeyUpdate)
        .one(&*transaction)
        .await?;
    if unchanged.is_none() {
        return Err(Error::Unavailable("The account was just changed."));
    }
    let organization = session::last_organization(&transaction, user.id).await?;
    if let Some(hash) = renewed {
        let update = user::ActiveModel {
            id: Set(user.id),
            password_hash: Set(hash),
            updated_at: Set(system.clock().now()),
            ..Default::default()
        };
        update.update(&*transaction).await?;
    }
    let signed_in = session::open(system, &transaction, user.id, organization, origin).await?;
    transaction.commit().await?;
    Ok(signed_in)
}

async fn find(system: &System, login: &str) -> Result<Option<user::Model>> {
    let transaction = system.begin(false).await?;
    let login = login.trim();
    Ok(user::Entity::find()
        .filter(
            Condition::any()
                .add(user::Column::UsernameKey.eq(username::key(login)))
                .add(user::Column::Email.eq(email::normalize(login))),
        )
        .filter(user::Column::DeletedAt.is_null())
        .one(&*transaction)
        .await?)
}
