//! Who did what, when and from where. Append-only.

use crate::identity::user::UserId;
use crate::organizations::organization::OrganizationId;
use sea_orm::entity::prelude::*;

/// The id of an audit entry.
pub type EntryId = crate::Id<Entity>;

/// A row of `audit_logs`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_logs")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EntryId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Who; none for the system.
    pub actor_id: Option<UserId>,
    /// What, dotted (schema source 002).
    pub event_type: String,
    /// Schema source 004's name for it, where it has one.
    pub action: Option<String>,
    /// What it was done to.
    pub target_id: Option<Uuid>,
    /// Network address (IPv4 or IPv6).
    pub address: Option<String>,
    /// The client's own name.
    pub user_agent: Option<String>,
    /// Number of the first change of the same commit.
    pub sequence: i64,
    /// How many changes the commit made.
    pub changes: i32,
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
