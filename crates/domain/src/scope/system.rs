//! Rollcall itself: what has no person, or no tenant yet.

use std::{
    ops::Deref,
    sync::{Arc, atomic::AtomicU32},
};

use entity::{jobs::job, organizations::organization::OrganizationId};
use sea_orm::{ConnectionTrait, EntityTrait};

use super::{Actor, Binding, Db, Origin, Scope, dialect, transaction::Transaction};
use crate::{Permissions, Result};

/// The right to act as Rollcall itself, for a stated reason. Its call sites are counted by a test:
/// a new one needs a reason why neither [`super::Viewer`] nor [`Scope`] will do.
pub struct System {
    db: Db,
    reason: &'static str,
}

/// A transaction outside any tenant: on PostgreSQL it sees no tenant's rows.
pub struct SystemTransaction(Transaction);

impl System {
    /// Takes the right, for `reason`, which is logged.
    #[must_use]
    pub fn new(db: &Db, reason: &'static str) -> Self {
        tracing::debug!(reason, "system.act");
        Self {
            db: db.clone(),
            reason,
        }
    }

    /// The database's clock.
    #[must_use]
    pub fn clock(&self) -> &crate::Clock {
        self.db.clock()
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    /// Begins a transaction on global tables; `write` if it is to change any.
    pub async fn begin(&self, write: bool) -> Result<SystemTransaction> {
        Ok(SystemTransaction(
            self.db.begin(Binding::default(), write).await?,
        ))
    }

    /// The scope of an organization, with every permission.
    #[must_use]
    pub fn scope(&self, organization: OrganizationId) -> Scope {
        self.scope_as(organization, Actor::System, Origin::default())
    }

    /// The same on behalf of `actor`: for an organization that they are just founding.
    #[must_use]
    pub(crate) fn scope_as(
        &self,
        organization: OrganizationId,
        actor: Actor,
        origin: Origin,
    ) -> Scope {
        tracing::debug!(reason = self.reason, organization = %organization, "system.scope");
        Scope {
            db: self.db.clone(),
            organization,
            actor,
            origin: Arc::new(origin),
            permissions: Permissions::all(),
            writable: true,
            snapshot: Arc::default(),
            generation: Arc::new(AtomicU32::new(0)),
            statements: Arc::new(AtomicU32::new(0)),
        }
    }

    /// Takes up to `size` due jobs until `lease`; no other instance gets them before that.
    pub(crate) async fn claim_jobs(
        &self,
        lease: chrono::TimeDelta,
        size: i64,
    ) -> Result<Vec<job::Model>> {
        let transaction = self.db.begin(Binding::default(), true).await?;
        let now = self.clock().now();
        let statement = dialect::claim_jobs(
            transaction.get_database_backend(),
            now.into(),
            (now + lease).into(),
            size,
        );
        let jobs = job::Entity::find()
            .from_raw_sql(statement)
            .all(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(jobs)
    }
}

impl SystemTransaction {
    /// Makes everything permanent.
    pub async fn commit(self) -> Result<()> {
        self.0.commit().await
    }
}

impl Deref for SystemTransaction {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        &self.0
    }
}
