//! One entry of a patron's loyalty ledger. Append-only; the balance is their sum.

use crate::organizations::organization::OrganizationId;
use crate::patrons::patron::PatronId;
use sea_orm::entity::prelude::*;

/// The id of a ledger entry.
pub type EntryId = crate::Id<Entity>;

/// A row of `loyalty_entries`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "loyalty_entries")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EntryId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Whose.
    pub patron_id: PatronId,
    /// What moved the points.
    pub kind: Kind,
    /// How many, with their sign.
    pub points: i64,
    /// Why, for people.
    pub reason: String,
    /// What caused it.
    pub source_id: Uuid,
    /// Which award for that cause: an undone and repeated one is another.
    pub generation: i32,
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

/// What moved the points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Kind {
    /// An award.
    #[sea_orm(string_value = "earn")]
    Earn,
    /// A reward.
    #[sea_orm(string_value = "redeem")]
    Redeem,
    /// Time.
    #[sea_orm(string_value = "expire")]
    Expire,
    /// The undoing of an award.
    #[sea_orm(string_value = "reverse")]
    Reverse,
    /// A person's correction.
    #[sea_orm(string_value = "adjust")]
    Adjust,
    /// A merge of two patrons.
    #[sea_orm(string_value = "transfer")]
    Transfer,
}
