//! A key with which a machine acts in an organization, which owns it.

use super::organization::OrganizationId;
use crate::events::event::EventId;
use crate::identity::user::UserId;
use sea_orm::entity::prelude::*;

/// The id of an API key. It is never a credential.
pub type ApiKeyId = crate::Id<Entity>;

/// A row of `api_keys`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiKeyId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// 1 to 100 characters.
    pub name: String,
    /// What it may do at most, with blanks between.
    pub permissions: String,
    /// The one event that a device's key is for.
    pub event_id: Option<EventId>,
    /// Who answers for it: it may do nothing that they may not.
    pub responsible_id: Option<UserId>,
    /// What its present secret begins with, after `rck_`.
    pub lookup: String,
    /// When the row came to be.
    pub created_at: DateTimeUtc,
    /// When the row last changed, use aside.
    pub updated_at: DateTimeUtc,
    /// Until when it works; none for a device's, which ends with its event.
    pub expires_at: Option<DateTimeUtc>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTimeUtc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTimeUtc>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantOwned for Entity {
    const ORGANIZATION: Column = Column::OrganizationId;
}
