//! API keys, where their secrets are looked up, and who acted if it was one.

use sea_orm_migration::prelude::*;

use super::{drop, grant, protect, statement};

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// What says who acted. Keys are revoked, never removed, and what was scanned is only added to: no
/// foreign key is needed, nor could SQLite add one.
const ACTED: [&str; 3] = ["attendance_scans", "changes", "audit_logs"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(
            manager,
            r"
            CREATE TABLE api_keys (
                id {id} PRIMARY KEY,
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                name varchar(100) NOT NULL,
                permissions text NOT NULL,
                event_id {uuid},
                responsible_id {uuid} REFERENCES users (id) ON DELETE SET NULL,
                lookup varchar(8) NOT NULL,
                created_at {now},
                updated_at {now},
                expires_at {time},
                last_used_at {time},
                revoked_at {time},
                UNIQUE (organization_id, id),
                CHECK ((event_id IS NULL) <> (expires_at IS NULL)),
                FOREIGN KEY (organization_id, event_id) REFERENCES events (organization_id, id) ON DELETE CASCADE
            );
            CREATE INDEX api_keys_created ON api_keys (organization_id, created_at, id);
            CREATE INDEX api_keys_event ON api_keys (organization_id, event_id);
            CREATE INDEX api_keys_responsible ON api_keys (responsible_id);
            CREATE TABLE api_key_secrets (
                lookup varchar(8) NOT NULL PRIMARY KEY,
                organization_id {uuid} NOT NULL,
                api_key_id {uuid} NOT NULL,
                secret_hash {bytes} NOT NULL,
                created_at {now},
                ends_at {time},
                FOREIGN KEY (organization_id, api_key_id) REFERENCES api_keys (organization_id, id) ON DELETE CASCADE
            );
            CREATE INDEX api_key_secrets_key ON api_key_secrets (organization_id, api_key_id);
            ",
        )
        .await?;
        for table in ACTED {
            let text = format!("ALTER TABLE {table} ADD COLUMN key_id {{uuid}};");
            statement(manager, &text).await?;
        }
        statement(
            manager,
            "CREATE INDEX audit_logs_key ON audit_logs (organization_id, key_id, created_at, id)
                 WHERE key_id IS NOT NULL;",
        )
        .await?;
        protect(
            manager,
            "api_keys",
            "organization_id",
            "SELECT, INSERT, UPDATE, DELETE",
        )
        .await?;
        grant(manager, "api_key_secrets", "SELECT, INSERT, UPDATE, DELETE").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        statement(manager, "DROP INDEX audit_logs_key;").await?;
        for table in ACTED {
            let text = format!("ALTER TABLE {table} DROP COLUMN key_id;");
            statement(manager, &text).await?;
        }
        drop(manager, &["api_key_secrets", "api_keys"]).await
    }
}
