//! A file of people, and perhaps of their attendance, on its way in.

use crate::events::event::EventId;
use crate::identity::user::UserId;
use crate::organizations::organization::OrganizationId;
use sea_orm::entity::prelude::*;

/// The id of an import.
pub type ImportId = crate::Id<Entity>;

/// A row of `imports`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "imports")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ImportId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// The event its attendance belongs to.
    pub event_id: Option<EventId>,
    /// Who brought it; none for the operator of the machine.
    pub created_by: Option<UserId>,
    /// Its name, for people.
    pub file_name: String,
    /// SHA-256 of its bytes.
    pub digest: Vec<u8>,
    /// Preset, column mapping, zone, and how the file was read.
    #[sea_orm(column_type = "JsonBinary")]
    pub options: Json,
    /// Where it stands.
    pub status: Status,
    /// Why it failed, for people.
    pub failure: Option<String>,
    /// Data rows found so far.
    pub rows_total: i32,
    /// Rows committed so far.
    pub rows_done: i32,
    /// Rows that make a patron.
    pub to_create: i32,
    /// Rows that meet a known patron.
    pub to_link: i32,
    /// Rows that resemble one.
    pub to_suggest: i32,
    /// Rows that are passed over.
    pub to_skip: i32,
    /// Rows that cannot be read.
    pub with_error: i32,
    /// When the row came to be.
    pub created_at: DateTimeUtc,
    /// When the row last changed.
    pub updated_at: DateTimeUtc,
    /// When the last row was committed.
    pub committed_at: Option<DateTimeUtc>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantOwned for Entity {
    const ORGANIZATION: Column = Column::OrganizationId;
    const EVENT: Option<Column> = Some(Column::EventId);
}

/// Where an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Status {
    /// The dry run is under way.
    #[sea_orm(string_value = "reading")]
    Reading,
    /// The dry run is done; nothing was changed yet.
    #[sea_orm(string_value = "previewed")]
    Previewed,
    /// Rows are being written.
    #[sea_orm(string_value = "committing")]
    Committing,
    /// Every row was written.
    #[sea_orm(string_value = "committed")]
    Committed,
    /// It could not be read; nothing was changed.
    #[sea_orm(string_value = "failed")]
    Failed,
}
