//! How SQL is run: by whom, for which tenant, under which permission.
//!
//! | handle | is | runs SQL through |
//! |---|---|---|
//! | [`Viewer`] | a signed-in person on their own account | [`Viewer::begin`] |
//! | [`Scope`] | one organization, an actor, and what they may do there | [`Scope::reader`], [`Scope::writer`] |
//! | [`System`] | migrations, sign-in, jobs: takes a reason | [`System::begin`] |
//!
//! There is no fourth. [`Db`] hides its pools; a [`Reader`] starts each select with the tenant's
//! filter, a [`Writer`] is the transaction and ends only with a [`crate::Change`]. On PostgreSQL
//! the transaction is also bound to the tenant, and row-level security holds the same wall again.

mod author;
mod bearer;
pub mod chain;
mod claim;
mod database;
mod denial;
mod dialect;
mod log;
mod outbox;
mod pool;
mod reach;
mod reader;
mod shape;
mod socket;
mod standing;
mod system;
mod transaction;
mod viewer;
mod writer;

use std::{
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use entity::{TenantOwned, events::event::EventId, organizations::organization::OrganizationId};
use sea_orm::{ColumnTrait, ConnectionTrait, Statement, sea_query::SimpleExpr};
use tokio::sync::Mutex;

pub use author::{Actor, Author, Origin};
pub use bearer::Bearer;
pub use claim::Claim;
pub use database::{Committed, Database, Db};
pub use reader::{Reader, Scoped, Sort};
pub use shape::{Form, Listing, Part, Place, Shape, Table};
pub use standing::Standing;
pub use system::{System, SystemTransaction};
pub use viewer::{Fresh, Own, UserOwned, Viewer};
pub use writer::{ScopedDelete, ScopedUpdate, Work, Writer};

pub(crate) use claim::Holder;
pub(crate) use standing::roles as roles_of;

use crate::{Code, Error, Grant, Permission, Permissions, Result, secret::sealing::Sealing};
use database::Binding;
use transaction::Transaction;

/// One organization, an actor, and what the actor may do there. It has no query methods: ask it
/// for a [`Reader`] or a [`Writer`].
///
/// Only the doors make one. It cannot be written down from an id:
///
/// ```compile_fail,E0599
/// fn forge(db: domain::Db, organization: entity::organizations::organization::OrganizationId) -> domain::Scope {
///     domain::Scope::enter(db, organization)
/// }
/// ```
///
/// It is entered as somebody:
///
/// ```
/// async fn enter(viewer: domain::Viewer) -> domain::Result<domain::Scope> {
///     domain::organizations::member::enter(&viewer).await
/// }
/// ```
#[derive(Clone)]
pub struct Scope {
    db: Db,
    organization: OrganizationId,
    author: Author,
    permissions: Permissions,
    /// What the actor could do besides, had they given a second factor.
    withheld: Permissions,
    /// The one event that the actor is limited to; none who is not.
    event: Option<EventId>,
    writable: bool,
    /// Whether the operation reads one thing, so that one statement needs no snapshot.
    reads_once: bool,
    /// What nothing is read without, if the actor's standing was not read for this operation.
    claim: Option<Claim>,
    snapshot: Arc<Mutex<Option<Arc<Transaction>>>>,
    generation: Arc<AtomicU32>,
    statements: Arc<AtomicU32>,
}

impl Scope {
    /// The organization.
    #[must_use]
    pub fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Who acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.author.actor
    }

    /// Who acts, and from where.
    #[must_use]
    pub fn author(&self) -> Author {
        self.author.clone()
    }

    /// What the actor may do here.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        self.permissions
    }

    /// What the actor could do here besides, had they given a second factor in their session.
    #[must_use]
    pub fn withheld(&self) -> Permissions {
        self.withheld
    }

    /// The one event that the actor is limited to: what belongs to another is not there for them.
    #[must_use]
    pub fn event(&self) -> Option<EventId> {
        self.event
    }

    /// Whether the actor may do this.
    #[must_use]
    pub fn can(&self, permission: Permission) -> bool {
        self.permissions.has(permission)
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

    /// How often this scope's data was changed through it: what was read before is stale after.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation.load(Ordering::Acquire)
    }

    /// SQL statements run so far.
    #[must_use]
    pub fn statements(&self) -> u32 {
        self.statements.load(Ordering::Relaxed)
    }

    /// The right to read under permission `P`. All readers of a scope see one snapshot, opened with
    /// the first statement.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the permission, [`Error::SecondFactorRequired`] where that is all
    /// that is missing.
    pub fn reader<P: Grant>(&self) -> Result<Reader<P>> {
        self.require(P::PERMISSION)?;
        Ok(Reader {
            scope: self.clone(),
            transaction: None,
            permission: PhantomData,
        })
    }

    /// The right to write under permission `P`: a transaction.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the permission, a refusal when the organization is suspended or
    /// cancelled, [`Error::Unavailable`] when no connection is free.
    pub async fn writer<P: Grant>(&self) -> Result<Writer<P>> {
        self.require_writable(P::PERMISSION).await?;
        // A request holds one connection at a time, or a full pool waits for itself.
        self.close_snapshot().await;
        let transaction = self
            .db
            .begin(self.binding(), true)
            .await?
            .counted_in(self.statements.clone());
        Ok(Writer::new(Reader {
            scope: self.clone(),
            transaction: Some(Arc::new(transaction)),
            permission: PhantomData,
        }))
    }

    /// The same scope with a snapshot of its own, still to be opened.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self {
            snapshot: Arc::default(),
            generation: Arc::default(),
            statements: Arc::default(),
            ..self.clone()
        }
    }

    /// The same scope for an operation that reads one thing: what one statement can answer is then
    /// read without a transaction around it.
    #[must_use]
    pub fn for_one_read(self) -> Self {
        Self {
            reads_once: true,
            ..self
        }
    }

    /// The same scope for somebody whose standing was read before: whatever is read through it is read
    /// only while `claim` holds.
    #[must_use]
    pub fn on(self, claim: Claim) -> Self {
        Self {
            claim: Some(claim),
            ..self
        }
    }

    /// Ends the snapshot, if one is open; the next read opens a new one.
    pub async fn close_snapshot(&self) {
        self.snapshot.lock().await.take();
    }

    /// As [`Scope::writer`] does, for work that another scope's writer is to do. What is denied is
    /// written down in the audit log.
    ///
    /// # Errors
    /// [`Error::Forbidden`] without the permission, a refusal when the organization is suspended or
    /// cancelled.
    pub async fn require_writable(&self, permission: Permission) -> Result<()> {
        if !self.permissions.has(permission) {
            let lacking = self.lacking(permission);
            let reason = match lacking {
                Error::SecondFactorRequired(_) => Code::SecondFactorRequired.as_str(),
                _ => "FORBIDDEN",
            };
            Box::pin(self.write_denial(permission, reason)).await;
            return Err(lacking);
        }
        if !self.writable {
            let code = Code::OrganizationInactive;
            Box::pin(self.write_denial(permission, code.as_str())).await;
            return Err(Error::refused(
                code,
                "",
                "The organization is suspended or cancelled: it can be read, not changed.",
            ));
        }
        Ok(())
    }

    fn require(&self, permission: Permission) -> Result<()> {
        if self.permissions.has(permission) {
            Ok(())
        } else {
            Err(self.lacking(permission))
        }
    }

    /// Why the actor may not do this.
    fn lacking(&self, permission: Permission) -> Error {
        if self.withheld.has(permission) {
            Error::SecondFactorRequired(permission)
        } else {
            Error::Forbidden(permission)
        }
    }

    /// The condition that limits the rows of `E` to the actor's event, where there is one and they
    /// belong to events.
    fn within_event<E: TenantOwned>(&self) -> Option<SimpleExpr> {
        Some(E::EVENT?.eq(self.event?.uuid()))
    }

    /// Takes on what was done for this scope through `other`.
    pub(crate) fn follow(&self, other: &Self) {
        self.statements
            .fetch_add(other.statements(), Ordering::Relaxed);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    async fn stands_alone(&self) -> bool {
        self.reads_once && self.snapshot.lock().await.is_none()
    }

    async fn snapshot(&self) -> Result<Arc<Transaction>> {
        let mut snapshot = self.snapshot.lock().await;
        if let Some(transaction) = &*snapshot {
            return Ok(transaction.clone());
        }
        // On the heap: every read carries this future, and hardly any runs it.
        let transaction = Arc::new(Box::pin(self.open_snapshot()).await?);
        *snapshot = Some(transaction.clone());
        Ok(transaction)
    }

    async fn open_snapshot(&self) -> Result<Transaction> {
        let begin = self.db.begin(self.binding(), false);
        let transaction = match &self.claim {
            None => begin.await?,
            Some(claim) => {
                let (sql, values) = claim.statement(&self.db);
                let statement = Statement::from_sql_and_values(self.db.backend(), sql, values);
                let asked = claim.read(async {
                    let transaction = begin.await?;
                    let row = transaction.query_one_raw(statement).await?;
                    Ok(row.map(|_| transaction))
                });
                asked.await?.ok_or(Error::Unauthenticated)?
            }
        };
        Ok(transaction.counted_in(self.statements.clone()))
    }

    fn binding(&self) -> Binding {
        Binding {
            organization: Some(self.organization.uuid()),
            user: self.author.user().map(entity::Id::uuid),
        }
    }
}
