//! What people tell about themselves besides their names, and when nothing of it was left.

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
            ALTER TABLE users ADD COLUMN phone varchar(32);
            ALTER TABLE users ADD COLUMN avatar_url varchar(2048);
            ALTER TABLE users ADD COLUMN purged_at {time};
            CREATE INDEX users_closed ON users (deleted_at) WHERE deleted_at IS NOT NULL AND purged_at IS NULL;
            ",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(
            manager,
            r"
            DROP INDEX users_closed;
            ALTER TABLE users DROP COLUMN purged_at;
            ALTER TABLE users DROP COLUMN avatar_url;
            ALTER TABLE users DROP COLUMN phone;
            ",
        )
        .await
    }
}
