//! Second factors: authenticator apps, recovery codes, sign-ins that wait for one, and the count of those
//! that were wrong.

use sea_orm_migration::prelude::*;

use super::{drop, grant, statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 4] = [
    "totp_factors",
    "recovery_codes",
    "sign_in_challenges",
    "second_factor_counters",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(
            manager,
            r"
            ALTER TABLE sessions ADD COLUMN second_factor_at {time};
            CREATE TABLE totp_factors (
                id {id} PRIMARY KEY,
                user_id {uuid} NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
                secret {bytes} NOT NULL,
                last_step bigint NOT NULL,
                created_at {now},
                confirmed_at {time}
            );
            CREATE TABLE recovery_codes (
                id {id} PRIMARY KEY,
                user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                position integer NOT NULL CHECK (position BETWEEN 0 AND 9),
                code_hash varchar(255) NOT NULL,
                created_at {now},
                used_at {time},
                UNIQUE (user_id, position)
            );
            CREATE TABLE sign_in_challenges (
                id {id} PRIMARY KEY,
                user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                token_hash {bytes} NOT NULL UNIQUE,
                created_at {now},
                expires_at {time} NOT NULL,
                used_at {time}
            );
            CREATE INDEX sign_in_challenges_user ON sign_in_challenges (user_id);
            CREATE TABLE second_factor_counters (
                user_id {uuid} NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
                failures {json} NOT NULL,
                stopped_until {time}
            );
            ",
        )
        .await?;
        for table in TABLES {
            grant(manager, table, "SELECT, INSERT, UPDATE, DELETE").await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &TABLES).await?;
        statement(
            manager,
            "ALTER TABLE sessions DROP COLUMN second_factor_at;",
        )
        .await
    }
}
