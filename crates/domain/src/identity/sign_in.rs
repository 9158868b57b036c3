//! Signing in.

use entity::identity::user;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, sea_query::Expr};

use super::{
    Passwords,
    account_log::{self, Kind},
    email,
    password::{self, Verdict},
    second_factor::{
        self,
        challenge::{self, Challenge},
    },
    session, username,
};
use crate::{
    Code, Error, Limits, Result, System, Viewer, limit,
    scope::{Origin, Own},
    secret::Token,
};

/// What a person types.
#[derive(Clone)]
pub struct Credentials {
    /// Username or e-mail address.
    pub login: String,
    /// Password.
    pub password: String,
}

/// What has become of a sign-in whose password was right.
pub enum SignedIn {
    /// A session is open.
    Open(Token, Viewer),
    /// The account has a second factor, which is to be given first.
    Challenged(Challenge),
}

/// Opens a session for whoever knows the password, in the organization they used last, or have belonged to
/// for longest; or says which second factor it takes, where the account has any.
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
) -> Result<SignedIn> {
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
    if verdict == Verdict::Wrong {
        if let Some(user) = found {
            let who = (user.id, None);
            account_log::refused(
                system.db(),
                who,
                &origin,
                Kind::SignedIn,
                Code::BadCredentials,
            );
        }
        return Err(wrong());
    }
    let user = found.ok_or_else(wrong)?;
    limits.forgive(&limit::WRONG_PASSWORDS, &typed).await;
    let renewed = match verdict {
        Verdict::RightButOutdated => Some(passwords.hash(credentials.password).await?),
        _ => None,
    };
    let own = system.begin(true).await?.of(user.id);
    // Locked: whoever changes the password ends the sessions that it opened.
    let changed = || Error::Unavailable("The account was just changed.");
    let account = session::account(&own).await.map_err(|error| match error {
        Error::Unauthenticated => changed(),
        other => other,
    })?;
    if account.password_hash != user.password_hash {
        return Err(changed());
    }
    if let Some(hash) = renewed {
        let update = own
            .change::<user::Entity>()
            .col_expr(user::Column::PasswordHash, Expr::value(hash))
            .col_expr(user::Column::UpdatedAt, Expr::value(own.clock().now()));
        own.update(update).await?;
    }
    let signed_in = open(&own, origin).await?;
    own.commit().await?;
    begun(signed_in).await
}

/// Opens a session for who proved who they are, or says which second factor it takes, in a running change
/// of a locked account.
pub(super) async fn open(own: &Own, origin: Origin) -> Result<SignedIn> {
    let held = second_factor::held(own).await?;
    if !held.is_empty() {
        let factors = held.into_iter().map(|factor| factor.kind).collect();
        return Ok(SignedIn::Challenged(challenge::issue(own, factors).await?));
    }
    let (token, viewer) = session::open(own, origin).await?;
    account_log::done(own, &viewer, Kind::SignedIn).await?;
    Ok(SignedIn::Open(token, viewer))
}

/// What a sign-in came to, once that is committed: whoever acted nowhere before acts somewhere.
pub(super) async fn begun(signed_in: SignedIn) -> Result<SignedIn> {
    Ok(match signed_in {
        SignedIn::Open(token, viewer) => {
            SignedIn::Open(token, session::begin_somewhere(viewer).await?)
        }
        SignedIn::Challenged(challenge) => SignedIn::Challenged(challenge),
    })
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
