//! The audit log as a chain that can be proved, what was denied besides what was done, and how long
//! an organization keeps it. Entries from before have no place in the chain: it begins after them.

use sea_orm_migration::prelude::*;

use super::{postgres, statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Every organization's entries are met here, and the owner is walled in, too.
        postgres(
            manager,
            "ALTER TABLE audit_logs NO FORCE ROW LEVEL SECURITY;",
        )
        .await?;
        statement(
            manager,
            r"
            ALTER TABLE audit_logs ADD COLUMN number bigint;
            -- Keys and clients act as soon as there are any: SQLite cannot widen a check.
            ALTER TABLE audit_logs ADD COLUMN actor_kind varchar(20) NOT NULL DEFAULT 'user'
                CHECK (actor_kind IN ('user', 'key', 'client', 'system'));
            ALTER TABLE audit_logs ADD COLUMN result varchar(10) NOT NULL DEFAULT 'success'
                CHECK (result IN ('success', 'failure'));
            ALTER TABLE audit_logs ADD COLUMN reason varchar(40);
            ALTER TABLE audit_logs ADD COLUMN personal_salt {uuid};
            ALTER TABLE audit_logs ADD COLUMN personal_digest {bytes};
            ALTER TABLE audit_logs ADD COLUMN hash {bytes};
            UPDATE audit_logs SET actor_kind = 'system' WHERE actor_id IS NULL;
            CREATE UNIQUE INDEX audit_logs_number ON audit_logs (organization_id, number);
            CREATE INDEX audit_logs_actor ON audit_logs (organization_id, actor_id, created_at, id);
            CREATE INDEX audit_logs_event_type ON audit_logs (organization_id, event_type, created_at, id);
            CREATE INDEX audit_logs_target ON audit_logs (organization_id, target_id, created_at, id);
            CREATE INDEX audit_logs_failure ON audit_logs (organization_id, created_at, id)
                WHERE result = 'failure';
            -- Beside the numbers of changes, which the same lock gives out: the chain's last entry, and
            -- the last that was purged from its beginning.
            ALTER TABLE change_counters ADD COLUMN last_entry bigint NOT NULL DEFAULT 0;
            ALTER TABLE change_counters ADD COLUMN last_hash {bytes};
            ALTER TABLE change_counters ADD COLUMN purged_entry bigint NOT NULL DEFAULT 0;
            ALTER TABLE change_counters ADD COLUMN purged_hash {bytes};
            ALTER TABLE organizations ADD COLUMN audit_retention_days integer NOT NULL DEFAULT 365
                CHECK (audit_retention_days BETWEEN 90 AND 3650);
            ",
        )
        .await?;
        postgres(
            manager,
            r"
            ALTER TABLE audit_logs FORCE ROW LEVEL SECURITY;
            -- Nothing is rewritten, and nothing younger than the shortest retention is removed, whatever
            -- the application is made to do.
            CREATE POLICY kept ON audit_logs AS RESTRICTIVE FOR DELETE
                USING (created_at < now() - interval '90 days');
            GRANT DELETE ON audit_logs TO rollcall_app;
            ",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        postgres(
            manager,
            "REVOKE DELETE ON audit_logs FROM rollcall_app;
             DROP POLICY kept ON audit_logs;",
        )
        .await?;
        statement(
            manager,
            r"
            ALTER TABLE organizations DROP COLUMN audit_retention_days;
            ALTER TABLE change_counters DROP COLUMN purged_hash;
            ALTER TABLE change_counters DROP COLUMN purged_entry;
            ALTER TABLE change_counters DROP COLUMN last_hash;
            ALTER TABLE change_counters DROP COLUMN last_entry;
            DROP INDEX audit_logs_failure;
            DROP INDEX audit_logs_target;
            DROP INDEX audit_logs_event_type;
            DROP INDEX audit_logs_actor;
            DROP INDEX audit_logs_number;
            ALTER TABLE audit_logs DROP COLUMN hash;
            ALTER TABLE audit_logs DROP COLUMN personal_digest;
            ALTER TABLE audit_logs DROP COLUMN personal_salt;
            ALTER TABLE audit_logs DROP COLUMN reason;
            ALTER TABLE audit_logs DROP COLUMN result;
            ALTER TABLE audit_logs DROP COLUMN actor_kind;
            ALTER TABLE audit_logs DROP COLUMN number;
            ",
        )
        .await
    }
}
