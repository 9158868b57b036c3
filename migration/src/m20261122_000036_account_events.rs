//! What was done to accounts, and what was tried: it belongs to a person, and to no organization.

use sea_orm_migration::prelude::*;

use super::{drop, grant, postgres, statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A session is named that may be gone.
        statement(
            manager,
            r"
            CREATE TABLE account_events (
                id {id} PRIMARY KEY,
                user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                session_id {uuid},
                event_type varchar(64) NOT NULL,
                action varchar(32),
                result varchar(10) NOT NULL CHECK (result IN ('success', 'failure')),
                reason varchar(40),
                address varchar(45),
                user_agent varchar(255),
                created_at {now}
            );
            CREATE INDEX account_events_user ON account_events (user_id, created_at, id);
            CREATE INDEX account_events_age ON account_events (created_at);
            ",
        )
        .await?;
        grant(manager, "account_events", "SELECT, INSERT, DELETE").await?;
        postgres(
            manager,
            r"
            ALTER TABLE account_events ENABLE ROW LEVEL SECURITY;
            ALTER TABLE account_events FORCE ROW LEVEL SECURITY;
            CREATE POLICY everybody ON account_events USING (true) WITH CHECK (true);
            -- Nothing younger is removed, but of who is to be forgotten.
            CREATE POLICY kept ON account_events AS RESTRICTIVE FOR DELETE
                USING (created_at < now() - interval '90 days'
                    OR EXISTS (SELECT 1 FROM users WHERE users.id = user_id AND deleted_at IS NOT NULL));
            ",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["account_events"]).await
    }
}
