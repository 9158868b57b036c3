//! Signing in, or up, with an account at a provider.

use entity::identity::{linked_account, user};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set, sea_query::Expr};

use super::{Identity, LinkedAccountId, sealed};
use crate::{
    Code, Error, Limits, Result, System,
    identity::{
        account_log::{self, Kind},
        email, password, session,
        sign_in::{self, SignedIn},
        username,
    },
    limit,
    mail::Locale,
    scope::{Origin, Own, SystemTransaction},
    text,
};

/// Opens a session of the account that is linked to what the provider proved, or says which second factor
/// it takes; where none is linked, of a new one, whose address the provider has proved.
///
/// # Errors
/// A refusal of an address that is not proved, or is another account's. [`Error::Limited`] after too many
/// new accounts from one network address.
pub(super) async fn sign_in(
    system: &System,
    limits: &Limits,
    provider: String,
    identity: Identity,
    origin: Origin,
) -> Result<SignedIn> {
    let transaction = system.begin(true).await?;
    let known = linked_account::Entity::find()
        .filter(linked_account::Column::Issuer.eq(&*identity.issuer))
        .filter(linked_account::Column::Subject.eq(&*identity.subject))
        .one(&*transaction)
        .await?;
    if let Some(link) = known {
        return enter(transaction.of(link.user_id), link.id, identity, origin).await;
    }
    // Held up by nobody's counter.
    drop(transaction);
    let address = proved(&identity)?;
    limits.take_from(&limit::SIGN_UP, &origin).await?;
    let transaction = system.begin(true).await?;
    let user = make(system, &transaction, provider, identity, address).await?;
    let own = transaction.of(user);
    let (token, viewer) = session::open(&own, origin).await?;
    account_log::done(&own, &viewer, Kind::SignedUp).await?;
    own.commit().await?;
    Ok(SignedIn::Open(token, viewer))
}

/// Opens a session of the account behind a link.
async fn enter(
    own: Own,
    link: LinkedAccountId,
    identity: Identity,
    origin: Origin,
) -> Result<SignedIn> {
    let account = session::account(&own).await;
    account.map_err(|error| match error {
        Error::Unauthenticated => Error::refused(
            Code::WrongState,
            "",
            "The account that this signs in to was closed.",
        ),
        other => other,
    })?;
    let mut update = own
        .change::<linked_account::Entity>()
        .filter(linked_account::Column::Id.eq(link))
        .col_expr(
            linked_account::Column::LastUsedAt,
            Expr::value(own.clock().now()),
        );
    if let Some(token) = sealed(own.sealing(), link, &identity)? {
        update = update.col_expr(linked_account::Column::RefreshToken, Expr::value(token));
    }
    if let Some(email) = identity.email {
        update = update.col_expr(linked_account::Column::Email, Expr::value(email));
    }
    // Whoever unlinks it locks the account, too, and may have been faster.
    if own.update(update).await? != 1 {
        return Err(Error::Unavailable("The account was just changed."));
    }
    let signed_in = sign_in::open(&own, origin).await?;
    own.commit().await?;
    sign_in::begun(signed_in).await
}

/// The address of who is to get an account, which the provider must have proved.
fn proved(identity: &Identity) -> Result<String> {
    let refused = || {
        Error::refused(
            Code::EmailNotVerified,
            "",
            "The provider does not say that it knows your address to be yours. Confirm it there, or sign up here and link the two.",
        )
    };
    let address = identity
        .email
        .as_deref()
        .filter(|_| identity.email_verified);
    email::check(address.ok_or_else(refused)?).map_err(|_| refused())
}

/// Makes an account, which has no password, and its link.
async fn make(
    system: &System,
    transaction: &SystemTransaction,
    provider: String,
    identity: Identity,
    address: String,
) -> Result<user::UserId> {
    let now = system.clock().now();
    let holder = user::Entity::find().filter(user::Column::Email.eq(&*address));
    if holder.one(&**transaction).await?.is_some() {
        return Err(Error::refused(
            Code::Taken,
            "",
            "An account with your address exists: sign in to it, then link the two with beginProviderLink.",
        ));
    }
    // By the same person, in another window.
    let faster = |error: sea_orm::DbErr| match Error::from(error) {
        error if error.is_taken() => Error::Unavailable("The account was just made."),
        error => error,
    };
    let user = user::UserId::random();
    let username = format!("u_{}", user.uuid().simple());
    let row = user::ActiveModel {
        id: Set(user),
        username_key: Set(username::key(&username)),
        username: Set(username),
        email_verified_at: Set(Some(now)),
        password_hash: Set(password::UNUSABLE.to_owned()),
        first_name: Set(first_name(&identity, &address)),
        last_name: Set(name(identity.family_name.as_deref()).unwrap_or_default()),
        email: Set(address),
        phone: Set(None),
        avatar_url: Set(None),
        locale: Set(Locale::of(identity.locale.as_deref().unwrap_or_default())
            .as_str()
            .to_owned()),
        created_at: Set(now),
        updated_at: Set(now),
        deleted_at: Set(None),
        purged_at: Set(None),
    };
    row.insert(&**transaction).await.map_err(faster)?;
    let id = LinkedAccountId::random();
    let link = linked_account::ActiveModel {
        id: Set(id),
        user_id: Set(user),
        provider: Set(provider),
        refresh_token: Set(sealed(system.sealing(), id, &identity)?),
        issuer: Set(identity.issuer),
        subject: Set(identity.subject),
        email: Set(identity.email),
        created_at: Set(now),
        last_used_at: Set(now),
    };
    link.insert(&**transaction).await.map_err(faster)?;
    Ok(user)
}

/// What they are called: as the provider says, or as their address begins.
fn first_name(identity: &Identity, address: &str) -> String {
    let told = name(identity.given_name.as_deref()).or_else(|| name(identity.name.as_deref()));
    let (local, _) = address.split_once('@').unwrap_or((address, ""));
    told.unwrap_or_else(|| local.to_owned())
}

/// A name that somebody else wrote down, if it can be one.
fn name(told: Option<&str>) -> Option<String> {
    let mut problems = Vec::new();
    let name = text::required(&mut problems, "name", told?, 100);
    problems.is_empty().then_some(name)
}
