//! Sessions: opaque tokens, looked up by their hash on every request.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    identity::{session, user},
    organizations::{member, organization::OrganizationId},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Set,
    UpdateMany,
    sea_query::{Expr, LockType},
};

pub use entity::identity::session::{Model as Session, SessionId};

use super::account_log::{self, Kind};
use crate::{
    Code, Error, Result, System, Viewer,
    scope::{Origin, Own, Standing},
    secret::Token,
};

/// A session ends this long after its sign-in, whatever its use.
pub const ABSOLUTE: TimeDelta = TimeDelta::days(30);
/// A session ends this long after its last use.
pub const IDLE: TimeDelta = TimeDelta::days(14);
/// Last use is written no more often than this.
pub(super) const TOUCH: TimeDelta = TimeDelta::minutes(1);
/// Sessions a person lists at most; [`revoke_others`] ends those that are not listed, too.
const MOST: u64 = 100;

/// What a request carries besides its credential.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Slug of the organization to act in, if the request names one.
    pub organization: Option<String>,
    /// Where it came from.
    pub origin: Origin,
}

impl Request {
    /// The slug to ask the database for: PostgreSQL would not even be asked for a NUL, and no slug is
    /// empty.
    pub(crate) fn slug(&self) -> Option<String> {
        let named = self.organization.as_ref()?.to_ascii_lowercase();
        let is_askable = named.bytes().all(|byte| byte.is_ascii_graphic());
        Some(if is_askable { named } else { String::new() })
    }
}

/// The door for people: who holds this token, and what they are where they act; nothing, where they
/// do not belong.
///
/// # Errors
/// [`Error::Unauthenticated`] for a token that is unknown, ended or idle for too long, or whose
/// user is gone; one and the same answer.
pub async fn authenticate(
    system: &System,
    token: &Token,
    request: &Request,
) -> Result<(Viewer, Option<Standing>)> {
    let now = system.clock().now();
    let mut identity = system
        .identify(token.hash(), request.slug(), now - IDLE)
        .await?
        .ok_or(Error::Unauthenticated)?;
    if now - identity.last_used_at >= TOUCH {
        touch(system, identity.session, now).await?;
        if let Some(standing) = &mut identity.standing {
            standing.last_used_at = now;
        }
    }
    let is_named = request.organization.is_some();
    let viewer = Viewer {
        db: system.db().clone(),
        user: identity.user,
        session: identity.session,
        token_hash: token.hash().into(),
        authenticated_at: identity.authenticated_at,
        second_factor_at: identity.second_factor_at,
        // An unknown slug and one of somebody else's are told apart by nobody: entering fails.
        organization: identity
            .organization
            .or_else(|| is_named.then(OrganizationId::random)),
        origin: request.origin.clone().into(),
    };
    Ok((viewer, identity.standing))
}

/// Whether the session of `viewer` is still open to the token that they showed: for streams, which
/// outlive their request.
pub async fn is_live(viewer: &Viewer) -> Result<bool> {
    let own = viewer.begin(false).await?;
    is_open(&own, viewer).await
}

/// The viewer's sessions, newest first.
pub async fn list(viewer: &Viewer) -> Result<Vec<Session>> {
    let now = viewer.clock().now();
    let own = viewer.begin(false).await?;
    let select = own
        .find::<session::Entity>()
        .filter(session::Column::ExpiresAt.gt(now))
        .filter(session::Column::LastUsedAt.gt(now - IDLE))
        .order_by_desc(session::Column::CreatedAt)
        .limit(MOST);
    own.all(select).await
}

/// Ends one of the viewer's sessions; ending the one in use is signing out.
///
/// # Errors
/// A refusal when it is not there, or not theirs.
pub async fn revoke(viewer: &Viewer, session: SessionId) -> Result<()> {
    let own = viewer.begin(true).await?;
    let removal = own
        .removal::<session::Entity>()
        .filter(session::Column::Id.eq(session.uuid()));
    if own.delete(removal).await? == 0 {
        return Err(Error::refused(
            Code::NotFound,
            "sessionId",
            "You have no such session.",
        ));
    }
    let kind = if session == viewer.session() {
        Kind::SignedOut
    } else {
        Kind::SessionRevoked
    };
    account_log::done(&own, viewer, kind).await?;
    own.commit().await?;
    viewer.db.end_session(session);
    Ok(())
}

/// Ends the viewer's sessions but the one in use, and says how many of them were open.
pub async fn revoke_others(viewer: &Viewer) -> Result<usize> {
    let own = viewer.begin(true).await?;
    lock(&own, viewer).await?;
    let ended = end_others(&own, viewer).await?;
    if !ended.is_empty() {
        account_log::done(&own, viewer, Kind::SessionRevoked).await?;
    }
    own.commit().await?;
    for session in &ended {
        viewer.db.end_session(session.id);
    }
    let now = viewer.clock().now();
    let was_open =
        |session: &&Session| session.expires_at > now && session.last_used_at > now - IDLE;
    Ok(ended.iter().filter(was_open).count())
}

/// Makes an organization of the viewer's the one that their requests act in.
///
/// # Errors
/// A refusal when they are not a member.
pub async fn activate(viewer: &Viewer, organization: OrganizationId) -> Result<()> {
    let own = viewer.begin(true).await?;
    let membership = own
        .find::<member::Entity>()
        .filter(member::Column::OrganizationId.eq(organization.uuid()));
    if own.all(membership).await?.is_empty() {
        return Err(Error::refused(
            Code::NotFound,
            "organizationId",
            "You belong to no such organization.",
        ));
    }
    own.update(acting_in(&own, viewer.session, organization))
        .await?;
    own.commit().await
}

/// Opens a session in a running sign-in: its token, and who holds it.
pub(super) async fn open(own: &Own, origin: Origin) -> Result<(Token, Viewer)> {
    open_as(own, origin, None).await
}

/// The same for who gave a second factor, too.
pub(super) async fn open_with_second_factor(own: &Own, origin: Origin) -> Result<(Token, Viewer)> {
    let now = own.clock().now();
    open_as(own, origin, Some(now)).await
}

async fn open_as(
    own: &Own,
    origin: Origin,
    second_factor_at: Option<DateTime<Utc>>,
) -> Result<(Token, Viewer)> {
    let token = Token::random()?;
    let id = SessionId::random();
    let organization = last_organization(own).await?;
    let now = own.clock().now();
    let row = session::ActiveModel {
        id: Set(id),
        user_id: Set(own.user()),
        token_hash: Set(token.hash()),
        active_organization_id: Set(organization),
        user_agent: Set(origin.user_agent.clone()),
        address: Set(origin.address.clone().unwrap_or_default()),
        created_at: Set(now),
        authenticated_at: Set(now),
        second_factor_at: Set(second_factor_at),
        last_used_at: Set(now),
        expires_at: Set(now + ABSOLUTE),
    };
    own.insert(row).await?;
    let viewer = Viewer {
        db: own.db().clone(),
        user: own.user(),
        session: id,
        token_hash: token.hash().into(),
        authenticated_at: now,
        second_factor_at,
        organization,
        origin: origin.into(),
    };
    Ok((token, viewer))
}

/// Locks the viewer's account and gives it, so that what is done to it and to its sessions is done one
/// after the other.
///
/// # Errors
/// [`Error::Unauthenticated`] when one that was faster ended the session in use, or its token.
pub(crate) async fn lock(own: &Own, viewer: &Viewer) -> Result<user::Model> {
    let account = account(own).await?;
    if is_open(own, viewer).await? {
        return Ok(account);
    }
    Err(Error::Unauthenticated)
}

/// Locks the account whose transaction it is, and gives it.
///
/// # Errors
/// [`Error::Unauthenticated`] when it is gone.
pub(super) async fn account(own: &Own) -> Result<user::Model> {
    let account = own.find::<user::Entity>().lock(LockType::NoKeyUpdate);
    let account = account.filter(user::Column::DeletedAt.is_null());
    own.all(account).await?.pop().ok_or(Error::Unauthenticated)
}

/// Gives the session in use another token, and writes down what `viewer` says was proved in it, in a
/// running change of a locked account. The token before ends, and with it the streams that were begun
/// with it, once the caller has committed and said so.
pub(super) async fn renew(own: &Own, viewer: Viewer) -> Result<(Token, Viewer)> {
    let token = Token::random()?;
    let renewed = Viewer {
        token_hash: token.hash().into(),
        ..viewer
    };
    let update = own
        .change::<session::Entity>()
        .col_expr(session::Column::TokenHash, Expr::value(token.hash()))
        .col_expr(
            session::Column::AuthenticatedAt,
            Expr::value(renewed.authenticated_at),
        )
        .col_expr(
            session::Column::SecondFactorAt,
            Expr::value(renewed.second_factor_at),
        )
        .filter(session::Column::Id.eq(renewed.session().uuid()));
    own.update(update).await?;
    Ok((token, renewed))
}

/// Ends the viewer's sessions but the one in use, in a running change of a locked account, and gives
/// them. Their streams end once the caller has committed and said so.
pub(super) async fn end_others(own: &Own, viewer: &Viewer) -> Result<Vec<Session>> {
    let others = session::Column::Id.ne(viewer.session().uuid());
    let ended = own.find::<session::Entity>().filter(others.clone());
    let ended = own.all(ended).await?;
    own.delete(own.removal::<session::Entity>().filter(others))
        .await?;
    Ok(ended)
}

/// Ends all of the viewer's sessions, in a running change of a locked account, and gives them. Their
/// streams end once the caller has committed and said so.
pub(super) async fn end_all(own: &Own) -> Result<Vec<Session>> {
    let ended = own.all(own.find::<session::Entity>()).await?;
    own.delete(own.removal::<session::Entity>()).await?;
    Ok(ended)
}

/// The organization that the person's newest session acted in. Entering it checks the membership.
async fn last_organization(own: &Own) -> Result<Option<OrganizationId>> {
    let newest = own
        .find::<session::Entity>()
        .filter(session::Column::ActiveOrganizationId.is_not_null())
        .order_by_desc(session::Column::LastUsedAt)
        .limit(1);
    let newest = own.all(newest).await?.pop();
    Ok(newest.and_then(|session| session.active_organization_id))
}

/// Removes up to `size` sessions that have ended, or were idle for too long, and gives how many.
pub(crate) async fn purge(system: &System, size: u64) -> Result<u64> {
    let now = system.clock().now();
    let ended = Condition::any()
        .add(session::Column::ExpiresAt.lte(now))
        .add(session::Column::LastUsedAt.lte(now - IDLE));
    let ended = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        // Whoever was idle for so long began before: the part of the index where that may be.
        .filter(session::Column::ExpiresAt.lte(now + ABSOLUTE - IDLE))
        .filter(ended)
        .limit(size);
    let transaction = system.begin(true).await?;
    let removed = session::Entity::delete_many()
        .filter(session::Column::Id.in_subquery(ended.into_query()))
        .exec(&*transaction)
        .await?;
    transaction.commit().await?;
    Ok(removed.rows_affected)
}

/// Has a new session, none before which says where the person was last, act in the organization that
/// they have belonged to for longest, if there is one.
pub(super) async fn begin_somewhere(viewer: Viewer) -> Result<Viewer> {
    if viewer.organization.is_some() {
        return Ok(viewer);
    }
    let own = viewer.begin(true).await?;
    let memberships = own
        .find::<member::Entity>()
        .order_by_asc(member::Column::CreatedAt)
        .order_by_asc(member::Column::Id)
        .limit(1);
    let Some(member) = own.all(memberships).await?.pop() else {
        return Ok(viewer);
    };
    let organization = member.organization_id;
    own.update(acting_in(&own, viewer.session, organization))
        .await?;
    own.commit().await?;
    Ok(viewer.acting_in(organization))
}

fn acting_in(
    own: &Own,
    session: SessionId,
    organization: OrganizationId,
) -> UpdateMany<session::Entity> {
    own.change::<session::Entity>()
        .col_expr(
            session::Column::ActiveOrganizationId,
            Expr::value(organization.uuid()),
        )
        .filter(session::Column::Id.eq(session.uuid()))
}

async fn is_open(own: &Own, viewer: &Viewer) -> Result<bool> {
    let open = own
        .find::<session::Entity>()
        .filter(session::Column::Id.eq(viewer.session().uuid()))
        .filter(session::Column::TokenHash.eq(viewer.token_hash.to_vec()))
        // A mark that was given comes with another token; one can be taken from a token, too.
        .filter(match viewer.second_factor_at {
            Some(_) => session::Column::SecondFactorAt.is_not_null(),
            None => session::Column::SecondFactorAt.is_null(),
        })
        .filter(session::Column::ExpiresAt.gt(viewer.clock().now()));
    Ok(!own.all(open).await?.is_empty())
}

async fn touch(system: &System, session: SessionId, now: DateTime<Utc>) -> Result<()> {
    let transaction = system.begin(true).await?;
    session::Entity::update_many()
        .col_expr(session::Column::LastUsedAt, Expr::value(now))
        .filter(session::Column::Id.eq(session))
        .exec(&*transaction)
        .await?;
    transaction.commit().await
}
