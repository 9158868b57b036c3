//! A sign-in at an outside provider that is under way.

use sea_orm::entity::prelude::*;

use super::{session::SessionId, user::UserId};

/// The id of a sign-in under way.
pub type ProviderSignInId = crate::Id<Entity>;

/// A row of `provider_sign_ins`. It holds no secret: nonce and PKCE verifier are made of the browser's.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "provider_sign_ins")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProviderSignInId,
    /// SHA-256 of the state, which goes to the provider and comes back.
    pub state_hash: Vec<u8>,
    /// SHA-256 of the secret that only the browser has which began it.
    pub browser_hash: Vec<u8>,
    /// Our name of the only provider that may answer.
    pub provider: String,
    /// Whose account is to be linked; none for a sign-in.
    pub user_id: Option<UserId>,
    /// The session that asked for the link.
    pub session_id: Option<SessionId>,
    /// Where the browser goes then, a URL that was checked.
    pub return_to: String,
    /// When it was begun.
    pub created_at: DateTimeUtc,
    /// Until when it can be completed.
    pub expires_at: DateTimeUtc,
    /// When it was completed.
    pub used_at: Option<DateTimeUtc>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
