//! An account at an outside provider that a person signs in with.

use sea_orm::entity::prelude::*;

use super::user::UserId;

/// The id of a linked account. It names it to its owner and is never a credential.
pub type LinkedAccountId = crate::Id<Entity>;

/// A row of `linked_accounts`: one for each account there, and for each person and provider.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "linked_accounts")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: LinkedAccountId,
    /// Who signs in with it.
    pub user_id: UserId,
    /// Our name of the provider.
    pub provider: String,
    /// The provider's own name, a URL.
    pub issuer: String,
    /// The provider's name of the account, which it never gives to another.
    pub subject: String,
    /// The address that the provider knows, for its owner to tell accounts apart; proves nothing.
    pub email: Option<String>,
    /// Sealed; none where the provider gave none.
    pub refresh_token: Option<Vec<u8>>,
    /// When it was linked.
    pub created_at: DateTimeUtc,
    /// When it was last signed in with.
    pub last_used_at: DateTimeUtc,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
