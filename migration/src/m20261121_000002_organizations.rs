//! Organizations, the addresses that lead to them, their roles and members; sessions, which point at one.

use sea_orm_migration::prelude::*;

use super::{drop, grant, postgres, protect, statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(
            manager,
            r"
            CREATE TABLE organizations (
                id {id} PRIMARY KEY,
                name varchar(100) NOT NULL,
                slug varchar(63) NOT NULL UNIQUE,
                owner_id {uuid} NOT NULL REFERENCES users (id),
                status varchar(20) NOT NULL
                    CHECK (status IN ('trial', 'active', 'suspended', 'cancelled')),
                time_zone varchar(64) NOT NULL,
                metadata {json} NOT NULL,
                created_at {now},
                updated_at {now}
            );
            CREATE INDEX organizations_owner ON organizations (owner_id);
            CREATE TABLE organization_slugs (
                slug varchar(63) NOT NULL PRIMARY KEY,
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                created_at {now}
            );
            CREATE INDEX organization_slugs_organization ON organization_slugs (organization_id);
            CREATE TABLE roles (
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                slug varchar(50) NOT NULL,
                name varchar(100) NOT NULL,
                built_in boolean NOT NULL,
                created_at {now},
                PRIMARY KEY (organization_id, slug)
            );
            CREATE TABLE members (
                id {id} PRIMARY KEY,
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                role varchar(50) NOT NULL,
                joined_at {time} NOT NULL,
                created_at {now},
                updated_at {now},
                UNIQUE (organization_id, id),
                UNIQUE (organization_id, user_id),
                FOREIGN KEY (organization_id, role) REFERENCES roles (organization_id, slug)
            );
            CREATE INDEX members_user ON members (user_id);
            CREATE INDEX members_role ON members (organization_id, role);
            CREATE INDEX members_joined ON members (organization_id, created_at, id);
            CREATE UNIQUE INDEX members_one_owner ON members (organization_id) WHERE role = 'owner';
            CREATE TABLE sessions (
                id {id} PRIMARY KEY,
                user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                token_hash {bytes} NOT NULL UNIQUE,
                active_organization_id {uuid} REFERENCES organizations (id) ON DELETE SET NULL,
                user_agent varchar(255),
                address varchar(45) NOT NULL,
                created_at {now},
                last_used_at {time} NOT NULL,
                expires_at {time} NOT NULL
            );
            CREATE INDEX sessions_user ON sessions (user_id, created_at);
            CREATE INDEX sessions_organization ON sessions (active_organization_id);
            CREATE INDEX sessions_expiry ON sessions (expires_at);
            ",
        )
        .await?;
        protect(manager, "organizations", "id", "SELECT, INSERT, UPDATE").await?;
        protect(
            manager,
            "roles",
            "organization_id",
            "SELECT, INSERT, UPDATE, DELETE",
        )
        .await?;
        protect(
            manager,
            "members",
            "organization_id",
            "SELECT, INSERT, UPDATE, DELETE",
        )
        .await?;
        grant(manager, "organization_slugs", "SELECT, INSERT, DELETE").await?;
        grant(manager, "sessions", "SELECT, INSERT, UPDATE, DELETE").await?;
        postgres(
            manager,
            r"
            -- A person reads their own memberships, and the organizations behind them, before any
            -- of these is the tenant of a scope.
            CREATE POLICY own ON members FOR SELECT
                USING (user_id = (SELECT nullif(current_setting('rollcall.user_id', true), '')::uuid));
            CREATE POLICY own ON organizations FOR SELECT
                USING (EXISTS (SELECT 1 FROM members WHERE members.organization_id = organizations.id
                    AND members.user_id = (SELECT nullif(current_setting('rollcall.user_id', true), '')::uuid)));
            ",
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(
            manager,
            &[
                "sessions",
                "members",
                "roles",
                "organization_slugs",
                "organizations",
            ],
        )
        .await
    }
}
