//! An invitation to belong to an organization.

use super::organization::OrganizationId;
use crate::identity::user::UserId;
use sea_orm::entity::prelude::*;

/// The id of an invitation. It is never a credential.
pub type InvitationId = crate::Id<Entity>;

/// A row of `invitations`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "invitations")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Whom, normalized. One invitation of an address is open at a time.
    pub email: String,
    /// Slug of the role that they are to have.
    pub role: String,
    /// What became of it.
    pub status: Status,
    /// Who invited them, or did so again.
    pub invited_by: UserId,
    /// When the row came to be.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
    /// Until when it can be accepted.
    pub expires_at: DateTimeUtc,
    /// When it was accepted, declined, revoked, or found to be expired.
    pub settled_at: Option<DateTimeUtc>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantOwned for Entity {
    const ORGANIZATION: Column = Column::OrganizationId;
}

/// What became of an invitation (schema source 004, and two states more).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Status {
    /// Nothing yet.
    #[sea_orm(string_value = "pending")]
    Pending,
    /// They belong to the organization.
    #[sea_orm(string_value = "accepted")]
    Accepted,
    /// They did not want to.
    #[sea_orm(string_value = "declined")]
    Declined,
    /// It was taken back.
    #[sea_orm(string_value = "revoked")]
    Revoked,
    /// Nobody answered in time.
    #[sea_orm(string_value = "expired")]
    Expired,
}
