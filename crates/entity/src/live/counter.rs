//! The last numbers given in an organization's log and its audit log: the row every commit locks last.

use crate::organizations::organization::OrganizationId;
use sea_orm::entity::prelude::*;

/// A row of `change_counters`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "change_counters")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The last number given to a change.
    pub last_sequence: i64,
    /// The last number given to an entry of the audit log.
    pub last_entry: i64,
    /// That entry's hash; none while there is no entry.
    pub last_hash: Option<Vec<u8>>,
    /// The number of the last entry purged from the beginning of the audit log.
    pub purged_entry: i64,
    /// That entry's hash; none while nothing was purged.
    pub purged_hash: Option<Vec<u8>>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantOwned for Entity {
    const ORGANIZATION: Column = Column::OrganizationId;
}
