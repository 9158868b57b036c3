//! Fewer checks for each row of a door: a row whose event or patron is of an organization is of it
//! too, so that asking for the organization once more holds nothing up (measured: an eighth of an
//! inserted scan). And only a scan that undoes another is found by what it undid.
//!
//! SQLite cannot drop a constraint, and checks it without a statement of its own.

use sea_orm_migration::prelude::*;

use super::{postgres, statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// Tables with a composite foreign key to a row of the same organization, which is NOT NULL.
const BELOW: [&str; 4] = [
    "attendances",
    "attendance_scans",
    "loyalty_entries",
    "patron_external_ids",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in BELOW {
            let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {table}_organization_id_fkey;");
            postgres(manager, &drop).await?;
        }
        statement(
            manager,
            "DROP INDEX attendance_scans_supersedes;
             CREATE INDEX attendance_scans_supersedes ON attendance_scans (organization_id, supersedes)
                 WHERE supersedes IS NOT NULL;",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in BELOW {
            let add = format!(
                "ALTER TABLE {table} ADD FOREIGN KEY (organization_id) REFERENCES organizations (id) ON DELETE CASCADE;"
            );
            postgres(manager, &add).await?;
        }
        statement(
            manager,
            "DROP INDEX attendance_scans_supersedes;
             CREATE INDEX attendance_scans_supersedes ON attendance_scans (organization_id, supersedes);",
        )
        .await
    }
}
