//! Which invitation a mailed token opens. Global: it is looked up before the tenant is known.

use super::{invitation::InvitationId, organization::OrganizationId};
use sea_orm::entity::prelude::*;

/// A row of `invitation_tokens`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "invitation_tokens")]
pub struct Model {
    /// Which invitation: one that is open.
    #[sea_orm(primary_key, auto_increment = false)]
    pub invitation_id: InvitationId,
    /// Whose invitation it is.
    pub organization_id: OrganizationId,
    /// SHA-256 of the 256-bit token, which is made when it is mailed.
    pub token_hash: Vec<u8>,
    /// When it was made.
    pub created_at: DateTimeUtc,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Written by its tenant alone, though read before the tenant is known.
impl crate::TenantOwned for Entity {
    const ORGANIZATION: Column = Column::OrganizationId;
}
