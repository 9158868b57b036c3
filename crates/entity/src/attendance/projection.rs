//! One patron at one event: the projection of their scans and registration.

use crate::events::event::EventId;
use crate::organizations::organization::OrganizationId;
use crate::patrons::patron::PatronId;
use sea_orm::entity::prelude::*;

/// The id of an attendance.
pub type AttendanceId = crate::Id<Entity>;

/// A row of `attendances`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "attendances")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttendanceId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Where.
    pub event_id: EventId,
    /// Who.
    pub patron_id: PatronId,
    /// Their registration; none for a walk-in.
    pub registration: Option<Registration>,
    /// When they registered.
    pub registered_at: Option<DateTimeUtc>,
    /// Seats held, guests included.
    pub seats: i32,
    /// Whether they came.
    pub attended: bool,
    /// Whether they are inside now.
    pub inside: bool,
    /// Earliest entry; none when only the fact is known.
    pub check_in_time: Option<DateTimeUtc>,
    /// Last exit after that.
    pub check_out_time: Option<DateTimeUtc>,
    /// Time inside, closed stays only, in seconds.
    pub seconds_present: i64,
    /// How many times the attendance earned points; an undone and repeated check-in earns anew.
    pub awards: i32,
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
    const ORGANIZATION: Column = Column::OrganizationId;
    const EVENT: Option<Column> = Some(Column::EventId);
}

/// Where a registration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Registration {
    /// Holds its seats.
    #[sea_orm(string_value = "registered")]
    Registered,
    /// Gave them back.
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}
