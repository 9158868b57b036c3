//! Roles of an organization's own, further roles of a member, and teams that bring roles along.

use sea_orm_migration::prelude::*;

use super::{drop, protect, statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            "organizations ADD COLUMN access_version bigint NOT NULL DEFAULT 0",
            "roles ADD COLUMN description varchar(500) NOT NULL DEFAULT ''",
            "roles ADD COLUMN permissions text NOT NULL DEFAULT ''",
            "members ADD COLUMN external_id varchar(255)",
            "members ADD COLUMN metadata {json} NOT NULL DEFAULT '{}'",
        ] {
            statement(manager, &format!("ALTER TABLE {column};")).await?;
        }
        statement(
            manager,
            r"
            CREATE UNIQUE INDEX members_external_id ON members (organization_id, external_id)
                WHERE external_id IS NOT NULL;
            CREATE TABLE member_roles (
                organization_id {uuid} NOT NULL,
                member_id {uuid} NOT NULL,
                role varchar(50) NOT NULL,
                created_at {now},
                PRIMARY KEY (organization_id, member_id, role),
                FOREIGN KEY (organization_id, member_id) REFERENCES members (organization_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organization_id, role) REFERENCES roles (organization_id, slug)
            );
            CREATE INDEX member_roles_role ON member_roles (organization_id, role);
            CREATE TABLE teams (
                id {id} PRIMARY KEY,
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                parent_id {uuid},
                name varchar(100) NOT NULL,
                name_key {sorted} NOT NULL,
                description varchar(500) NOT NULL,
                created_at {now},
                updated_at {now},
                UNIQUE (organization_id, id),
                UNIQUE (organization_id, name_key),
                FOREIGN KEY (organization_id, parent_id) REFERENCES teams (organization_id, id)
            );
            CREATE INDEX teams_parent ON teams (organization_id, parent_id);
            CREATE TABLE team_members (
                id {id} PRIMARY KEY,
                organization_id {uuid} NOT NULL,
                team_id {uuid} NOT NULL,
                member_id {uuid} NOT NULL,
                created_at {now},
                UNIQUE (organization_id, id),
                UNIQUE (organization_id, team_id, member_id),
                FOREIGN KEY (organization_id, team_id) REFERENCES teams (organization_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organization_id, member_id) REFERENCES members (organization_id, id) ON DELETE CASCADE
            );
            CREATE INDEX team_members_joined ON team_members (organization_id, team_id, created_at, id);
            CREATE INDEX team_members_member ON team_members (organization_id, member_id, created_at, id);
            CREATE TABLE team_roles (
                organization_id {uuid} NOT NULL,
                team_id {uuid} NOT NULL,
                role varchar(50) NOT NULL,
                created_at {now},
                PRIMARY KEY (organization_id, team_id, role),
                FOREIGN KEY (organization_id, team_id) REFERENCES teams (organization_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organization_id, role) REFERENCES roles (organization_id, slug)
            );
            CREATE INDEX team_roles_role ON team_roles (organization_id, role);
            ",
        )
        .await?;
        for table in ["member_roles", "teams", "team_members", "team_roles"] {
            protect(
                manager,
                table,
                "organization_id",
                "SELECT, INSERT, UPDATE, DELETE",
            )
            .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(
            manager,
            &["team_roles", "team_members", "teams", "member_roles"],
        )
        .await?;
        statement(manager, "DROP INDEX members_external_id;").await?;
        for column in [
            "members DROP COLUMN metadata",
            "members DROP COLUMN external_id",
            "roles DROP COLUMN permissions",
            "roles DROP COLUMN description",
            "organizations DROP COLUMN access_version",
        ] {
            statement(manager, &format!("ALTER TABLE {column};")).await?;
        }
        Ok(())
    }
}
