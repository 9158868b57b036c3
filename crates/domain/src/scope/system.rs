//! Rollcall itself: what has no person, or no tenant yet.

use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use chrono::{DateTime, Utc};
use entity::{
    identity::{session::SessionId, user::UserId},
    jobs::{job, mail},
    organizations::organization::OrganizationId,
};
use sea_orm::{ConnectionTrait, EntityTrait, FromQueryResult};

use super::{
    Actor, Author, Binding, Committed, Db, Origin, Own, Scope, Standing, claim, dialect, outbox,
    standing, transaction::Transaction,
};
use crate::{Permissions, Result, mail::Mail, secret::sealing::Sealing};

/// The right to act as Rollcall itself, for a stated reason. Its call sites are counted by a test:
/// a new one needs a reason why neither [`super::Viewer`] nor [`Scope`] will do.
pub struct System {
    db: Db,
    reason: &'static str,
}

/// What a token stands for.
pub(crate) struct Identity {
    pub(crate) session: SessionId,
    pub(crate) user: UserId,
    pub(crate) authenticated_at: DateTime<Utc>,
    pub(crate) second_factor_at: Option<DateTime<Utc>>,
    /// None where neither the session nor the request names one, or it names none that exists.
    pub(crate) organization: Option<OrganizationId>,
    pub(crate) last_used_at: DateTime<Utc>,
    /// None for somebody who is no member.
    pub(crate) standing: Option<Standing>,
}

/// What of a person's standing is walled is read below the select that binds the tenant, one row at a
/// time, where no planner can read it before.
const IDENTIFY: &str = "
    SELECT tenant.*, {standing} FROM (
        SELECT who.*, {bound} AS bound FROM (
            SELECT sessions.id AS session, user_id AS \"user\", authenticated_at, second_factor_at, last_used_at,
                CASE WHEN CAST($4 AS text) IS NULL THEN active_organization_id
                    ELSE (SELECT organization_id FROM organization_slugs WHERE slug = $4) END AS organization
            FROM {session} AND last_used_at > $3
        ) AS who
    ) AS tenant";

/// The first columns of [`IDENTIFY`].
#[derive(FromQueryResult)]
struct Holder {
    session: SessionId,
    user: UserId,
    authenticated_at: DateTime<Utc>,
    second_factor_at: Option<DateTime<Utc>>,
    last_used_at: DateTime<Utc>,
    organization: Option<OrganizationId>,
}

/// A transaction outside any tenant: on PostgreSQL it sees no tenant's rows.
pub struct SystemTransaction {
    db: Db,
    transaction: Transaction,
    enqueued: AtomicBool,
}

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

    /// Encrypts secrets that have to be read again.
    #[must_use]
    pub fn sealing(&self) -> &Sealing {
        self.db.sealing()
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    /// Begins a transaction on global tables; `write` if it is to change any.
    pub async fn begin(&self, write: bool) -> Result<SystemTransaction> {
        Ok(SystemTransaction {
            db: self.db.clone(),
            transaction: self.db.begin(Binding::default(), write).await?,
            enqueued: AtomicBool::new(false),
        })
    }

    /// Who holds a token, where they act, and as what there: all that a request's credential says,
    /// with one statement. Without `slug` they act where their session does.
    pub(crate) async fn identify(
        &self,
        token_hash: Vec<u8>,
        slug: Option<String>,
        idle_since: DateTime<Utc>,
    ) -> Result<Option<Identity>> {
        let bound = dialect::binding_tenant(self.db.backend(), "organization");
        let sql = IDENTIFY
            .replace(
                "{standing}",
                &standing::columns("tenant.bound", "tenant.\"user\""),
            )
            .replace("{bound}", &bound)
            .replace("{session}", &claim::session("$1", "$2"));
        let now = self.clock().now();
        let values = vec![
            token_hash.into(),
            now.into(),
            idle_since.into(),
            slug.into(),
        ];
        let Some(row) = self.db.read(&sql, values).await? else {
            return Ok(None);
        };
        let holder = Holder::from_query_result(&row, "")?;
        let found = standing::Found::from_query_result(&row, "")?;
        Ok(Some(Identity {
            session: holder.session,
            user: holder.user,
            organization: holder.organization,
            authenticated_at: holder.authenticated_at,
            second_factor_at: holder.second_factor_at,
            last_used_at: holder.last_used_at,
            standing: found.at(holder.organization, holder.last_used_at),
        }))
    }

    /// The scope of an organization, with every permission.
    #[must_use]
    pub fn scope(&self, organization: OrganizationId) -> Scope {
        self.scope_as(organization, Actor::System, Origin::default())
    }

    /// The same on behalf of `viewer`, for what the organization's own permissions do not decide.
    #[must_use]
    pub(crate) fn scope_for(&self, viewer: &super::Viewer, organization: OrganizationId) -> Scope {
        let actor = Actor::User {
            user: viewer.user,
            session: viewer.session,
        };
        self.scope_as(organization, actor, (*viewer.origin).clone())
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
            author: Author {
                actor,
                origin: Arc::new(origin),
            },
            permissions: Permissions::all(),
            withheld: Permissions::default(),
            event: None,
            writable: true,
            reads_once: false,
            claim: None,
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

    /// Takes up to `size` due mails that were tried less than `tries` times, until `lease`; no other
    /// instance gets them before that.
    pub(crate) async fn claim_mails(
        &self,
        lease: chrono::TimeDelta,
        tries: i32,
        size: i64,
    ) -> Result<Vec<mail::Model>> {
        let transaction = self.db.begin(Binding::default(), true).await?;
        let now = self.clock().now();
        let statement = dialect::claim_mails(
            transaction.get_database_backend(),
            now.into(),
            (now + lease).into(),
            tries,
            size,
        );
        let mails = mail::Entity::find()
            .from_raw_sql(statement)
            .all(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(mails)
    }
}

impl SystemTransaction {
    /// The same on one person's own rows alone: for who is just proving that it is theirs.
    pub(crate) fn of(self, user: UserId) -> Own {
        Own {
            db: self.db,
            user,
            transaction: self.transaction,
            enqueued: self.enqueued,
        }
    }

    /// The database's clock.
    #[must_use]
    pub fn clock(&self) -> &crate::Clock {
        self.db.clock()
    }

    /// Has a mail sent after the commit.
    pub async fn mail(&self, mail: Mail) -> Result<()> {
        outbox::put(&self.transaction, self.db.clock(), mail).await?;
        self.enqueued.store(true, Ordering::Relaxed);
        Ok(())
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

impl Deref for SystemTransaction {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        &self.transaction
    }
}
