//! API keys: with them machines act in an organization, which owns them.
//!
//! A key may do what was given to it, as far as the member who answers for it may do that at the
//! moment. Who makes a key, gives it another secret or adopts it answers for it from then on, and needs
//! all of its permissions. When they leave, the key stays, and may do nothing until somebody else
//! adopts it: nothing has to be deployed again, and nobody keeps a way in.

use chrono::TimeDelta;
use entity::organizations::api_key;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::json;

mod change;
mod issue;

pub use change::{adopt, rename, revoke};
pub use entity::organizations::api_key::{ApiKeyId, Model as ApiKey};
pub use issue::{Issued, NewApiKey, create, create_for_device, rotate};

use crate::{
    Change, ChangeKind, Code, Error, Permissions, Reader, Result, Scope, System, Writer,
    identity::session,
    page::{self, Page, PageRequest},
    permission::{ApiKeysRead, OrganizationRead},
    scope::{Bearer, Sort, Table},
    secret::Key,
};

/// A device's key works for this long after its event ended.
const AFTERWARDS: TimeDelta = TimeDelta::hours(24);
/// Last use is written no more often than this.
const TOUCH: TimeDelta = TimeDelta::minutes(1);
/// The door for machines: who shows this key, and the scope of its organization, or why they cannot
/// enter that.
///
/// # Errors
/// [`Error::Unauthenticated`] for a key that is unknown, revoked or expired; one and the same answer.
pub async fn authenticate(
    system: &System,
    key: &Key,
    request: session::Request,
) -> Result<(Bearer, Result<Scope>)> {
    let bearer = Bearer::new(system, key, request.slug(), request.origin);
    match enter(&bearer).await {
        Err(error @ (Error::Unauthenticated | Error::Unavailable(_) | Error::Internal(_))) => {
            Err(error)
        }
        entered => Ok((bearer, entered)),
    }
}

/// The door into the key's organization, with what the key may do there at this moment.
///
/// # Errors
/// As [`authenticate`]; [`Error::NotFound`] when the request names another organization.
pub async fn enter(bearer: &Bearer) -> Result<Scope> {
    let standing = bearer.standing().await?.ok_or(Error::Unauthenticated)?;
    let end = match standing.event {
        // Asked for each time: an event may be moved.
        Some(_) => standing.event_ends_at.map(|end| end + AFTERWARDS),
        None => standing.expires_at,
    };
    if end.is_none_or(|end| end <= bearer.clock().now()) {
        return Err(Error::Unauthenticated);
    }
    if !standing.acts_here {
        return Err(Error::NotFound);
    }
    bearer.touch(&standing, TOUCH).await?;
    Ok(bearer.scope(&standing))
}

/// The organization's keys, newest first.
pub async fn list(reader: &Reader<ApiKeysRead>, request: &PageRequest) -> Result<Page<ApiKey>> {
    let sort = Sort {
        column: api_key::Column::CreatedAt,
        id: api_key::Column::Id,
        descending: true,
        list: "api keys".to_owned(),
        of: None,
    };
    let select = reader.find::<api_key::Entity>();
    let page = reader.page(select, sort, request, |row| {
        (page::Key::Time(row.created_at), row.id.uuid())
    });
    page.await
}

/// Those of `keys` that are the organization's.
pub async fn load(reader: &Reader<ApiKeysRead>, keys: &[ApiKeyId]) -> Result<Vec<ApiKey>> {
    let ids = keys.iter().map(|id| id.uuid()).collect();
    let among = reader.any(api_key::Column::Id, ids).await?;
    reader
        .all(reader.find::<api_key::Entity>().filter(among))
        .await
}

/// The key that the request shows; none for whoever shows none.
pub async fn own(reader: &Reader<OrganizationRead>) -> Result<Option<ApiKey>> {
    let Some(key) = reader.scope().actor().key() else {
        return Ok(None);
    };
    let own = reader
        .find::<api_key::Entity>()
        .filter(api_key::Column::Id.eq(key.uuid()));
    reader.one(own).await
}

/// The table of keys.
#[must_use]
pub fn table() -> Table {
    Table::of::<api_key::Entity, ApiKeysRead>()
}

/// What was given to a key.
#[must_use]
pub fn permissions(key: &ApiKey) -> Permissions {
    Permissions::of_names(&key.permissions)
}

/// The key, unless it was revoked.
async fn find<P>(writer: &Writer<P>, id: ApiKeyId) -> Result<ApiKey> {
    let select = writer
        .find::<api_key::Entity>()
        .filter(api_key::Column::Id.eq(id.uuid()));
    let Some(key) = writer.one(select).await? else {
        let message = "The organization has no such key.";
        return Err(Error::refused(Code::NotFound, "apiKeyId", message));
    };
    if key.revoked_at.is_some() {
        let message = "This key was revoked, for good. Make another.";
        return Err(Error::refused(Code::WrongState, "apiKeyId", message));
    }
    Ok(key)
}

async fn save<P>(writer: Writer<P>, key: ApiKey, kind: ChangeKind) -> Result<ApiKey> {
    let key = ApiKey {
        updated_at: writer.scope().clock().now(),
        ..key
    };
    let responsible = key.responsible_id.map(entity::Id::uuid);
    let update = writer
        .change::<api_key::Entity>()
        .set(api_key::Column::Name, key.name.clone())
        .set(api_key::Column::Lookup, key.lookup.clone())
        .set(api_key::Column::ResponsibleId, responsible)
        .set(api_key::Column::ExpiresAt, key.expires_at)
        .set(api_key::Column::RevokedAt, key.revoked_at)
        .set(api_key::Column::UpdatedAt, key.updated_at)
        .filter(api_key::Column::Id.eq(key.id.uuid()));
    writer.update(update).await?;
    writer.commit(told(&key, kind)).await?;
    Ok(key)
}

/// What the log is told of a key.
fn told(key: &ApiKey, kind: ChangeKind) -> Change {
    let change = Change::new(kind, key.id)
        .with(json!({ "lookup": key.lookup, "permissions": key.permissions }));
    match key.event_id {
        Some(event) => change.at(event),
        None => change,
    }
}
