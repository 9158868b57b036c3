//! A person's global login. An organization knows the same person as a patron, with a name of its own.

use sea_orm::entity::prelude::*;

/// The id of a user.
pub type UserId = crate::Id<Entity>;

/// A row of `users`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// 3 to 50 of `[A-Za-z0-9_]`, unique without regard to case (schema source 001).
    pub username: String,
    /// The username in lower case: what uniqueness and sign-in compare.
    pub username_key: String,
    /// Normalized (NFKC, trimmed, lower case) and unique.
    pub email: String,
    /// When it was proved that the address is theirs.
    pub email_verified_at: Option<DateTimeUtc>,
    /// Argon2id in PHC string format.
    pub password_hash: String,
    /// Given name.
    pub first_name: String,
    /// Family name; may be empty.
    pub last_name: String,
    /// Digits with an optional leading plus.
    pub phone: Option<String>,
    /// Where a picture of them is, on the web.
    pub avatar_url: Option<String>,
    /// The language of their mails, as BCP 47 writes it; English where we have none such.
    pub locale: String,
    /// When the account came to be.
    pub created_at: DateTimeUtc,
    /// When the account last changed.
    pub updated_at: DateTimeUtc,
    /// When the account was closed; its rows stay until the purge.
    pub deleted_at: Option<DateTimeUtc>,
    /// When nothing of the person was left in the row, which then only keeps their place in what others
    /// did.
    pub purged_at: Option<DateTimeUtc>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
