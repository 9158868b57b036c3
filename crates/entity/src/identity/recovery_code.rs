//! A code that stands in for a second factor, once.

use sea_orm::entity::prelude::*;

use super::user::UserId;

/// The id of a recovery code.
pub type RecoveryCodeId = crate::Id<Entity>;

/// A row of `recovery_codes`: ten for each person who has a second factor.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_codes")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RecoveryCodeId,
    /// Whose it is.
    pub user_id: UserId,
    /// Which of the ten, 0 to 9: the digit that the code begins with, so that one hash is verified and
    /// not ten.
    pub position: i32,
    /// Argon2id in PHC string format.
    pub code_hash: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was used.
    pub used_at: Option<DateTimeUtc>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
