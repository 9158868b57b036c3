//! A signed-in browser or device.

use sea_orm::entity::prelude::*;

use super::user::UserId;
use crate::organizations::organization::OrganizationId;

/// The id of a session. It names the session to its owner and is never a credential.
pub type SessionId = crate::Id<Entity>;

/// A row of `sessions`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    /// Whose session it is.
    pub user_id: UserId,
    /// SHA-256 of the 256-bit token; the token itself is told once and stored nowhere.
    pub token_hash: Vec<u8>,
    /// The organization a request acts in unless its header names another.
    pub active_organization_id: Option<OrganizationId>,
    /// `User-Agent` of the sign-in, cut to 255 characters.
    pub user_agent: Option<String>,
    /// Network address of the sign-in.
    pub address: String,
    /// When the person signed in.
    pub created_at: DateTimeUtc,
    /// When they last gave their password here.
    pub authenticated_at: DateTimeUtc,
    /// When they last gave a second factor here, if they did.
    pub second_factor_at: Option<DateTimeUtc>,
    /// Last use, written at most once a minute.
    pub last_used_at: DateTimeUtc,
    /// The absolute end, whatever the use.
    pub expires_at: DateTimeUtc,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
