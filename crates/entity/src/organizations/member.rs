//! Access: a user in an organization, with a primary role.

use super::organization::OrganizationId;
use crate::identity::user::UserId;
use sea_orm::entity::prelude::*;

/// The id of a member.
pub type MemberId = crate::Id<Entity>;

/// A row of `members`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "members")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MemberId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Whose access it is.
    pub user_id: UserId,
    /// Slug of the primary role.
    pub role: String,
    /// What another system knows them by; unique in the organization.
    pub external_id: Option<String>,
    /// The organization's own facts about them, an object.
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    /// When the access began (schema source 004).
    pub joined_at: DateTimeUtc,
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
