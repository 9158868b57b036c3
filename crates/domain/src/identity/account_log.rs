//! What was done to an account, and what was tried: a log of the person's own. Who acts in an
//! organization is in that organization's audit log; signing in belongs to none.
//!
//! What is done is written in the transaction that does it ([`done`]). What is refused, a wrong
//! password, is [`refused`]: beside the answer, which takes as long for an account that there is as for one that there is not, and only so often, so that
//! whoever guesses for ever fills no disk.

use chrono::{DateTime, TimeDelta, Utc};
use entity::identity::{
    account_event::{ActiveModel, Column, Entity},
    session::SessionId,
    user::UserId,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set,
};

pub use entity::{
    audit::entry::Outcome,
    identity::account_event::{AccountEventId, Model as AccountEvent},
};

use crate::{
    Code, Db, Error, Result, System, Viewer,
    clock::within_years,
    limit::Rule,
    page::{self, Key, Page, PageRequest},
    scope::{Origin, Own, SystemTransaction},
};

/// Refusals of one account that an instance writes down.
const REFUSALS: Rule = Rule::new("account_refusals", 10, TimeDelta::hours(1));
/// How long events are kept.
const KEPT: TimeDelta = TimeDelta::days(365);
/// Events removed at a time.
const SIZE: u64 = 1000;
/// Characters of an event type at most.
const LONGEST: usize = 64;

macro_rules! kinds {
    ($($(#[$doc:meta])+ $name:ident = $text:literal $action:expr,)+) => {
        /// What can be done to an account. The text is what its log carries, so it never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])+ $name,)+ }

        impl Kind {
            /// Its name in the log (schema source 002's dotted form).
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// Schema source 004's name for it, where it has one.
            #[must_use]
            pub const fn action(self) -> Option<&'static str> {
                match self { $(Self::$name => $action,)+ }
            }
        }
    };
}

kinds! {
    /// The account came to be.
    SignedUp = "user.signed_up" Some("SIGN_UP"),
    /// A session was opened, or was to be.
    SignedIn = "user.signed_in" Some("SIGN_IN"),
    /// The session in use was ended.
    SignedOut = "user.signed_out" Some("SIGN_OUT"),
    /// Another session was ended, or all others.
    SessionRevoked = "user.session_revoked" None,
    /// The password was given again, or was to be.
    PasswordConfirmed = "user.password_confirmed" None,
    /// The account got another password.
    PasswordChanged = "user.password_changed" Some("UPDATE_PASSWORD"),
    /// It got one from who forgot the one before.
    PasswordReset = "user.password_reset" Some("UPDATE_PASSWORD"),
    /// It was proved that its address is theirs.
    EmailVerified = "user.email_verified" Some("UPDATE_ACCOUNT"),
    /// Another address is to be the account's.
    EmailChangeRequested = "user.email_change_requested" None,
    /// The account has another address.
    EmailChanged = "user.email_changed" Some("UPDATE_ACCOUNT"),
    /// The account has another username.
    UsernameChanged = "user.username_changed" Some("UPDATE_ACCOUNT"),
    /// What the account says about the person changed.
    ProfileUpdated = "user.profile_updated" Some("UPDATE_ACCOUNT"),
    /// The account was closed.
    Deleted = "user.deleted" Some("DELETE_ACCOUNT"),
}

/// Which events a list shows.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only those of this type.
    pub event_type: Option<String>,
    /// Only those with this result.
    pub result: Option<Outcome>,
    /// Only those from this time on.
    pub from: Option<DateTime<Utc>>,
    /// Only those from before this time.
    pub until: Option<DateTime<Utc>>,
}

/// Writes down what the viewer does, in the running change that does it.
pub(crate) async fn done(own: &Own, viewer: &Viewer, kind: Kind) -> Result<()> {
    let (session, now) = (Some(viewer.session()), viewer.clock().now());
    own.insert(row(viewer.user(), session, &viewer.origin, kind, now))
        .await?;
    Ok(())
}

/// The same for who only has a token that was mailed.
pub(super) async fn done_by_mail(
    transaction: &SystemTransaction,
    user: UserId,
    origin: &Origin,
    kind: Kind,
) -> Result<()> {
    let row = row(user, None, origin, kind, transaction.clock().now());
    row.insert(&**transaction).await?;
    Ok(())
}

/// Writes down that an account was refused something, and why: not before the answer, and only so
/// often. It is refused whether or not that can be written.
pub(super) fn refused(
    db: &Db,
    (user, session): (UserId, Option<SessionId>),
    origin: &Origin,
    kind: Kind,
    reason: Code,
) {
    let row = ActiveModel {
        result: Set(Outcome::Failure),
        reason: Set(Some(reason.as_str().to_owned())),
        ..row(user, session, origin, kind, db.clock().now())
    };
    let db = db.clone();
    tokio::spawn(async move {
        if db
            .denials()
            .take(&REFUSALS, &user.to_string())
            .await
            .is_ok()
            && let Err(error) = append(&db, row).await
        {
            tracing::warn!(%error, "account_log.lost");
        }
    });
}

/// The viewer's events, newest first.
///
/// # Errors
/// A refusal of a filter that no event could pass, and of a page's arguments that do not fit.
pub async fn list(
    viewer: &Viewer,
    filter: &EventFilter,
    request: &PageRequest,
) -> Result<Page<AccountEvent>> {
    let own = viewer.begin(false).await?;
    let list = page::list(viewer.user().uuid(), &format!("account log{filter:?}"));
    let walk = request
        .walk(list)?
        .along(Column::CreatedAt.def().get_column_type())?;
    let mut select = own.find::<Entity>();
    if let Some(event_type) = &filter.event_type {
        if event_type.len() > LONGEST || !event_type.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::refused(
                Code::Invalid,
                "eventType",
                "This is not an event type. One is like user.signed_in.",
            ));
        }
        select = select.filter(Column::EventType.eq(event_type));
    }
    if let Some(result) = filter.result {
        select = select.filter(Column::Result.eq(result));
    }
    if let Some(from) = filter.from {
        select = select.filter(Column::CreatedAt.gte(within_years(from)));
    }
    if let Some(until) = filter.until {
        select = select.filter(Column::CreatedAt.lt(within_years(until)));
    }
    let (key, id) = (Column::CreatedAt.into_expr(), Column::Id.into_expr());
    let order = if walk.backward {
        Order::Asc
    } else {
        Order::Desc
    };
    let select = select
        .apply_if(walk.beyond(true, key, id), QueryFilter::filter)
        .order_by(Column::CreatedAt, order.clone())
        .order_by(Column::Id, order)
        .limit(walk.size + 1);
    let rows = own.all(select).await?;
    Ok(walk.page(list, rows, |row| (Key::Time(row.created_at), row.id.uuid())))
}

/// Removes up to [`SIZE`] events that are older than a year, whoever they are of, and gives how many.
pub async fn purge(system: &System) -> Result<u64> {
    let transaction = system.begin(true).await?;
    let old = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::CreatedAt.lt(system.clock().now() - KEPT))
        .limit(SIZE);
    let removed = Entity::delete_many()
        .filter(Column::Id.in_subquery(old.into_query()))
        .exec(&*transaction)
        .await?
        .rows_affected;
    transaction.commit().await?;
    Ok(removed)
}

/// Removes all of an account's, which is about to be forgotten.
pub(crate) async fn forget(transaction: &SystemTransaction, user: UserId) -> Result<()> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user))
        .exec(&**transaction)
        .await?;
    Ok(())
}

async fn append(db: &Db, row: ActiveModel) -> Result<()> {
    let transaction = System::new(db, "note what an account was refused")
        .begin(true)
        .await?;
    row.insert(&*transaction).await?;
    transaction.commit().await
}

fn row(
    user: UserId,
    session: Option<SessionId>,
    origin: &Origin,
    kind: Kind,
    now: DateTime<Utc>,
) -> ActiveModel {
    ActiveModel {
        id: Set(AccountEventId::random()),
        user_id: Set(user),
        session_id: Set(session),
        event_type: Set(kind.as_str().to_owned()),
        action: Set(kind.action().map(str::to_owned)),
        result: Set(Outcome::Success),
        reason: Set(None),
        address: Set(origin.address.clone()),
        user_agent: Set(origin.user_agent.clone()),
        created_at: Set(now),
    }
}
