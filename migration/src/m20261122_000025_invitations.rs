//! Invitations, and where the tokens of those that are open lead.

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
            r"
            CREATE TABLE invitations (
                id {id} PRIMARY KEY,
                organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
                email varchar(255) NOT NULL,
                role varchar(50) NOT NULL,
                status varchar(20) NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'accepted', 'declined', 'revoked', 'expired')),
                invited_by {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                created_at {now},
                updated_at {now},
                expires_at {time} NOT NULL,
                settled_at {time},
                UNIQUE (organization_id, id),
                CHECK ((status = 'pending') = (settled_at IS NULL))
            );
            CREATE INDEX invitations_created ON invitations (organization_id, created_at, id);
            CREATE INDEX invitations_inviter ON invitations (invited_by);
            CREATE INDEX invitations_expiry ON invitations (expires_at);
            CREATE UNIQUE INDEX invitations_open ON invitations (organization_id, email) WHERE status = 'pending';
            CREATE TABLE invitation_tokens (
                invitation_id {uuid} NOT NULL PRIMARY KEY,
                organization_id {uuid} NOT NULL,
                token_hash {bytes} NOT NULL UNIQUE,
                created_at {now},
                FOREIGN KEY (organization_id, invitation_id) REFERENCES invitations (organization_id, id) ON DELETE CASCADE
            );
            CREATE INDEX invitation_tokens_organization ON invitation_tokens (organization_id, invitation_id);
            ",
        )
        .await?;
        protect(
            manager,
            "invitations",
            "organization_id",
            "SELECT, INSERT, UPDATE, DELETE",
        )
        .await?;
        grant(
            manager,
            "invitation_tokens",
            "SELECT, INSERT, UPDATE, DELETE",
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["invitation_tokens", "invitations"]).await
    }
}
