//! A machine that shows an API key, and what the key is at this moment.

use std::sync::{Arc, atomic::AtomicU32};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    events::event::EventId,
    organizations::{
        api_key::{self, ApiKeyId},
        organization::{OrganizationId, Status},
    },
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, FromQueryResult, QueryFilter, sea_query::Expr};

use super::{Actor, Author, Binding, Db, Origin, Scope, dialect, standing};
use crate::{Permissions, Result, System, secret::Key};

/// A machine that shows an API key. It can do nothing but enter the key's organization
/// (`organizations::api_key`), which asks for the key each time.
#[derive(Clone)]
pub struct Bearer {
    db: Db,
    lookup: Arc<str>,
    secret_hash: Arc<[u8]>,
    /// The slug that the request named, if it named one.
    slug: Option<String>,
    origin: Arc<Origin>,
}

/// What a key is at this moment.
#[derive(FromQueryResult)]
pub(crate) struct Standing {
    pub(crate) api_key: ApiKeyId,
    pub(crate) organization: OrganizationId,
    /// Whether the request names the key's organization, or none.
    pub(crate) acts_here: bool,
    /// None for one that was revoked.
    permissions: Option<String>,
    /// What the roles of who answers for it permit; none when they belong here no more.
    roles: Option<String>,
    pub(crate) event: Option<EventId>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) event_ends_at: Option<DateTime<Utc>>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    status: Option<Status>,
}

/// What is walled is read below the select that binds the tenant, one row at a time, as for a session.
const STANDING: &str = "
    SELECT tenant.*, {roles} AS roles,
        (SELECT permissions FROM api_keys WHERE {key}) AS permissions,
        (SELECT event_id FROM api_keys WHERE {key}) AS event,
        (SELECT expires_at FROM api_keys WHERE {key}) AS expires_at,
        (SELECT last_used_at FROM api_keys WHERE {key}) AS last_used_at,
        (SELECT ends_at FROM events WHERE organization_id = tenant.bound
            AND id = (SELECT event_id FROM api_keys WHERE {key})) AS event_ends_at,
        (SELECT status FROM organizations WHERE id = tenant.bound) AS status
    FROM (
        SELECT who.*, {bound} AS bound FROM (
            SELECT api_key_id AS api_key, organization_id AS organization,
                CAST($4 AS text) IS NULL OR EXISTS (SELECT 1 FROM organization_slugs
                    WHERE slug = $4 AND organization_id = api_key_secrets.organization_id) AS acts_here
            FROM api_key_secrets WHERE lookup = $1 AND secret_hash = $2 AND (ends_at IS NULL OR ends_at > $3)
        ) AS who
    ) AS tenant";
const KEY: &str = "organization_id = tenant.bound AND id = tenant.api_key AND revoked_at IS NULL";
const RESPONSIBLE: &str = "(SELECT users.id FROM users WHERE deleted_at IS NULL AND users.id = (
    SELECT responsible_id FROM api_keys WHERE organization_id = tenant.bound AND id = tenant.api_key))";

impl Bearer {
    /// Whoever shows `key` in a request that names the organization `slug`, or none.
    pub(crate) fn new(system: &System, key: &Key, slug: Option<String>, origin: Origin) -> Self {
        Self {
            db: system.db().clone(),
            lookup: key.lookup().into(),
            secret_hash: key.hash().into(),
            slug,
            origin: origin.into(),
        }
    }

    /// The database's clock.
    pub(crate) fn clock(&self) -> &crate::Clock {
        self.db.clock()
    }

    /// What the key is, with one statement; none where there is no such key, or no more.
    pub(crate) async fn standing(&self) -> Result<Option<Standing>> {
        let bound = dialect::binding_tenant(self.db.backend(), "organization");
        let sql = STANDING
            .replace("{roles}", &standing::roles("tenant.bound", RESPONSIBLE))
            .replace("{bound}", &bound)
            .replace("{key}", KEY);
        let values = vec![
            (*self.lookup).into(),
            self.secret_hash.to_vec().into(),
            self.clock().now().into(),
            self.slug.clone().into(),
        ];
        let row = self.db.read(&sql, values).await?;
        let row = row.map(|row| Standing::from_query_result(&row, ""));
        Ok(row.transpose()?.filter(|row| row.permissions.is_some()))
    }

    /// Writes down that the key is being used, unless that was done within the last `every`.
    pub(crate) async fn touch(&self, standing: &Standing, every: TimeDelta) -> Result<()> {
        let now = self.clock().now();
        if standing.last_used_at.is_some_and(|last| now - last < every) {
            return Ok(());
        }
        let binding = Binding {
            organization: Some(standing.organization.uuid()),
            user: None,
        };
        let transaction = self.db.begin(binding, true).await?;
        let column = api_key::Column::LastUsedAt;
        // Asked again: of many requests at once one writes.
        api_key::Entity::update_many()
            .col_expr(column, Expr::value(now))
            .filter(api_key::Column::OrganizationId.eq(standing.organization.uuid()))
            .filter(api_key::Column::Id.eq(standing.api_key.uuid()))
            .filter(column.is_null().or(column.lte(now - every)))
            .exec(&transaction)
            .await?;
        transaction.commit().await
    }

    /// The scope of the key's organization: only `organizations::api_key` may say so, which has just
    /// asked what the key is.
    pub(crate) fn scope(&self, standing: &Standing) -> Scope {
        Scope {
            db: self.db.clone(),
            organization: standing.organization,
            author: Author {
                actor: Actor::Key {
                    key: standing.api_key,
                },
                origin: self.origin.clone(),
            },
            permissions: standing.permissions(),
            // No session: what a second factor is wanted for, a key's maker gave one for.
            withheld: Permissions::default(),
            event: standing.event,
            writable: matches!(standing.status, Some(Status::Trial | Status::Active)),
            reads_once: false,
            claim: None,
            snapshot: Arc::default(),
            generation: Arc::new(AtomicU32::new(0)),
            statements: Arc::new(AtomicU32::new(0)),
        }
    }
}

impl Standing {
    /// What was given to the key, as far as whoever answers for it may do it themselves.
    fn permissions(&self) -> Permissions {
        let given = self.permissions.as_deref().unwrap_or_default();
        let held = self.roles.as_deref().unwrap_or_default();
        Permissions::of_names(given).within(Permissions::of_roles(held))
    }
}
