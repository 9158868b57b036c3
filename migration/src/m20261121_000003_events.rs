//! Events, with the counts that lists show.

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
            CREATE TABLE events (
                id {id} PRIMARY KEY,
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                title varchar(200) NOT NULL,
                description text NOT NULL,
                location varchar(200) NOT NULL,
                starts_at {time} NOT NULL,
                ends_at {time} NOT NULL,
                time_zone varchar(64) NOT NULL,
                check_in_opens_at {time} NOT NULL,
                check_in_closes_at {time} NOT NULL,
                host_id {uuid},
                capacity integer CHECK (capacity >= 0),
                capacity_policy varchar(20) NOT NULL
                    CHECK (capacity_policy IN ('advisory', 'seats', 'occupancy')),
                attendance_points integer NOT NULL CHECK (attendance_points >= 0),
                published_at {time},
                cancelled_at {time},
                closed_at {time},
                registered_count integer NOT NULL DEFAULT 0 CHECK (registered_count >= 0),
                seats_taken integer NOT NULL DEFAULT 0 CHECK (seats_taken >= 0),
                attended_count integer NOT NULL DEFAULT 0 CHECK (attended_count >= 0),
                inside_count integer NOT NULL DEFAULT 0 CHECK (inside_count >= 0),
                created_at {now},
                updated_at {now},
                CHECK (starts_at < ends_at),
                CHECK (check_in_opens_at < check_in_closes_at),
                UNIQUE (organization_id, id),
                -- The host is set to NULL by the removal of the member, in the same transaction:
                -- ON DELETE SET NULL would clear the tenant too.
                FOREIGN KEY (organization_id, host_id) REFERENCES members (organization_id, id)
            );
            CREATE INDEX events_start ON events (organization_id, starts_at, id);
            CREATE INDEX events_host ON events (organization_id, host_id);
            ",
        )
        .await?;
        protect(
            manager,
            "events",
            "organization_id",
            "SELECT, INSERT, UPDATE, DELETE",
        )
        .await?;
        tune(manager, "events").await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["events"]).await
    }
}
