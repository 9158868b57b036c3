//! Who did what, or was denied it, when and from where. Append-only, and a chain: see
//! `domain::scope::chain`.

use crate::identity::user::UserId;
use crate::organizations::{api_key::ApiKeyId, organization::OrganizationId};
use sea_orm::entity::prelude::*;

/// The id of an audit entry.
pub type EntryId = crate::Id<Entity>;

/// A row of `audit_logs`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_logs")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EntryId,
    /// The tenant.
    pub organization_id: OrganizationId,
    /// Its place in the chain, from 1; none for an entry from before there was a chain.
    pub number: Option<i64>,
    /// What kind of actor it was.
    pub actor_kind: ActorKind,
    /// Who; none for what is no person, and where it was erased.
    pub actor_id: Option<UserId>,
    /// Which API key; none for what is none, and where it was erased.
    pub key_id: Option<ApiKeyId>,
    /// What, dotted (schema source 002); for a failure, the permission that it needed.
    pub event_type: String,
    /// Schema source 004's name for it, where it has one.
    pub action: Option<String>,
    /// What it was done to.
    pub target_id: Option<Uuid>,
    /// Whether it was done.
    pub result: Outcome,
    /// Why it was not done, as a code.
    pub reason: Option<String>,
    /// Network address (IPv4 or IPv6).
    pub address: Option<String>,
    /// The client's own name.
    pub user_agent: Option<String>,
    /// What keeps the digest from being guessed once the personal data is erased; it goes with them.
    pub personal_salt: Option<Uuid>,
    /// Digest of actor, address and client.
    pub personal_digest: Option<Vec<u8>>,
    /// Number of the first change of the same commit; of the last one before, for a failure.
    pub sequence: i64,
    /// How many changes the commit made; none for a failure.
    pub changes: i32,
    /// SHA-256 over the entry before it and this one.
    pub hash: Option<Vec<u8>>,
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

/// What kind of actor it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ActorKind {
    /// A signed-in person.
    #[sea_orm(string_value = "user")]
    User,
    /// An API key.
    #[sea_orm(string_value = "key")]
    Key,
    /// Rollcall itself.
    #[sea_orm(string_value = "system")]
    System,
}

/// Whether it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Outcome {
    /// It was.
    #[sea_orm(string_value = "success")]
    Success,
    /// It was denied.
    #[sea_orm(string_value = "failure")]
    Failure,
}
