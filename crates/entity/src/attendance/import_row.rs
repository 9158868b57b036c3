//! One row of an import: what it says and what will be, or was, done with it.

use super::import::ImportId;
use crate::organizations::organization::OrganizationId;
use crate::patrons::patron::PatronId;
use sea_orm::entity::prelude::*;

/// A row of `import_rows`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "import_rows")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Of which import.
    #[sea_orm(primary_key, auto_increment = false)]
    pub import_id: ImportId,
    /// Line of the file, from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub line: i32,
    /// What the dry run found.
    pub verdict: Verdict,
    /// Why it is skipped or wrong, as a code.
    pub code: Option<String>,
    /// The same for people.
    pub message: Option<String>,
    /// The column that is wrong.
    pub column: Option<String>,
    /// The row as read.
    #[sea_orm(column_type = "JsonBinary")]
    pub content: Json,
    /// Whom it meets, or made.
    pub patron_id: Option<PatronId>,
    /// Whether it was written.
    pub committed: bool,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantOwned for Entity {
    const ORGANIZATION: Column = Column::OrganizationId;
}

/// What the dry run found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Verdict {
    /// A new patron.
    #[sea_orm(string_value = "create")]
    Create,
    /// A known patron.
    #[sea_orm(string_value = "link")]
    Link,
    /// A new patron who resembles a known one.
    #[sea_orm(string_value = "suggest")]
    Suggest,
    /// Nothing to do.
    #[sea_orm(string_value = "skip")]
    Skip,
    /// Cannot be read.
    #[sea_orm(string_value = "error")]
    Error,
}
