//! When a session's password was last given, for what a stolen session must not do.

use sea_orm_migration::prelude::*;

use super::statement;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The default is for the release before, which names no such column: a session of unknown
        // freshness is not fresh.
        statement(
            manager,
            r"
            ALTER TABLE sessions ADD COLUMN authenticated_at {time} NOT NULL
                DEFAULT '1970-01-01T00:00:00+00:00';
            UPDATE sessions SET authenticated_at = created_at;
            ",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(
            manager,
            "ALTER TABLE sessions DROP COLUMN authenticated_at;",
        )
        .await
    }
}
