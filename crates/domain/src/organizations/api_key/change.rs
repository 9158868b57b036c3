//! What becomes of a key that is there.

use entity::organizations::api_key_secret;
use sea_orm::{ColumnTrait, QueryFilter};

use super::{ApiKey, ApiKeyId, find, permissions, save};
use crate::{
    ChangeKind, Error, Result, Writer,
    organizations::access,
    permission::{ApiKeysDelete, ApiKeysUpdate},
    scope::Fresh,
    text,
};

/// Gives a key another name.
///
/// # Errors
/// A refusal of the name, and for a key that is not there or was revoked.
pub async fn rename(writer: Writer<ApiKeysUpdate>, id: ApiKeyId, name: &str) -> Result<ApiKey> {
    let mut problems = Vec::new();
    let name = text::required(&mut problems, "name", name, 100);
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    access::lock(&writer).await?;
    let key = find(&writer, id).await?;
    let key = ApiKey { name, ..key };
    save(writer, key, ChangeKind::ApiKeyUpdated).await
}

/// Makes the caller answer for a key, whose secret stays.
///
/// # Errors
/// A refusal for a key that is not there, was revoked or may do what the caller may not.
pub async fn adopt(writer: Writer<ApiKeysUpdate>, fresh: Fresh, id: ApiKeyId) -> Result<ApiKey> {
    access::lock(&writer).await?;
    let key = find(&writer, id).await?;
    access::require(&writer, permissions(&key), "apiKeyId")?;
    let key = ApiKey {
        responsible_id: Some(fresh.viewer().user()),
        ..key
    };
    save(writer, key, ChangeKind::ApiKeyAdopted).await
}

/// Ends a key at once, with its streams. Whoever may revoke keys may revoke any: one that leaked must
/// not wait for somebody who may do more.
///
/// # Errors
/// A refusal for a key that is not there, or was revoked.
pub async fn revoke(writer: Writer<ApiKeysDelete>, id: ApiKeyId) -> Result<ApiKey> {
    access::lock(&writer).await?;
    let key = find(&writer, id).await?;
    let secrets = writer
        .removal::<api_key_secret::Entity>()
        .filter(api_key_secret::Column::ApiKeyId.eq(id.uuid()));
    writer.delete(secrets).await?;
    let key = ApiKey {
        revoked_at: Some(writer.scope().clock().now()),
        ..key
    };
    save(writer, key, ChangeKind::ApiKeyRevoked).await
}
