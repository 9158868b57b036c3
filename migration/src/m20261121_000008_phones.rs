//! Patrons by their number, for imports.

use sea_orm_migration::prelude::*;

use super::statement;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(
            manager,
            r"
            CREATE INDEX patrons_phone ON patrons (organization_id, phone)
                WHERE deleted_at IS NULL AND phone IS NOT NULL;
            ",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(manager, "DROP INDEX patrons_phone;").await
    }
}
