//! Wrong second factors of an account, of whatever kind and in whatever sign-in.

use sea_orm::entity::prelude::*;

use super::user::UserId;

/// A row of `second_factor_counters`. It outlives the factors themselves, so that taking one away and
/// adding it again forgets nothing.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "second_factor_counters")]
pub struct Model {
    /// Whose.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// When the latest were, in seconds since 1970.
    #[sea_orm(column_type = "JsonBinary")]
    pub failures: Json,
    /// Until when no factor is looked at.
    pub stopped_until: Option<DateTimeUtc>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
