//! People's logins and sessions, and the role that serves requests.

use sea_orm_migration::prelude::*;

use super::{drop, grant, postgres, statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        postgres(
            manager,
            r"
            DO $$ BEGIN
                CREATE ROLE rollcall_app NOLOGIN NOBYPASSRLS;
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END $$;
            DO $$ BEGIN
                IF NOT pg_has_role(current_user, 'rollcall_app', 'MEMBER') THEN
                    GRANT rollcall_app TO CURRENT_USER;
                END IF;
            EXCEPTION WHEN unique_violation THEN NULL;
            END $$;
            GRANT USAGE ON SCHEMA public TO rollcall_app;
            ",
        )
        .await?;
        statement(
            manager,
            r"
            CREATE TABLE users (
                id {id} PRIMARY KEY,
                username varchar(50) NOT NULL CHECK (length(username) >= 3),
                username_key varchar(50) NOT NULL UNIQUE,
                email varchar(255) NOT NULL UNIQUE,
                password_hash varchar(255) NOT NULL,
                first_name varchar(100) NOT NULL,
                last_name varchar(100) NOT NULL,
                created_at {now},
                updated_at {now},
                deleted_at {time}
            );
            ",
        )
        .await?;
        grant(manager, "users", "SELECT, INSERT, UPDATE, DELETE").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["users"]).await
    }
}
