//! A team: some of an organization's members, with the roles that come with it.

use super::organization::OrganizationId;
use sea_orm::entity::prelude::*;

/// The id of a team.
pub type TeamId = crate::Id<Entity>;

/// A row of `teams`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "teams")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TeamId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// The team it is part of, whose roles its members hold too.
    pub parent_id: Option<TeamId>,
    /// 1 to 100 characters.
    pub name: String,
    /// The name as uniqueness and order compare it: lower case, without accents.
    pub name_key: String,
    /// What it is for; may be empty.
    pub description: String,
    /// When the row came to be.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantOwned for Entity {
    const ORGANIZATION: Column = Column::OrganizationId;
}
