//! What was done to an account, or tried, when and from where. Append-only.

use sea_orm::entity::prelude::*;

use super::{session::SessionId, user::UserId};
use crate::audit::entry::Outcome;

/// The id of an account's event.
pub type AccountEventId = crate::Id<Entity>;

/// A row of `account_events`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "account_events")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccountEventId,
    /// Whose account it was.
    pub user_id: UserId,
    /// Through which session; none where there was none.
    pub session_id: Option<SessionId>,
    /// What, dotted (schema source 002).
    pub event_type: String,
    /// Schema source 004's name for it, where it has one.
    pub action: Option<String>,
    /// Whether it was done.
    pub result: Outcome,
    /// Why it was not done, as a code.
    pub reason: Option<String>,
    /// Network address (IPv4 or IPv6).
    pub address: Option<String>,
    /// The client's own name.
    pub user_agent: Option<String>,
    /// When it was.
    pub created_at: DateTimeUtc,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
