//! An authenticator app as a second factor.

use sea_orm::entity::prelude::*;

use super::user::UserId;

/// The id of an authenticator app.
pub type TotpFactorId = crate::Id<Entity>;

/// A row of `totp_factors`: one for each person at most.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "totp_factors")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TotpFactorId,
    /// Whose it is.
    pub user_id: UserId,
    /// The 160 bits that it shares with us, encrypted for this row.
    pub secret: Vec<u8>,
    /// The last time step of which a code was taken: no code of it or before it is taken again.
    pub last_step: i64,
    /// When it was begun.
    pub created_at: DateTimeUtc,
    /// When the person proved that their app has the secret; it is no factor before.
    pub confirmed_at: Option<DateTimeUtc>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
