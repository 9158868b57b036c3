//! One meeting, with the counts that lists show.

use crate::organizations::member::MemberId;
use crate::organizations::organization::OrganizationId;
use sea_orm::entity::prelude::*;

/// The id of an event.
pub type EventId = crate::Id<Entity>;

/// A row of `events`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EventId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// 1 to 200 characters.
    pub title: String,
    /// Up to 10,000 characters.
    pub description: String,
    /// Where, up to 200 characters.
    pub location: String,
    /// Start.
    pub starts_at: DateTimeUtc,
    /// End, after the start.
    pub ends_at: DateTimeUtc,
    /// IANA zone in which people read the times.
    pub time_zone: String,
    /// The first moment at which a scan counts.
    pub check_in_opens_at: DateTimeUtc,
    /// The last moment at which a scan counts.
    pub check_in_closes_at: DateTimeUtc,
    /// The member who hosts; the event outlives them.
    pub host_id: Option<MemberId>,
    /// Seats, if they are counted.
    pub capacity: Option<i32>,
    /// What happens when they run out.
    pub capacity_policy: CapacityPolicy,
    /// Loyalty points for attending.
    pub attendance_points: i32,
    /// When it left the drafts.
    pub published_at: Option<DateTimeUtc>,
    /// When it was called off.
    pub cancelled_at: Option<DateTimeUtc>,
    /// When the door was closed for good.
    pub closed_at: Option<DateTimeUtc>,
    /// Live registrations.
    pub registered_count: i32,
    /// Seats of live registrations and walk-ins.
    pub seats_taken: i32,
    /// Patrons who came.
    pub attended_count: i32,
    /// Patrons inside now.
    pub inside_count: i32,
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
    const EVENT: Option<Column> = Some(Column::Id);
}

/// What a full event does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum CapacityPolicy {
    /// Says so and lets people in.
    #[sea_orm(string_value = "advisory")]
    Advisory,
    /// Refuses registrations and walk-ins beyond the capacity.
    #[sea_orm(string_value = "seats")]
    Seats,
    /// Refuses entry while as many are inside.
    #[sea_orm(string_value = "occupancy")]
    Occupancy,
}
