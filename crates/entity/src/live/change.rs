//! One thing that happened in an organization, numbered without gaps in the order of commit.

use crate::events::event::EventId;
use crate::identity::user::UserId;
use crate::organizations::{api_key::ApiKeyId, organization::OrganizationId};
use crate::patrons::patron::PatronId;
use sea_orm::entity::prelude::*;

/// A row of `changes`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "changes")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Its number, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    /// What happened, dotted: `attendance.checked_in`.
    pub kind: String,
    /// The row it happened to.
    pub subject_id: Uuid,
    /// The event concerned.
    pub event_id: Option<EventId>,
    /// The patron concerned.
    pub patron_id: Option<PatronId>,
    /// Who did it, if it was a person.
    pub actor_id: Option<UserId>,
    /// The API key that did it, if it was one.
    pub key_id: Option<ApiKeyId>,
    /// When it happened.
    pub occurred_at: DateTimeUtc,
    /// When it was written.
    pub recorded_at: DateTimeUtc,
    /// What a reader of the log needs besides.
    #[sea_orm(column_type = "JsonBinary")]
    pub data: Json,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantOwned for Entity {
    const ORGANIZATION: Column = Column::OrganizationId;
    const EVENT: Option<Column> = Some(Column::EventId);
}
