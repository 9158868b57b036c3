//! A single-use token that is mailed to a person, and what it is for.

use sea_orm::entity::prelude::*;

use super::user::UserId;

/// The id of an account's token. It is never a credential.
pub type AccountTokenId = crate::Id<Entity>;

/// A row of `account_tokens`: one for each person and purpose.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "account_tokens")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AccountTokenId,
    /// Whose account it is about.
    pub user_id: UserId,
    /// What it is for.
    pub purpose: Purpose,
    /// The address that it is mailed to, and proves.
    pub address: String,
    /// SHA-256 of the 256-bit token, which is made when it is mailed; none before.
    pub token_hash: Option<Vec<u8>>,
    /// When it was asked for.
    pub created_at: DateTimeUtc,
    /// Until when it can be used.
    pub expires_at: DateTimeUtc,
    /// When it was used.
    pub used_at: Option<DateTimeUtc>,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))")]
pub enum Purpose {
    /// To prove the account's address.
    #[sea_orm(string_value = "verify_email")]
    VerifyEmail,
    /// To prove another address, which then becomes the account's.
    #[sea_orm(string_value = "change_email")]
    ChangeEmail,
    /// To choose another password.
    #[sea_orm(string_value = "reset_password")]
    ResetPassword,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
