//! Accounts at outside providers that people sign in with, and sign-ins there that are under way.

use sea_orm_migration::prelude::*;

use super::{drop, grant, statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Whose account it is, the issuer and its subject say: the name of a provider is ours, and may
        // come to mean another one.
        statement(
            manager,
            r"
            CREATE TABLE linked_accounts (
                id {id} PRIMARY KEY,
                user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                provider varchar(50) NOT NULL,
                issuer varchar(255) NOT NULL,
                subject varchar(255) NOT NULL,
                email varchar(255),
                refresh_token {bytes},
                created_at {now},
                last_used_at {time} NOT NULL,
                UNIQUE (issuer, subject),
                UNIQUE (user_id, provider)
            );
            CREATE TABLE provider_sign_ins (
                id {id} PRIMARY KEY,
                state_hash {bytes} NOT NULL UNIQUE,
                browser_hash {bytes} NOT NULL,
                provider varchar(50) NOT NULL,
                user_id {uuid} REFERENCES users (id) ON DELETE CASCADE,
                session_id {uuid} REFERENCES sessions (id) ON DELETE CASCADE,
                return_to varchar(2000) NOT NULL,
                created_at {now},
                expires_at {time} NOT NULL,
                used_at {time},
                CHECK ((user_id IS NULL) = (session_id IS NULL))
            );
            CREATE INDEX provider_sign_ins_expiry ON provider_sign_ins (expires_at);
            CREATE INDEX provider_sign_ins_user ON provider_sign_ins (user_id);
            CREATE INDEX provider_sign_ins_session ON provider_sign_ins (session_id);
            ",
        )
        .await?;
        for table in ["linked_accounts", "provider_sign_ins"] {
            grant(manager, table, "SELECT, INSERT, UPDATE, DELETE").await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["provider_sign_ins", "linked_accounts"]).await
    }
}
