//! Writing an organization's numbered log of changes, and its audit log, which is a chain.

use chrono::{DateTime, Utc};
use entity::{
    audit::entry::{ActorKind, Model as Entry, Outcome},
    live::{change, counter},
};
use sea_orm::{ConnectionTrait, FromQueryResult, Set, Statement};
use uuid::Uuid;

use super::{Actor, Author, Scope, chain, dialect, transaction::Transaction, writer::Work};
use crate::{Change, Error, Permission, Result};

/// One entry of the audit log to be, and the changes that it stands for.
pub(super) struct Deed {
    author: Author,
    event_type: &'static str,
    action: Option<&'static str>,
    target: Option<Uuid>,
    /// Why it was not done; none where it was.
    reason: Option<&'static str>,
    changes: Vec<Change>,
}

impl Deed {
    /// What somebody did.
    ///
    /// # Errors
    /// [`Error::Internal`] when that was nothing.
    pub(super) fn done(work: Work) -> Result<Self> {
        let Work { author, changes } = work;
        let first = changes
            .first()
            .ok_or_else(|| Error::Internal("a commit without a change".to_owned()))?;
        Ok(Self {
            author,
            event_type: first.kind.as_str(),
            action: first.kind.action(),
            target: Some(first.subject),
            reason: None,
            changes,
        })
    }

    /// What somebody was denied, which would have needed `permission`.
    pub(super) fn denied(author: Author, permission: Permission, reason: &'static str) -> Self {
        Self {
            author,
            event_type: permission.as_str(),
            action: None,
            target: None,
            reason: Some(reason),
            changes: Vec::new(),
        }
    }
}

/// Writes these deeds down at the end of the scope's logs and gives the last change's number. The
/// caller commits, and does nothing in between.
pub(super) async fn append(
    scope: &Scope,
    connection: &Transaction,
    deeds: Vec<Deed>,
) -> Result<i64> {
    let backend = connection.get_database_backend();
    let changes: usize = deeds.iter().map(|deed| deed.changes.len()).sum();
    let [changes, entries] =
        [changes, deeds.len()].map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    // Taken last of all locks: numbers are in the order of commit because nothing waits between
    // this row's lock and the commit that frees it. The chain's end is kept in the same row: what
    // another commit has just written elsewhere, a statement that waited for it here does not see.
    let take = Statement::from_sql_and_values(
        backend,
        "UPDATE change_counters SET last_sequence = last_sequence + $2, last_entry = last_entry + $3
         WHERE organization_id = $1 RETURNING *",
        [scope.organization.uuid().into(), changes.into(), entries.into()],
    );
    let taken = connection.query_one_raw(take).await?;
    let taken = taken
        .ok_or_else(|| Error::Internal("an organization without its change counter".to_owned()))?;
    let counter = counter::Model::from_query_result(&taken, "")?;
    let now = scope.clock().now();
    let mut sequence = counter.last_sequence - changes;
    let mut number = counter.last_entry - entries;
    let mut hash = counter.last_hash;
    let mut rows = (Vec::with_capacity(deeds.len()), Vec::new());
    for deed in deeds {
        number += 1;
        let mut entry = entry(scope, &deed, number, sequence, now);
        chain::seal(&mut entry, hash.as_deref());
        hash.clone_from(&entry.hash);
        rows.0.push(entry.into());
        let actor = deed.author.actor;
        for change in deed.changes {
            sequence += 1;
            rows.1.push(change::ActiveModel {
                organization_id: Set(scope.organization),
                sequence: Set(sequence),
                kind: Set(change.kind.as_str().to_owned()),
                subject_id: Set(change.subject),
                event_id: Set(change.event),
                patron_id: Set(change.patron),
                actor_id: Set(actor.user()),
                key_id: Set(actor.key()),
                occurred_at: Set(change.occurred_at.unwrap_or(now)),
                recorded_at: Set(now),
                data: Set(change.data),
            });
        }
    }
    for statement in dialect::append(backend, scope.organization.uuid(), rows, hash) {
        connection.execute_raw(statement).await?;
    }
    Ok(counter.last_sequence)
}

/// The entry of a deed whose first change follows `sequence`.
fn entry(scope: &Scope, deed: &Deed, number: i64, sequence: i64, now: DateTime<Utc>) -> Entry {
    let origin = &deed.author.origin;
    let first = i64::from(!deed.changes.is_empty());
    Entry {
        id: entity::Id::random(),
        organization_id: scope.organization,
        number: Some(number),
        actor_kind: match deed.author.actor {
            Actor::User { .. } => ActorKind::User,
            Actor::Key { .. } => ActorKind::Key,
            Actor::System => ActorKind::System,
        },
        actor_id: deed.author.user(),
        key_id: deed.author.actor.key(),
        event_type: deed.event_type.to_owned(),
        action: deed.action.map(str::to_owned),
        target_id: deed.target,
        result: match deed.reason {
            None => Outcome::Success,
            Some(_) => Outcome::Failure,
        },
        reason: deed.reason.map(str::to_owned),
        address: origin.address.clone(),
        user_agent: origin.user_agent.clone(),
        personal_salt: None,
        personal_digest: None,
        sequence: sequence + first,
        changes: i32::try_from(deed.changes.len()).unwrap_or(i32::MAX),
        hash: None,
        created_at: now,
    }
}
