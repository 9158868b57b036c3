//! Removing imports that nobody goes on with. Whom and what they brought in stays.

use chrono::TimeDelta;
use serde_json::json;

use crate::{Change, ChangeKind, Result, Writer, permission::ImportsCreate};

/// An import is kept for so long after the last time something became of it.
const KEPT: TimeDelta = TimeDelta::days(90);

/// What is over: not those that a job is at work on.
const OVER: &str = "organization_id = $1 AND created_at <= $2 AND updated_at <= $2
    AND status IN ('previewed', 'committed', 'failed')";

/// Removes up to `size` rows of imports whose time has come, and such imports that have no rows any
/// more, and gives how many.
pub(crate) async fn purge(writer: Writer<ImportsCreate>, size: u64) -> Result<u64> {
    let before = writer.scope().clock().now() - KEPT;
    let limit = i64::try_from(size).unwrap_or(i64::MAX);
    let values = || vec![before.into(), limit.into()];
    let rows = format!(
        "DELETE FROM import_rows WHERE organization_id = $1 AND (import_id, line) IN (
             SELECT import_id, line FROM import_rows WHERE organization_id = $1
                 AND import_id IN (SELECT id FROM imports WHERE {OVER}) LIMIT $3)"
    );
    let rows = writer.execute(&rows, values()).await?;
    let mut imports = 0;
    if rows < size {
        let empty = format!(
            "DELETE FROM imports WHERE organization_id = $1 AND id IN (SELECT id FROM imports WHERE {OVER} LIMIT $3)"
        );
        imports = writer.execute(&empty, values()).await?;
    }
    if rows + imports > 0 {
        let organization = writer.scope().organization();
        let change = Change::new(ChangeKind::RecordsPurged, organization)
            .with(json!({ "imports": imports, "importRows": rows, "before": before }));
        writer.commit(change).await?;
    }
    Ok(rows + imports)
}
