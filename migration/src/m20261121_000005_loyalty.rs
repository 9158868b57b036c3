//! The loyalty ledger.

use sea_orm_migration::prelude::*;

use super::{drop, protect, statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(
            manager,
            r"
            CREATE TABLE loyalty_entries (
                id {id} PRIMARY KEY,
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                patron_id {uuid} NOT NULL,
                kind varchar(10) NOT NULL
                    CHECK (kind IN ('earn', 'redeem', 'expire', 'reverse', 'adjust', 'transfer')),
                points bigint NOT NULL,
                reason varchar(200) NOT NULL,
                source_id {uuid} NOT NULL,
                generation integer NOT NULL,
                created_at {now},
                UNIQUE (organization_id, id),
                UNIQUE (organization_id, kind, source_id, generation),
                FOREIGN KEY (organization_id, patron_id) REFERENCES patrons (organization_id, id) ON DELETE CASCADE
            );
            CREATE INDEX loyalty_entries_patron ON loyalty_entries (organization_id, patron_id, created_at, id);
            ",
        )
        .await?;
        protect(
            manager,
            "loyalty_entries",
            "organization_id",
            "SELECT, INSERT",
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["loyalty_entries"]).await
    }
}
