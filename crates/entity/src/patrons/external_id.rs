//! What another system calls a patron.

use super::patron::PatronId;
use crate::organizations::organization::OrganizationId;
use sea_orm::entity::prelude::*;

/// A row of `patron_external_ids`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "patron_external_ids")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// The other system: `eventbrite`, `meetup`, `csv`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub source: String,
    /// Its id there.
    #[sea_orm(primary_key, auto_increment = false)]
    pub external_id: String,
    /// Who it is here.
    pub patron_id: PatronId,
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
