//! The database's shape: one file per change, named by time, each with its way back.
//!
//! The text is written once for both databases; [`statement`] fills in the few words in which they
//! differ. A landed file is never edited: expand in one release, contract in a later one.

pub use sea_orm_migration::prelude::{MigratorTrait, async_trait};
use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

mod m20261121_000001_identity;
mod m20261121_000002_organizations;
mod m20261121_000003_events;
mod m20261121_000004_attendance;
mod m20261121_000005_loyalty;
mod m20261121_000006_changes;
mod m20261121_000007_imports;
mod m20261121_000008_phones;
mod m20261121_000009_fewer_checks;
mod m20261122_000010_authenticated_at;
mod m20261122_000011_mail;
mod m20261122_000014_audit_chain;
mod m20261122_000024_access;
mod m20261122_000025_invitations;
mod m20261122_000026_second_factors;
mod m20261122_000027_second_factor_requirement;
mod m20261122_000028_api_keys;
mod m20261122_000030_schedules;
mod m20261122_000034_profiles;
mod m20261122_000035_erasure;
mod m20261122_000036_account_events;
mod m20261122_000038_linked_accounts;

/// The role that serves requests on PostgreSQL: data only, no DDL, never exempt from row-level
/// security. The login of `DATABASE_URL` becomes a member of it and each connection assumes it.
pub const APPLICATION_ROLE: &str = "rollcall_app";

/// All migrations, in order.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_identity::Migration),
            Box::new(m20261121_000002_organizations::Migration),
            Box::new(m20261121_000003_events::Migration),
            Box::new(m20261121_000004_attendance::Migration),
            Box::new(m20261121_000005_loyalty::Migration),
            Box::new(m20261121_000006_changes::Migration),
            Box::new(m20261121_000007_imports::Migration),
            Box::new(m20261121_000008_phones::Migration),
            Box::new(m20261121_000009_fewer_checks::Migration),
            Box::new(m20261122_000010_authenticated_at::Migration),
            Box::new(m20261122_000011_mail::Migration),
            Box::new(m20261122_000014_audit_chain::Migration),
            Box::new(m20261122_000024_access::Migration),
            Box::new(m20261122_000025_invitations::Migration),
            Box::new(m20261122_000026_second_factors::Migration),
            Box::new(m20261122_000027_second_factor_requirement::Migration),
            Box::new(m20261122_000028_api_keys::Migration),
            Box::new(m20261122_000030_schedules::Migration),
            Box::new(m20261122_000034_profiles::Migration),
            Box::new(m20261122_000035_erasure::Migration),
            Box::new(m20261122_000036_account_events::Migration),
            Box::new(m20261122_000038_linked_accounts::Migration),
        ]
    }
}

/// Runs `text` after filling in the words in which the databases differ.
///
/// | placeholder | PostgreSQL | SQLite |
/// |---|---|---|
/// | `{id}` | `uuid NOT NULL DEFAULT gen_random_uuid()` | `blob NOT NULL` |
/// | `{uuid}` | `uuid` | `blob` |
/// | `{bytes}` | `bytea` | `blob` |
/// | `{time}` | `timestamptz(6)` | `text` (RFC 3339 in UTC, whose order is time's order) |
/// | `{now}` | `timestamptz(6) NOT NULL DEFAULT now()` | `text NOT NULL` |
/// | `{json}` | `jsonb` | `text` |
/// | `{sorted}` | `text COLLATE "C"` | `text`: ordered by code point on both |
///
/// A table that is hot is tuned by [`tune`], a tenant's table protected by [`protect`].
async fn statement(manager: &SchemaManager<'_>, text: &str) -> Result<(), DbErr> {
    let words = match manager.get_database_backend() {
        DbBackend::Postgres => [
            ("{id}", "uuid NOT NULL DEFAULT gen_random_uuid()"),
            ("{uuid}", "uuid"),
            ("{bytes}", "bytea"),
            ("{time}", "timestamptz(6)"),
            ("{now}", "timestamptz(6) NOT NULL DEFAULT now()"),
            ("{json}", "jsonb"),
            ("{sorted}", "text COLLATE \"C\""),
        ],
        _ => [
            ("{id}", "blob NOT NULL"),
            ("{uuid}", "blob"),
            ("{bytes}", "blob"),
            ("{time}", "text"),
            ("{now}", "text NOT NULL"),
            ("{json}", "text"),
            ("{sorted}", "text"),
        ],
    };
    let text = words
        .iter()
        .fold(text.to_owned(), |text, (placeholder, word)| {
            text.replace(placeholder, word)
        });
    manager.get_connection().execute_unprepared(&text).await?;
    Ok(())
}

/// Runs `text` on PostgreSQL only.
async fn postgres(manager: &SchemaManager<'_>, text: &str) -> Result<(), DbErr> {
    if manager.get_database_backend() == DbBackend::Postgres {
        manager.get_connection().execute_unprepared(text).await?;
    }
    Ok(())
}

/// Walls a tenant's table in: forced row-level security on `column`, and the rights of the
/// application role, `verbs` (for example `SELECT, INSERT`).
///
/// Outside a scope the setting is absent or empty, `nullif` makes it NULL, and no row is visible.
async fn protect(
    manager: &SchemaManager<'_>,
    table: &str,
    column: &str,
    verbs: &str,
) -> Result<(), DbErr> {
    postgres(
        manager,
        &format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
             ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
             CREATE POLICY tenant ON {table}
                 USING ({column} = (SELECT nullif(current_setting('rollcall.organization_id', true), '')::uuid))
                 WITH CHECK ({column} = (SELECT nullif(current_setting('rollcall.organization_id', true), '')::uuid));
             GRANT {verbs} ON {table} TO {APPLICATION_ROLE};"
        ),
    )
    .await
}

/// Gives the application role `verbs` on a global table.
async fn grant(manager: &SchemaManager<'_>, table: &str, verbs: &str) -> Result<(), DbErr> {
    postgres(
        manager,
        &format!("GRANT {verbs} ON {table} TO {APPLICATION_ROLE};"),
    )
    .await
}

/// Makes PostgreSQL vacuum a table early whose rows change at every check-in: index-only scans
/// otherwise visit the heap for every changed row (measured: six times slower).
async fn tune(manager: &SchemaManager<'_>, table: &str) -> Result<(), DbErr> {
    postgres(
        manager,
        &format!(
            "ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.01, fillfactor = 85);"
        ),
    )
    .await
}

/// Drops `tables`, in the order given.
async fn drop(manager: &SchemaManager<'_>, tables: &[&str]) -> Result<(), DbErr> {
    for table in tables {
        manager
            .get_connection()
            .execute_unprepared(&format!("DROP TABLE {table};"))
            .await?;
    }
    Ok(())
}
