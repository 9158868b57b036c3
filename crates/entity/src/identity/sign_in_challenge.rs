//! A sign-in whose password was right, and that waits for a second factor.

use sea_orm::entity::prelude::*;

use super::user::UserId;

/// The id of a challenge. It is never a credential.
pub type SignInChallengeId = crate::Id<Entity>;

/// A row of `sign_in_challenges`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_challenges")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SignInChallengeId,
    /// Whose password it was.
    pub user_id: UserId,
    /// SHA-256 of the 256-bit token; the token itself is told once and stored nowhere.
    pub token_hash: Vec<u8>,
    /// When the password was given.
    pub created_at: DateTimeUtc,
    /// Until when it can be answered.
    pub expires_at: DateTimeUtc,
    /// When it was answered rightly: once.
    pub used_at: Option<DateTimeUtc>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
