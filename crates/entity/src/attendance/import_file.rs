//! The bytes of an import's file, until they have been read: apart, so that lists never load them.

use sea_orm::entity::prelude::*;

use super::import::ImportId;
use crate::organizations::organization::OrganizationId;

/// A row of `import_files`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "import_files")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Of which import.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_id: ImportId,
    /// The bytes.
    pub content: Vec<u8>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantOwned for Entity {
    const ORGANIZATION: Column = Column::OrganizationId;
}
