//! Work to be done by whichever instance takes it. Global: it is claimed before the tenant is known.

use crate::organizations::organization::OrganizationId;
use sea_orm::entity::prelude::*;

/// The id of a job.
pub type JobId = crate::Id<Entity>;

/// A row of `jobs`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    /// For whom.
    pub organization_id: OrganizationId,
    /// What.
    pub kind: String,
    /// On what.
    pub subject_id: Uuid,
    /// Not before.
    pub run_at: DateTimeUtc,
    /// Until when its taker is believed alive.
    pub leased_until: Option<DateTimeUtc>,
    /// How often it was taken.
    pub attempts: i32,
    /// How the last try ended.
    pub failure: Option<String>,
    /// When the row came to be.
    pub created_at: DateTimeUtc,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
