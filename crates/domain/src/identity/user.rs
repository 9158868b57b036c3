//! Reading people.

use entity::identity::user;
use sea_orm::FromQueryResult;

use crate::{Error, Reader, Result, Viewer, permission::MembersRead, scope::Table};

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
    })
}

/// Whether it is proved that the viewer's address is theirs.
pub async fn is_email_verified(viewer: &Viewer) -> Result<bool> {
    Ok(row(viewer).await?.email_verified_at.is_some())
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
            "SELECT users.id, users.username, users.email, users.first_name, users.last_name
             FROM members JOIN users ON users.id = members.user_id
             WHERE members.organization_id = $1 AND members.user_id {in $2}",
            users.iter().map(|id| id.uuid()).collect(),
            vec![],
        )
        .await
}
