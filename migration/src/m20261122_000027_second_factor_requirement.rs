//! What an organization wants a second factor for.

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
            "ALTER TABLE organizations ADD COLUMN second_factor text NOT NULL DEFAULT '';",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(
            manager,
            "ALTER TABLE organizations DROP COLUMN second_factor;",
        )
        .await
    }
}
