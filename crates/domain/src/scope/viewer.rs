//! A signed-in person on their own account.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    identity::{
        account_event, account_token, linked_account, provider_sign_in, recovery_code,
        second_factor_counter, session, sign_in_challenge, totp_factor, user,
    },
    organizations::{member, organization},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DeleteMany, EntityTrait, FromQueryResult,
    IntoActiveModel, QueryFilter, QuerySelect, QueryTrait, Select, UpdateMany,
};

use super::{
    Actor, Author, Binding, Committed, Db, Origin, Scope, Standing, dialect, outbox, standing,
    transaction::Transaction,
};
use crate::{Code, Error, Permissions, Result, mail::Mail, secret::sealing::Sealing};

/// A session is fresh for so long after its password was given.
const FRESH: TimeDelta = TimeDelta::minutes(15);

/// A signed-in person. Everything it reaches is their own: see [`UserOwned`].
#[derive(Clone)]
pub struct Viewer {
    pub(crate) db: Db,
    pub(crate) user: user::UserId,
    pub(crate) session: session::SessionId,
    /// Of the token that was shown: the session may have another by now.
    pub(crate) token_hash: Arc<[u8]>,
    pub(crate) authenticated_at: DateTime<Utc>,
    /// When a second factor was given in the session, if it was.
    pub(crate) second_factor_at: Option<DateTime<Utc>>,
    pub(crate) organization: Option<entity::organizations::organization::OrganizationId>,
    pub(crate) origin: Arc<Origin>,
}

/// Proof that a person gave their password, or came from a provider, within the last 15 minutes. What a
/// stolen session must not do takes one, as it takes a [`super::Writer`] for the permission.
///
/// Nobody else can make one:
///
/// ```compile_fail,E0451
/// fn forge(viewer: domain::Viewer) -> domain::scope::Fresh {
///     domain::scope::Fresh { viewer }
/// }
/// ```
///
/// A viewer is asked for it:
///
/// ```
/// fn prove(viewer: domain::Viewer) -> domain::Result<domain::scope::Fresh> {
///     viewer.fresh()
/// }
/// ```
pub struct Fresh {
    viewer: Viewer,
}

/// A table whose rows belong to one person.
pub trait UserOwned: EntityTrait {
    /// The column that holds the person's id.
    const USER: Self::Column;
}

impl UserOwned for user::Entity {
    const USER: user::Column = user::Column::Id;
}
impl UserOwned for session::Entity {
    const USER: session::Column = session::Column::UserId;
}
impl UserOwned for account_token::Entity {
    const USER: account_token::Column = account_token::Column::UserId;
}
impl UserOwned for totp_factor::Entity {
    const USER: totp_factor::Column = totp_factor::Column::UserId;
}
impl UserOwned for recovery_code::Entity {
    const USER: recovery_code::Column = recovery_code::Column::UserId;
}
impl UserOwned for sign_in_challenge::Entity {
    const USER: sign_in_challenge::Column = sign_in_challenge::Column::UserId;
}
impl UserOwned for second_factor_counter::Entity {
    const USER: second_factor_counter::Column = second_factor_counter::Column::UserId;
}
impl UserOwned for account_event::Entity {
    const USER: account_event::Column = account_event::Column::UserId;
}
impl UserOwned for linked_account::Entity {
    const USER: linked_account::Column = linked_account::Column::UserId;
}
impl UserOwned for provider_sign_in::Entity {
    const USER: provider_sign_in::Column = provider_sign_in::Column::UserId;
}
impl UserOwned for member::Entity {
    const USER: member::Column = member::Column::UserId;
}

/// A transaction on a person's own rows.
pub struct Own {
    pub(super) db: Db,
    pub(super) user: user::UserId,
    pub(super) transaction: Transaction,
    pub(super) enqueued: AtomicBool,
}

impl Viewer {
    /// Who it is.
    #[must_use]
    pub fn user(&self) -> user::UserId {
        self.user
    }

    /// The session in use.
    #[must_use]
    pub fn session(&self) -> session::SessionId {
        self.session
    }

    /// The organization this request is to act in, if any.
    #[must_use]
    pub fn organization(&self) -> Option<entity::organizations::organization::OrganizationId> {
        self.organization
    }

    /// The same person, about to act in another organization. Entering it checks the membership.
    #[must_use]
    pub fn acting_in(
        &self,
        organization: entity::organizations::organization::OrganizationId,
    ) -> Self {
        Self {
            organization: Some(organization),
            ..self.clone()
        }
    }

    /// Proof that they gave their password a short time ago.
    ///
    /// # Errors
    /// A refusal when that was too long ago.
    pub fn fresh(&self) -> Result<Fresh> {
        if self.clock().now() - self.authenticated_at < FRESH {
            return Ok(Fresh {
                viewer: self.clone(),
            });
        }
        Err(Error::refused(
            Code::SessionNotFresh,
            "",
            "This needs your password, given within the last 15 minutes: give it to confirmPassword, then try again.",
        ))
    }

    /// Lets nobody through in whose session no second factor was given.
    ///
    /// # Errors
    /// A refusal that says where to give it.
    pub fn require_second_factor(&self) -> Result<()> {
        if self.second_factor_at.is_some() {
            return Ok(());
        }
        Err(Error::refused(
            Code::SecondFactorRequired,
            "",
            "This needs your second factor: give it to confirmSecondFactor, then try again. If you have none, add one with beginTotp.",
        ))
    }

    /// The database's clock.
    #[must_use]
    pub fn clock(&self) -> &crate::Clock {
        self.db.clock()
    }

    /// Encrypts secrets that have to be read again.
    #[must_use]
    pub fn sealing(&self) -> &Sealing {
        self.db.sealing()
    }

    /// Begins a transaction on the person's own rows; `write` if it is to change any.
    pub async fn begin(&self, write: bool) -> Result<Own> {
        let binding = Binding {
            organization: None,
            user: Some(self.user.uuid()),
        };
        Ok(Own {
            db: self.db.clone(),
            user: self.user,
            transaction: self.db.begin(binding, write).await?,
            enqueued: AtomicBool::new(false),
        })
    }

    /// What this person is at this moment in the organization that the request acts in, if they belong
    /// there.
    pub(crate) async fn standing(&self) -> Result<Option<Standing>> {
        let bound = dialect::binding_tenant(self.db.backend(), "$1");
        let sql = format!(
            "SELECT {} FROM (SELECT {bound} AS id) AS tenant",
            standing::columns("tenant.id", "$2")
        );
        let organization = self.organization.map(entity::Id::uuid);
        let values = vec![organization.into(), self.user.uuid().into()];
        let row = self.db.read(&sql, values).await?;
        let found = row.map(|row| standing::Found::from_query_result(&row, ""));
        let found = found.transpose()?;
        Ok(found.and_then(|found| found.at(self.organization, self.clock().now())))
    }

    /// The scope of an organization this person is known to belong to: only
    /// `organizations::member` may say so, which has just read the membership.
    pub(crate) fn scope(
        &self,
        organization: entity::organizations::organization::OrganizationId,
        permissions: Permissions,
        withheld: Permissions,
        writable: bool,
    ) -> Scope {
        Scope {
            db: self.db.clone(),
            organization,
            author: Author {
                actor: Actor::User {
                    user: self.user,
                    session: self.session,
                },
                origin: self.origin.clone(),
            },
            permissions,
            withheld,
            event: None,
            writable,
            reads_once: false,
            claim: None,
            snapshot: Arc::default(),
            generation: Arc::new(AtomicU32::new(0)),
            statements: Arc::new(AtomicU32::new(0)),
        }
    }
}

impl Fresh {
    /// Who gave it.
    #[must_use]
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }
}

impl Own {
    /// Whose it is.
    #[must_use]
    pub fn user(&self) -> user::UserId {
        self.user
    }

    /// The database's clock.
    #[must_use]
    pub fn clock(&self) -> &crate::Clock {
        self.db.clock()
    }

    /// Encrypts secrets that have to be read again.
    #[must_use]
    pub fn sealing(&self) -> &Sealing {
        self.db.sealing()
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    /// A select of the person's own rows of `E`.
    #[must_use]
    pub fn find<E: UserOwned>(&self) -> Select<E> {
        E::find().filter(E::USER.eq(self.user.uuid()))
    }

    /// Inserts a row of the person's, whoever it names.
    pub async fn insert<A>(&self, mut row: A) -> Result<<A::Entity as EntityTrait>::Model>
    where
        A: ActiveModelTrait + sea_orm::ActiveModelBehavior + Send,
        A::Entity: UserOwned,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        row.set(<A::Entity as UserOwned>::USER, self.user.uuid().into());
        Ok(row.insert(&self.transaction).await?)
    }

    /// Has a mail sent after the commit.
    pub async fn mail(&self, mail: Mail) -> Result<()> {
        outbox::put(&self.transaction, self.db.clock(), mail).await?;
        self.enqueued.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Has work done after the commit in an organization of theirs, by whichever instance takes it.
    pub async fn enqueue(
        &self,
        organization: organization::OrganizationId,
        kind: &'static str,
        subject: uuid::Uuid,
    ) -> Result<()> {
        let clock = self.db.clock();
        outbox::enqueue(&self.transaction, clock, organization, kind, subject).await?;
        self.enqueued.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// An update of the person's own rows of `E`.
    #[must_use]
    pub fn change<E: UserOwned>(&self) -> UpdateMany<E> {
        E::update_many().filter(E::USER.eq(self.user.uuid()))
    }

    /// A deletion of the person's own rows of `E`.
    #[must_use]
    pub fn removal<E: UserOwned>(&self) -> DeleteMany<E> {
        E::delete_many().filter(E::USER.eq(self.user.uuid()))
    }

    /// The rows.
    pub async fn all<E: UserOwned>(&self, select: Select<E>) -> Result<Vec<E::Model>> {
        Ok(select.all(&self.transaction).await?)
    }

    /// Those of `organizations` that the person belongs to.
    pub async fn organizations(
        &self,
        organizations: Vec<uuid::Uuid>,
    ) -> Result<Vec<organization::Model>> {
        let among = dialect::any(
            self.transaction.get_database_backend(),
            organization::Column::Id,
            organizations,
        );
        let memberships = member::Entity::find()
            .select_only()
            .column(member::Column::OrganizationId)
            .filter(member::Column::UserId.eq(self.user.uuid()));
        let select = organization::Entity::find()
            .filter(among)
            .filter(organization::Column::Id.in_subquery(memberships.into_query()));
        Ok(select.all(&self.transaction).await?)
    }

    /// Runs an update and says how many rows it met.
    pub async fn update<E: UserOwned>(&self, update: UpdateMany<E>) -> Result<u64> {
        Ok(update.exec(&self.transaction).await?.rows_affected)
    }

    /// Runs a deletion and says how many rows it met.
    pub async fn delete<E: UserOwned>(&self, removal: DeleteMany<E>) -> Result<u64> {
        Ok(removal.exec(&self.transaction).await?.rows_affected)
    }

    /// Makes everything permanent.
    pub async fn commit(self) -> Result<()> {
        self.transaction.commit().await?;
        if self.enqueued.into_inner() {
            self.db.announce(Committed::JobEnqueued);
        }
        Ok(())
    }
}
