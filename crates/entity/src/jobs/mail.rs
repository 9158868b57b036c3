//! A mail to be sent by whichever instance takes it. Global: its recipient may belong to no tenant, and
//! have no account.

use crate::identity::user::UserId;
use sea_orm::entity::prelude::*;

/// The id of a mail.
pub type MailId = crate::Id<Entity>;

/// A row of `mails`.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "mails")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MailId,
    /// What it says.
    pub kind: String,
    /// The address it goes to.
    pub recipient: String,
    /// Whom it is about; none where nobody is known.
    pub user_id: Option<UserId>,
    /// What else it says, or which row its token belongs to; never a secret.
    #[sea_orm(column_type = "JsonBinary")]
    pub data: Json,
    /// When the row came to be.
    pub created_at: DateTimeUtc,
    /// Not before; while it is being sent, when another may try.
    pub run_at: DateTimeUtc,
    /// How often it was tried.
    pub attempts: i32,
    /// How the last try ended.
    pub failure: Option<String>,
    /// When it was handed over.
    pub sent_at: Option<DateTimeUtc>,
}

/// No relation is followed through SeaORM: joins are written where they are needed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
