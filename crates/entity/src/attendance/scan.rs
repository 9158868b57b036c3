//! One scan at the door: the truth that attendances are projected from. Append-only.

use crate::events::event::EventId;
use crate::identity::user::UserId;
use crate::organizations::{api_key::ApiKeyId, organization::OrganizationId};
use crate::patrons::patron::PatronId;
use sea_orm::entity::prelude::*;

/// The id of a scan.
pub type ScanId = crate::Id<Entity>;

/// A row of `attendance_scans`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "attendance_scans")]
pub struct Model {
    /// The tenant.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: OrganizationId,
    /// Made by the client (UUID version 7), unique in the organization for ever.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ScanId,
    /// Where.
    pub event_id: EventId,
    /// Who.
    pub patron_id: PatronId,
    /// In, out, or the undoing of an earlier scan.
    pub direction: Direction,
    /// How the door knew.
    pub method: Method,
    /// When it happened; at most five minutes after it was received.
    pub occurred_at: DateTimeUtc,
    /// When the device said it happened.
    pub claimed_at: DateTimeUtc,
    /// When it reached us.
    pub received_at: DateTimeUtc,
    /// The device's own name for itself.
    pub device: Option<String>,
    /// Who scanned, if it was a person.
    pub actor_id: Option<UserId>,
    /// The API key that scanned, if it was one.
    pub key_id: Option<ApiKeyId>,
    /// What the door was told.
    pub outcome: Outcome,
    /// Why, for an undoing.
    pub reason: Option<String>,
    /// The scan it undoes.
    pub supersedes: Option<ScanId>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl crate::TenantOwned for Entity {
    const ORGANIZATION: Column = Column::OrganizationId;
    const EVENT: Option<Column> = Some(Column::EventId);
}

/// Which way a scan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Direction {
    /// Arrival.
    #[sea_orm(string_value = "in")]
    In,
    /// Departure.
    #[sea_orm(string_value = "out")]
    Out,
    /// Was there, at a time that nobody noted: from imports.
    #[sea_orm(string_value = "present")]
    Present,
    /// The scan it supersedes never happened.
    #[sea_orm(string_value = "revert")]
    Revert,
}

/// How the door knew who it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Method {
    /// Chosen from a list.
    #[sea_orm(string_value = "manual")]
    Manual,
    /// A code was read.
    #[sea_orm(string_value = "code")]
    Code,
    /// The patron did it.
    #[sea_orm(string_value = "kiosk")]
    Kiosk,
    /// It stood in a file.
    #[sea_orm(string_value = "import")]
    Import,
}

/// What a scan came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Outcome {
    /// Arrived.
    #[sea_orm(string_value = "checked_in")]
    CheckedIn,
    /// Left.
    #[sea_orm(string_value = "checked_out")]
    CheckedOut,
    /// An earlier scan was undone.
    #[sea_orm(string_value = "reverted")]
    Reverted,
    /// Came back.
    #[sea_orm(string_value = "reentry")]
    Reentry,
    /// Was inside already.
    #[sea_orm(string_value = "already_checked_in")]
    AlreadyCheckedIn,
    /// Was not inside.
    #[sea_orm(string_value = "not_checked_in")]
    NotCheckedIn,
    /// No room.
    #[sea_orm(string_value = "capacity_reached")]
    CapacityReached,
    /// The event is called off.
    #[sea_orm(string_value = "event_cancelled")]
    EventCancelled,
    /// The event is a draft.
    #[sea_orm(string_value = "event_not_published")]
    EventNotPublished,
    /// Too early or too late.
    #[sea_orm(string_value = "outside_window")]
    OutsideWindow,
}
