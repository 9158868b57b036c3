//! The audit log forgets whom it was about, and nothing else: whose account was closed is taken out of
//! an entry as a whole, and its chain holds. Nothing is put in its place.

use sea_orm_migration::prelude::*;

use super::postgres;

/// See the module.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        postgres(
            manager,
            r"
            CREATE POLICY erased ON audit_logs AS RESTRICTIVE FOR UPDATE
                USING (EXISTS (SELECT 1 FROM users WHERE users.id = actor_id AND deleted_at IS NOT NULL))
                WITH CHECK (actor_id IS NULL AND address IS NULL AND user_agent IS NULL AND personal_salt IS NULL);
            GRANT UPDATE (actor_id, address, user_agent, personal_salt) ON audit_logs TO rollcall_app;
            ",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        postgres(
            manager,
            "REVOKE UPDATE (actor_id, address, user_agent, personal_salt) ON audit_logs FROM rollcall_app;
             DROP POLICY erased ON audit_logs;",
        )
        .await
    }
}
