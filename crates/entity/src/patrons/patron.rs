//! A person as one organization knows them.

use crate::identity::user::UserId;
use crate::organizations::organization::OrganizationId;
use sea_orm::entity::prelude::*;

/// The id of a patron.
pub type PatronId = crate::Id<Entity>;

/// A row of `patrons`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "patrons")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PatronId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Their login, once they have proved the address.
    pub user_id: Option<UserId>,
    /// Given name.
    pub first_name: String,
    /// Family name; may be empty.
    pub last_name: String,
    /// Normalized; unique in the organization among live rows.
    pub email: Option<String>,
    /// Digits with an optional leading plus.
    pub phone: Option<String>,
    /// `last first` in lower case without accents: the order of lists.
    pub sort_name: String,
    /// All that a door searches, lower case without accents.
    pub search: String,
    /// Balance: the sum of the loyalty entries.
    pub points: i64,
    /// Points ever earned less reversals: what the tier is derived from.
    pub qualifying_points: i64,
    /// When the row came to be.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
    /// When the patron was removed; history stays.
    pub deleted_at: Option<DateTimeUtc>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantOwned for Entity {
    const ORGANIZATION: Column = Column::OrganizationId;
}
