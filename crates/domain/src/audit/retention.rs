//! Removing entries of the audit log whose time has come. On PostgreSQL a policy keeps everything that
//! is younger than the shortest retention, whatever is asked here.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{audit::entry, live::counter, organizations::organization};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::entry::Entry;
use crate::{Change, ChangeKind, Error, Result, Writer, permission::OrganizationUpdate};

/// Entries removed at a time: others wait for the organization's log meanwhile.
pub const SIZE: u64 = 1000;

/// Removes up to [`SIZE`] entries that are older than the organization keeps them, from the beginning
/// of the chain on, and those from before it; gives how many. What is left is a chain that begins
/// with the first entry that is kept.
pub async fn purge(writer: Writer<OrganizationUpdate>) -> Result<u64> {
    let organization = writer
        .required(writer.find::<organization::Entity>())
        .await?;
    let days = TimeDelta::days(organization.audit_retention_days.into());
    let before = writer.scope().clock().now() - days;
    let removed = purge_outside(&writer, before).await? + purge_chain(&writer, before).await?;
    if removed > 0 {
        let change = Change::new(ChangeKind::AuditPurged, organization.id)
            .with(json!({ "entries": removed, "before": before }));
        writer.commit(change).await?;
    }
    Ok(removed)
}

async fn purge_outside(writer: &Writer<OrganizationUpdate>, before: DateTime<Utc>) -> Result<u64> {
    let size = i64::try_from(SIZE).unwrap_or(i64::MAX);
    writer
        .execute(
            "DELETE FROM audit_logs WHERE organization_id = $1 AND id IN (
                 SELECT id FROM audit_logs WHERE organization_id = $1 AND number IS NULL AND created_at < $2 LIMIT $3)",
            vec![before.into(), size.into()],
        )
        .await
}

async fn purge_chain(writer: &Writer<OrganizationUpdate>, before: DateTime<Utc>) -> Result<u64> {
    let counter = writer.required(writer.find::<counter::Entity>()).await?;
    let oldest = writer
        .find::<entry::Entity>()
        .filter(entry::Column::Number.gt(counter.purged_entry))
        .order_by_asc(entry::Column::Number)
        .limit(SIZE);
    let oldest = writer.all(oldest).await?;
    // In the chain's order, whatever clocks said.
    let expired = oldest.iter().take_while(|entry| entry.created_at < before);
    let Some(last) = expired.clone().last() else {
        return Ok(0);
    };
    let removal = writer
        .removal::<entry::Entity>()
        .filter(entry::Column::Number.gt(counter.purged_entry))
        .filter(entry::Column::Number.lte(last.number));
    let removed = writer.delete(removal).await?;
    if removed != expired.count() as u64 {
        return Err(Error::Internal(format!(
            "{removed} entries of the audit log were removed up to {:?}",
            last.number
        )));
    }
    keep_end(writer, last).await?;
    Ok(removed)
}

/// Keeps what the first entry that is kept is proved by.
async fn keep_end(writer: &Writer<OrganizationUpdate>, last: &Entry) -> Result<()> {
    let update = writer
        .change::<counter::Entity>()
        .set(counter::Column::PurgedEntry, last.number)
        .set(counter::Column::PurgedHash, last.hash.clone());
    writer.update(update).await?;
    Ok(())
}
