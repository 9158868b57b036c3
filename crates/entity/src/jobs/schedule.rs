//! When something is done next that is done again and again. Global: it is Rollcall's own work.

use sea_orm::entity::prelude::*;

/// A row of `schedules`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "schedules")]
pub struct Model {
    /// What.
    #[sea_orm(primary_key, auto_increment = false)]
    pub task: String,
    /// Not before.
    pub next_run_at: DateTimeUtc,
    /// Which worker has it.
    pub holder: Option<Uuid>,
    /// Until when that one is believed alive.
    pub leased_until: Option<DateTimeUtc>,
    /// When it was last done.
    pub last_run_at: Option<DateTimeUtc>,
    /// How many rows that met.
    pub last_rows: i64,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
