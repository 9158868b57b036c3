//! What is done again and again, by one of the instances.

use sea_orm_migration::prelude::*;

use super::{drop, grant, statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(
            manager,
            r"
            CREATE TABLE schedules (
                task varchar(40) NOT NULL PRIMARY KEY,
                next_run_at {time} NOT NULL,
                holder {uuid},
                leased_until {time},
                last_run_at {time},
                last_rows bigint NOT NULL DEFAULT 0
            );
            CREATE INDEX mails_sent ON mails (sent_at) WHERE sent_at IS NOT NULL;
            ",
        )
        .await?;
        grant(manager, "schedules", "SELECT, INSERT, UPDATE").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(manager, "DROP INDEX mails_sent;").await?;
        drop(manager, &["schedules"]).await
    }
}
