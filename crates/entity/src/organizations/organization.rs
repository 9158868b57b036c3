//! The tenant.

use crate::identity::user::UserId;
use sea_orm::entity::prelude::*;

/// The id of an organization.
pub type OrganizationId = crate::Id<Entity>;

/// A row of `organizations`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "organizations")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrganizationId,
    /// 1 to 100 characters.
    pub name: String,
    /// Its address: lower-case letters, digits and hyphens (schema source 001).
    pub slug: String,
    /// The one owner, also a member with the role `owner`.
    pub owner_id: UserId,
    /// What the organization may do at present (schema source 002).
    pub status: Status,
    /// IANA zone used where an event or an import names none.
    pub time_zone: String,
    /// The organization's own facts, an object.
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    /// Moves with every change that may give or take access.
    pub access_version: i64,
    /// Days for which entries of the audit log are kept.
    pub audit_retention_days: i32,
    /// What it wants a second factor for, as `domain` spells it.
    pub second_factor: String,
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
    const ORGANIZATION: Column = Column::Id;
}

/// The organization's standing (schema source 002).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Status {
    /// Trying the product; everything works.
    #[sea_orm(string_value = "trial")]
    Trial,
    /// In good standing.
    #[sea_orm(string_value = "active")]
    Active,
    /// Reads only.
    #[sea_orm(string_value = "suspended")]
    Suspended,
    /// Closed by its owner.
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}
