//! A sign-in whose password was right, and that waits for a second factor.

use chrono::{DateTime, TimeDelta, Utc};
use entity::identity::sign_in_challenge::{ActiveModel, Column, Entity, SignInChallengeId};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, Set, sea_query::Expr};

use super::{FactorKind, Proof};
use crate::{
    Code, Error, Result, System, Viewer,
    identity::{
        Passwords,
        account_log::{self, Kind},
        session,
    },
    scope::{Origin, Own},
    secret::Token,
};

/// How long a sign-in waits.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// What a sign-in waits for.
pub struct Challenge {
    /// Told once; with a second factor it opens a session.
    pub token: Token,
    /// What would do. Recovery codes do, too.
    pub factors: Vec<FactorKind>,
    /// Until when it waits.
    pub expires_at: DateTime<Utc>,
}

/// Has a sign-in wait for one of these factors, in a running change of a locked account.
pub(in crate::identity) async fn issue(own: &Own, factors: Vec<FactorKind>) -> Result<Challenge> {
    let now = own.clock().now();
    let over = Condition::any()
        .add(Column::ExpiresAt.lte(now))
        .add(Column::UsedAt.is_not_null());
    own.delete(own.removal::<Entity>().filter(over)).await?;
    let token = Token::random()?;
    let expires_at = now + LIFETIME;
    let row = ActiveModel {
        id: Set(SignInChallengeId::random()),
        user_id: Set(own.user()),
        token_hash: Set(token.hash()),
        created_at: Set(now),
        expires_at: Set(expires_at),
        used_at: Set(None),
    };
    own.insert(row).await?;
    Ok(Challenge {
        token,
        factors,
        expires_at,
    })
}

/// Opens the session that a sign-in was about, for who has the second factor, too.
///
/// # Errors
/// A refusal when there is no such sign-in, or the factor is wrong. [`Error::Limited`] after ten wrong ones
/// of the account.
pub async fn complete(
    system: &System,
    passwords: &Passwords,
    challenge: &str,
    proof: Proof,
    origin: Origin,
) -> Result<(Token, Viewer)> {
    let token = Token::parse(challenge).ok_or_else(invalid)?;
    let live = Condition::all()
        .add(Column::TokenHash.eq(token.hash()))
        .add(Column::UsedAt.is_null())
        .add(Column::ExpiresAt.gt(system.clock().now()));
    let transaction = system.begin(false).await?;
    let found = Entity::find().filter(live.clone());
    let waiting = found.one(&*transaction).await?.ok_or_else(invalid)?;
    let given = proof
        .prepare(transaction.of(waiting.user_id), passwords)
        .await?;

    let own = system.begin(true).await?.of(waiting.user_id);
    let account = session::account(&own).await.map_err(|error| match error {
        Error::Unauthenticated => invalid(),
        other => other,
    })?;
    // Ended meanwhile, or answered.
    if own
        .all(own.find::<Entity>().filter(live.clone()))
        .await?
        .is_empty()
    {
        return Err(invalid());
    }
    let own = given.take(own, &account).await?;
    let used = own
        .change::<Entity>()
        .col_expr(Column::UsedAt, Expr::value(system.clock().now()))
        .filter(live);
    if own.update(used).await? != 1 {
        return Err(invalid());
    }
    let (token, viewer) = session::open_with_second_factor(&own, origin).await?;
    account_log::done(&own, &viewer, Kind::SignedIn).await?;
    own.commit().await?;
    Ok((token, session::begin_somewhere(viewer).await?))
}

/// One answer for every token that nothing waits under.
fn invalid() -> Error {
    Error::refused(
        Code::InvalidToken,
        "challenge",
        "No sign-in waits under this token: it is none of ours, was used, or is too old. Sign in again.",
    )
}
