//! What a credential stood for lately, asked again by the statement that reads the answer.
//!
//! Finding out who asks takes a statement of its own, as long as the one that reads a row. What it
//! found is kept for a minute ([`crate::identity::known`]), and a query is begun on it. Nothing is
//! answered on it alone: the statement that reads on PostgreSQL has the claim as its condition, a
//! snapshot asks before anything else is read, and the caller asks last of all if neither did. Where
//! it no longer holds, nothing was read, and the caller finds out anew.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use entity::identity::{session::SessionId, user::UserId};
use sea_orm::Value;

use super::{Db, Standing, dialect};
use crate::Result;

/// Who held a credential, and what they were.
#[derive(Debug)]
pub(crate) struct Holder {
    pub(crate) token_hash: Arc<[u8]>,
    /// The slug that the request named; none where the session says where they act.
    pub(crate) slug: Option<String>,
    pub(crate) session: SessionId,
    pub(crate) user: UserId,
    pub(crate) authenticated_at: DateTime<Utc>,
    pub(crate) second_factor_at: Option<DateTime<Utc>>,
    pub(crate) standing: Standing,
}

/// That what was known is still so, as far as reading goes: the organization's status decides who
/// may write, and no mutation is begun on a claim.
#[derive(Clone, Debug)]
pub struct Claim {
    holder: Arc<Holder>,
    /// None while nothing was read under it.
    found: Arc<Mutex<Option<Result<bool>>>>,
}

impl Claim {
    pub(crate) fn new(holder: Arc<Holder>) -> Self {
        Self {
            holder,
            found: Arc::default(),
        }
    }

    /// Whether it holds, which is asked now unless something was read under it.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] when the database does not answer, or did not before.
    pub async fn holds(&self, db: &Db) -> Result<bool> {
        if let Some(found) = self.found().clone() {
            return found;
        }
        let (sql, values) = self.statement(db);
        self.read(db.read(&sql, values))
            .await
            .map(|row| row.is_some())
    }

    /// Reads a row that is there only while it holds, and remembers whether it was: once it did not
    /// hold, it never does.
    pub(super) async fn read<T>(
        &self,
        row: impl Future<Output = Result<Option<T>>>,
    ) -> Result<Option<T>> {
        let row = row.await;
        let mut found = self.found();
        if !matches!(*found, Some(Ok(false))) {
            *found = Some(row.as_ref().map(Option::is_some).map_err(Clone::clone));
        }
        row
    }

    /// No code panics while it holds the lock.
    fn found(&self) -> MutexGuard<'_, Option<Result<bool>>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A statement that gives a row while it holds.
    pub(super) fn statement(&self, db: &Db) -> (String, Vec<Value>) {
        let mut values = vec![self.holder.standing.organization.uuid().into()];
        let condition = self.condition(db.clock().now(), &mut values);
        let bound = dialect::binding_tenant(db.backend(), "$1");
        let sql = format!("SELECT 1 FROM (SELECT {bound} AS id) AS tenant WHERE {condition}");
        (sql, values)
    }

    /// The condition for a statement with the parameters `values` that reads from the select that
    /// binds the tenant, as `tenant`. What is walled asks for `tenant.id`, one row at a time, so that
    /// no plan can read it before it is bound.
    pub(super) fn condition(&self, now: DateTime<Utc>, values: &mut Vec<Value>) -> String {
        let holder = &self.holder;
        let standing = &holder.standing;
        let mut value = |value: Value| {
            values.push(value);
            format!("${}", values.len())
        };
        let hash = value(holder.token_hash.to_vec().into());
        let now = value(now.into());
        let user = value(holder.user.uuid().into());
        let organization = value(standing.organization.uuid().into());
        let role = value(standing.role.clone().into());
        let access_version = value(standing.access_version.into());
        let session = session(&hash, &now);
        let second_factor = match holder.second_factor_at {
            Some(_) => "second_factor_at IS NOT NULL",
            None => "second_factor_at IS NULL",
        };
        let acts_here = match &holder.slug {
            None => format!("active_organization_id = {organization}"),
            Some(slug) => {
                let slug = value(slug.clone().into());
                format!(
                    "EXISTS (SELECT 1 FROM organization_slugs WHERE slug = {slug} AND organization_id = {organization})"
                )
            }
        };
        format!(
            "EXISTS (SELECT 1 FROM {session} AND sessions.user_id = {user} AND {second_factor} AND {acts_here})
            AND (SELECT role FROM members WHERE organization_id = tenant.id AND user_id = {user}) = {role}
            AND (SELECT access_version FROM organizations WHERE id = tenant.id) = {access_version}"
        )
    }
}

/// The sessions that a token's hash opens at this moment, of people who are still there, as the source
/// of a select.
pub(super) fn session(hash: &str, now: &str) -> String {
    format!(
        "sessions JOIN users ON users.id = sessions.user_id
            WHERE token_hash = {hash} AND expires_at > {now} AND deleted_at IS NULL"
    )
}
