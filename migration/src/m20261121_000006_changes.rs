//! The numbered log of changes, and the audit log.

use sea_orm_migration::prelude::*;

use super::{drop, postgres, protect, statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(
            manager,
            r"
            CREATE TABLE change_counters (
                organization_id {uuid} NOT NULL PRIMARY KEY REFERENCES organizations (id) ON DELETE CASCADE,
                last_sequence bigint NOT NULL
            );
            CREATE TABLE changes (
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                sequence bigint NOT NULL,
                kind varchar(64) NOT NULL,
                subject_id {uuid} NOT NULL,
                event_id {uuid},
                patron_id {uuid},
                actor_id {uuid},
                occurred_at {time} NOT NULL,
                recorded_at {time} NOT NULL,
                data {json} NOT NULL,
                PRIMARY KEY (organization_id, sequence)
            );
            CREATE INDEX changes_event ON changes (organization_id, event_id, sequence);
            CREATE TABLE audit_logs (
                id {id},
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                actor_id {uuid},
                event_type varchar(64) NOT NULL,
                action text,
                target_id {uuid},
                address varchar(45),
                user_agent varchar(255),
                sequence bigint NOT NULL,
                changes integer NOT NULL,
                created_at {now},
                PRIMARY KEY (organization_id, id)
            );
            CREATE INDEX audit_logs_created ON audit_logs (organization_id, created_at, id);
            ",
        )
        .await?;
        protect(
            manager,
            "change_counters",
            "organization_id",
            "SELECT, INSERT, UPDATE",
        )
        .await?;
        protect(manager, "changes", "organization_id", "SELECT, INSERT").await?;
        protect(manager, "audit_logs", "organization_id", "SELECT, INSERT").await?;
        postgres(
            manager,
            r"ALTER TABLE change_counters SET (fillfactor = 50);",
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["audit_logs", "changes", "change_counters"]).await
    }
}
