//! Which organization an address leads to. Global: it is looked up before the tenant is known.

use super::organization::OrganizationId;
use sea_orm::entity::prelude::*;

/// A row of `organization_slugs`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "organization_slugs")]
pub struct Model {
    /// The address.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slug: String,
    /// Where it leads.
    pub organization_id: OrganizationId,
    /// When the row came to be.
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
