//! Who is in which team.

use super::{member::MemberId, organization::OrganizationId, team::TeamId};
use sea_orm::entity::prelude::*;

/// The id of a place in a team.
pub type TeamMemberId = crate::Id<Entity>;

/// A row of `team_members`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "team_members")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TeamMemberId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Which team.
    pub team_id: TeamId,
    /// Who.
    pub member_id: MemberId,
    /// When they joined it.
    pub created_at: DateTimeUtc,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantOwned for Entity {
    const ORGANIZATION: Column = Column::OrganizationId;
}
