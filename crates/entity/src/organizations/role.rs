//! A role of one organization. What a built-in one permits is in `domain::permission`.

use super::organization::OrganizationId;
use sea_orm::entity::prelude::*;

/// A row of `roles`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "roles")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its name within the organization; members and teams point here.
    #[sea_orm(primary_key, auto_increment = false)]
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Whether it came with the organization and cannot be changed or deleted.
    pub built_in: bool,
    /// What it is for; may be empty.
    pub description: String,
    /// What one of the organization's own permits, as names with a blank between them.
    pub permissions: String,
    /// When the row came to be.
    pub created_at: DateTimeUtc,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantOwned for Entity {
    const ORGANIZATION: Column = Column::OrganizationId;
}
