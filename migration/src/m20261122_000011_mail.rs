//! Mails that wait to be sent, the tokens that some of them carry, and which address is proved.

use sea_orm_migration::prelude::*;

use super::{drop, grant, statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A locale is no enumeration: a language that is taken away again leaves people in English.
        statement(
            manager,
            r"
            ALTER TABLE users ADD COLUMN email_verified_at {time};
            ALTER TABLE users ADD COLUMN locale varchar(35) NOT NULL DEFAULT 'en';
            CREATE TABLE account_tokens (
                id {id} PRIMARY KEY,
                user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                purpose varchar(20) NOT NULL CHECK (purpose IN ('verify_email', 'change_email', 'reset_password')),
                address varchar(255) NOT NULL,
                token_hash {bytes} UNIQUE,
                created_at {now},
                expires_at {time} NOT NULL,
                used_at {time},
                UNIQUE (user_id, purpose)
            );
            CREATE TABLE mails (
                id {id} PRIMARY KEY,
                kind varchar(32) NOT NULL,
                recipient varchar(255) NOT NULL,
                user_id {uuid} REFERENCES users (id) ON DELETE CASCADE,
                data {json} NOT NULL,
                created_at {now},
                run_at {time} NOT NULL,
                attempts integer NOT NULL,
                failure text,
                sent_at {time}
            );
            CREATE INDEX mails_due ON mails (run_at) WHERE sent_at IS NULL;
            CREATE INDEX mails_user ON mails (user_id);
            ",
        )
        .await?;
        for table in ["account_tokens", "mails"] {
            grant(manager, table, "SELECT, INSERT, UPDATE, DELETE").await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["mails", "account_tokens"]).await?;
        statement(
            manager,
            r"
            ALTER TABLE users DROP COLUMN locale;
            ALTER TABLE users DROP COLUMN email_verified_at;
            ",
        )
        .await
    }
}
