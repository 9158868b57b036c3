//! Imports and their rows, and the jobs that carry them out.

use sea_orm_migration::prelude::*;

use super::{drop, grant, protect, statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(
            manager,
            r#"
            CREATE TABLE imports (
                id {id} PRIMARY KEY,
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                event_id {uuid},
                created_by {uuid} REFERENCES users (id) ON DELETE SET NULL,
                file_name varchar(255) NOT NULL,
                digest {bytes} NOT NULL,
                options {json} NOT NULL,
                status varchar(20) NOT NULL
                    CHECK (status IN ('reading', 'previewed', 'committing', 'committed', 'failed')),
                failure text,
                rows_total integer NOT NULL DEFAULT 0,
                rows_done integer NOT NULL DEFAULT 0,
                to_create integer NOT NULL DEFAULT 0,
                to_link integer NOT NULL DEFAULT 0,
                to_suggest integer NOT NULL DEFAULT 0,
                to_skip integer NOT NULL DEFAULT 0,
                with_error integer NOT NULL DEFAULT 0,
                created_at {now},
                updated_at {now},
                committed_at {time},
                UNIQUE (organization_id, id),
                FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id) ON DELETE CASCADE
            );
            CREATE INDEX imports_created ON imports (organization_id, created_at, id);
            CREATE INDEX imports_event ON imports (organization_id, event_id);
            CREATE INDEX imports_creator ON imports (created_by);
            CREATE TABLE import_files (
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                import_id {uuid} NOT NULL,
                content {bytes} NOT NULL,
                PRIMARY KEY (organization_id, import_id),
                FOREIGN KEY (organization_id, import_id) REFERENCES imports (organization_id, id) ON DELETE CASCADE
            );
            CREATE TABLE import_rows (
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                import_id {uuid} NOT NULL,
                line integer NOT NULL,
                verdict varchar(10) NOT NULL
                    CHECK (verdict IN ('create', 'link', 'suggest', 'skip', 'error')),
                code varchar(40),
                message text,
                "column" varchar(200),
                content {json} NOT NULL,
                patron_id {uuid},
                committed boolean NOT NULL,
                PRIMARY KEY (organization_id, import_id, line),
                FOREIGN KEY (organization_id, import_id) REFERENCES imports (organization_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organization_id, patron_id) REFERENCES patrons (organization_id, id) ON DELETE CASCADE
            );
            CREATE INDEX import_rows_patron ON import_rows (organization_id, patron_id);
            CREATE TABLE jobs (
                id {id} PRIMARY KEY,
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                kind varchar(40) NOT NULL,
                subject_id {uuid} NOT NULL,
                run_at {time} NOT NULL,
                leased_until {time},
                attempts integer NOT NULL DEFAULT 0,
                failure text,
                created_at {now}
            );
            CREATE INDEX jobs_due ON jobs (run_at);
            CREATE INDEX jobs_organization ON jobs (organization_id);
            "#,
        )
        .await?;
        protect(
            manager,
            "import_files",
            "organization_id",
            "SELECT, INSERT, DELETE",
        )
        .await?;
        protect(
            manager,
            "imports",
            "organization_id",
            "SELECT, INSERT, UPDATE, DELETE",
        )
        .await?;
        protect(
            manager,
            "import_rows",
            "organization_id",
            "SELECT, INSERT, UPDATE, DELETE",
        )
        .await?;
        grant(manager, "jobs", "SELECT, INSERT, UPDATE, DELETE").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["jobs", "import_rows", "import_files", "imports"]).await
    }
}
