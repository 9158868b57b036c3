//! Reading people.

use entity::identity::{account_token, user};
use sea_orm::{FromQueryResult, sea_query::Expr};

use super::session::{self, Session};
use crate::{
    Error, Reader, Result, Viewer,
    mail::Locale,
    permission::MembersRead,
    scope::{Own, Table},
};

pub use entity::identity::user::UserId;

/// A person as fellow members of an organization may see them.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Person {
    /// Primary key.
    pub id: UserId,
    /// Username.
    pub username: String,
    /// E-mail address.
    pub email: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Where a picture of them is, on the web.
    pub avatar_url: Option<String>,
}

/// The table of accounts, which is read below the members of the organization alone.
#[must_use]
pub fn table() -> Table {
    Table::global::<user::Entity, MembersRead>()
}

/// The viewer's own account.
pub async fn own(viewer: &Viewer) -> Result<Person> {
    let user = row(viewer).await?;
    Ok(Person {
        id: user.id,
        username: user.username,
        email: user.email,
        first_name: user.first_name,
        last_name: user.last_name,
        avatar_url: user.avatar_url,
    })
}

/// Whether it is proved that the viewer's address is theirs.
pub async fn is_email_verified(viewer: &Viewer) -> Result<bool> {
    Ok(row(viewer).await?.email_verified_at.is_some())
}

/// The viewer's telephone number, and the language of their mails.
pub async fn contact(viewer: &Viewer) -> Result<(Option<String>, Locale)> {
    let user = row(viewer).await?;
    Ok((user.phone, Locale::of(&user.locale)))
}

/// Closes the viewer's account in a running change that has locked it, and gives the sessions that ended
/// with it. Nobody can sign in from the commit on; its name and address stay reserved until the purge.
pub(crate) async fn close(own: &Own, viewer: &Viewer) -> Result<Vec<Session>> {
    let now = viewer.clock().now();
    let update = own
        .change::<user::Entity>()
        .col_expr(user::Column::DeletedAt, Expr::value(now))
        .col_expr(user::Column::UpdatedAt, Expr::value(now));
    own.update(update).await?;
    own.delete(own.removal::<account_token::Entity>()).await?;
    session::end_all(own).await
}

/// The same with what is nobody's business.
pub(super) async fn row(viewer: &Viewer) -> Result<user::Model> {
    let own = viewer.begin(false).await?;
    let user = own.all(own.find::<user::Entity>()).await?.pop();
    user.ok_or(Error::Unauthenticated)
}

/// Those of `users` who are members of the organization.
pub async fn load(reader: &Reader<MembersRead>, users: &[UserId]) -> Result<Vec<Person>> {
    reader
        .rows_of(
            "SELECT users.id, users.username, users.email, users.first_name, users.last_name, users.avatar_url
             FROM members JOIN users ON users.id = members.user_id
             WHERE members.organization_id = $1 AND members.user_id {in $2}",
            users.iter().map(|id| id.uuid()).collect(),
            vec![],
        )
        .await
}
