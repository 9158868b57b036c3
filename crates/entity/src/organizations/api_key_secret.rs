//! Which key a secret belongs to. Global: it is looked up before the tenant is known.

use super::{api_key::ApiKeyId, organization::OrganizationId};
use sea_orm::entity::prelude::*;

/// A row of `api_key_secrets`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key_secrets")]
pub struct Model {
    /// The public part of the secret, by which it is found.
    #[sea_orm(primary_key, auto_increment = false)]
    pub lookup: String,
    /// Whose key it is.
    pub organization_id: OrganizationId,
    /// Which key.
    pub api_key_id: ApiKeyId,
    /// SHA-256 of the whole secret.
    pub secret_hash: Vec<u8>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// Until when it opens the key, once another took its place.
    pub ends_at: Option<DateTimeUtc>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Written by its tenant alone, though read before the tenant is known.
impl crate::TenantOwned for Entity {
    const ORGANIZATION: Column = Column::OrganizationId;
}
