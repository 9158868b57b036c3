//! Patrons, the scans of the door, and the attendances projected from them.

use sea_orm_migration::prelude::*;

use super::{drop, protect, statement, tune};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(
            manager,
            r"
            CREATE TABLE patrons (
                id {id} PRIMARY KEY,
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                user_id {uuid} REFERENCES users (id) ON DELETE SET NULL,
                first_name varchar(200) NOT NULL,
                last_name varchar(200) NOT NULL,
                email varchar(255),
                phone varchar(32),
                sort_name {sorted} NOT NULL,
                search {sorted} NOT NULL,
                points bigint NOT NULL DEFAULT 0,
                qualifying_points bigint NOT NULL DEFAULT 0,
                created_at {now},
                updated_at {now},
                deleted_at {time},
                UNIQUE (organization_id, id)
            );
            CREATE UNIQUE INDEX patrons_email ON patrons (organization_id, email)
                WHERE deleted_at IS NULL AND email IS NOT NULL;
            CREATE INDEX patrons_name ON patrons (organization_id, sort_name, id);
            CREATE INDEX patrons_user ON patrons (user_id);
            CREATE TABLE patron_external_ids (
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                source varchar(32) NOT NULL,
                external_id varchar(200) NOT NULL,
                patron_id {uuid} NOT NULL,
                created_at {now},
                PRIMARY KEY (organization_id, source, external_id),
                FOREIGN KEY (organization_id, patron_id) REFERENCES patrons (organization_id, id) ON DELETE CASCADE
            );
            CREATE INDEX patron_external_ids_patron ON patron_external_ids (organization_id, patron_id);
            CREATE TABLE attendances (
                id {id} PRIMARY KEY,
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                event_id {uuid} NOT NULL,
                patron_id {uuid} NOT NULL,
                registration varchar(20) CHECK (registration IN ('registered', 'cancelled')),
                registered_at {time},
                seats integer NOT NULL CHECK (seats >= 0),
                attended boolean NOT NULL,
                inside boolean NOT NULL,
                check_in_time {time},
                check_out_time {time},
                seconds_present bigint NOT NULL CHECK (seconds_present >= 0),
                awards integer NOT NULL DEFAULT 0,
                created_at {now},
                updated_at {now},
                UNIQUE (organization_id, id),
                UNIQUE (organization_id, event_id, patron_id),
                FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organization_id, patron_id) REFERENCES patrons (organization_id, id) ON DELETE CASCADE
            );
            CREATE INDEX attendances_event ON attendances (organization_id, event_id, created_at, id);
            CREATE INDEX attendances_patron ON attendances (organization_id, patron_id, created_at, id);
            CREATE TABLE attendance_scans (
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                id {uuid} NOT NULL,
                event_id {uuid} NOT NULL,
                patron_id {uuid} NOT NULL,
                direction varchar(10) NOT NULL CHECK (direction IN ('in', 'out', 'present', 'revert')),
                method varchar(20) NOT NULL CHECK (method IN ('manual', 'code', 'kiosk', 'import')),
                occurred_at {time} NOT NULL,
                claimed_at {time} NOT NULL,
                received_at {time} NOT NULL,
                device varchar(100),
                actor_id {uuid} REFERENCES users (id) ON DELETE SET NULL,
                outcome varchar(30) NOT NULL,
                reason varchar(500),
                supersedes {uuid},
                PRIMARY KEY (organization_id, id),
                FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organization_id, patron_id) REFERENCES patrons (organization_id, id) ON DELETE CASCADE,
                FOREIGN KEY (organization_id, supersedes) REFERENCES attendance_scans (organization_id, id)
            );
            CREATE INDEX attendance_scans_event ON attendance_scans (organization_id, event_id, patron_id);
            CREATE INDEX attendance_scans_patron ON attendance_scans (organization_id, patron_id);
            CREATE INDEX attendance_scans_actor ON attendance_scans (actor_id);
            CREATE INDEX attendance_scans_supersedes ON attendance_scans (organization_id, supersedes);
            ",
        )
        .await?;
        protect(
            manager,
            "patrons",
            "organization_id",
            "SELECT, INSERT, UPDATE, DELETE",
        )
        .await?;
        protect(
            manager,
            "patron_external_ids",
            "organization_id",
            "SELECT, INSERT, UPDATE, DELETE",
        )
        .await?;
        protect(
            manager,
            "attendances",
            "organization_id",
            "SELECT, INSERT, UPDATE, DELETE",
        )
        .await?;
        protect(
            manager,
            "attendance_scans",
            "organization_id",
            "SELECT, INSERT",
        )
        .await?;
        tune(manager, "patrons").await?;
        tune(manager, "attendances").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(
            manager,
            &[
                "attendance_scans",
                "attendances",
                "patron_external_ids",
                "patrons",
            ],
        )
        .await
    }
}
