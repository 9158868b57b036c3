//! Reading the audit log.

use chrono::{DateTime, Utc};
use entity::audit::entry;
use sea_orm::{ColumnTrait, QueryFilter};
use uuid::Uuid;

pub use entity::audit::entry::{ActorKind, EntryId, Model as Entry, Outcome};

use crate::{
    Code, Error, Reader, Result,
    clock::within_years,
    identity::user::{Person, UserId},
    organizations::api_key::ApiKeyId,
    page::{Key, Page, PageRequest},
    permission::{AuditRead, MembersRead},
    scope::{Scoped, Shape, Sort, Table},
};

/// Characters of an event type at most.
const LONGEST: usize = 64;

/// Which entries a list shows.
#[derive(Clone, Debug, Default)]
pub struct EntryFilter {
    /// Only those of this person.
    pub actor: Option<UserId>,
    /// Only those of this API key.
    pub key: Option<ApiKeyId>,
    /// Only those of this type: a change's kind, or the permission that was lacking.
    pub event_type: Option<String>,
    /// Only those about this.
    pub target: Option<Uuid>,
    /// Only those with this result.
    pub result: Option<Outcome>,
    /// Only those from this time on.
    pub from: Option<DateTime<Utc>>,
    /// Only those from before this time.
    pub until: Option<DateTime<Utc>>,
}

/// The organization's entries, newest first.
///
/// # Errors
/// A refusal of a filter that no entry could pass.
pub async fn list(
    reader: &Reader<AuditRead>,
    filter: &EntryFilter,
    request: &PageRequest,
) -> Result<Page<Entry>> {
    reader
        .page(matching(reader, filter)?, sort(filter), request, |entry| {
            (Key::Time(entry.created_at), entry.id.uuid())
        })
        .await
}

/// The same as JSON in this shape.
///
/// # Errors
/// As [`list`].
pub async fn written(
    reader: &Reader<AuditRead>,
    filter: &EntryFilter,
    request: &PageRequest,
    shape: &Shape,
) -> Result<String> {
    reader
        .written_page(matching(reader, filter)?, &sort(filter), request, shape)
        .await
}

/// The table of entries.
#[must_use]
pub fn table() -> Table {
    Table::of::<entry::Entity, AuditRead>()
}

/// Those of `entries` that are the organization's.
pub async fn load(reader: &Reader<AuditRead>, entries: &[EntryId]) -> Result<Vec<Entry>> {
    let among = reader
        .any(
            entry::Column::Id,
            entries.iter().map(|id| id.uuid()).collect(),
        )
        .await?;
    reader
        .all(reader.find::<entry::Entity>().filter(among))
        .await
}

/// Those of `users` who acted in the organization, whether or not they still have access: an audit
/// log that forgets who it was would be none.
pub async fn actors(reader: &Reader<MembersRead>, users: &[UserId]) -> Result<Vec<Person>> {
    reader
        .rows_of(
            // The first entry of each is looked up: EXISTS would be joined, and all entries read.
            "SELECT users.id, users.username, users.email, users.first_name, users.last_name, users.avatar_url FROM users
             WHERE users.id {in $2} AND 1 = (
                 SELECT 1 FROM audit_logs WHERE organization_id = $1 AND actor_id = users.id
                 ORDER BY created_at LIMIT 1)",
            users.iter().map(|id| id.uuid()).collect(),
            vec![],
        )
        .await
}

fn sort(filter: &EntryFilter) -> Sort<entry::Entity> {
    Sort {
        column: entry::Column::CreatedAt,
        id: entry::Column::Id,
        descending: true,
        list: format!("audit log{filter:?}"),
        of: None,
    }
}

fn matching(reader: &Reader<AuditRead>, filter: &EntryFilter) -> Result<Scoped<entry::Entity>> {
    let mut select = reader.find::<entry::Entity>();
    if let Some(actor) = filter.actor {
        select = select.filter(entry::Column::ActorId.eq(actor.uuid()));
    }
    if let Some(key) = filter.key {
        select = select.filter(entry::Column::KeyId.eq(key.uuid()));
    }
    if let Some(event_type) = &filter.event_type {
        if event_type.len() > LONGEST || !event_type.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::refused(
                Code::Invalid,
                "eventType",
                "This is not an event type. One is like member.added, or members:create for what was denied.",
            ));
        }
        select = select.filter(entry::Column::EventType.eq(event_type));
    }
    if let Some(target) = filter.target {
        select = select.filter(entry::Column::TargetId.eq(target));
    }
    if let Some(result) = filter.result {
        select = select.filter(entry::Column::Result.eq(result));
    }
    if let Some(from) = filter.from {
        select = select.filter(entry::Column::CreatedAt.gte(within_years(from)));
    }
    if let Some(until) = filter.until {
        select = select.filter(entry::Column::CreatedAt.lt(within_years(until)));
    }
    Ok(select)
}
