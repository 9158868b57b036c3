//! Taking a link away again.

use entity::identity::linked_account;
use sea_orm::{ColumnTrait, QueryFilter};

use super::LinkedAccountId;
use crate::{
    Code, Error, Result,
    identity::{password, session},
    mail::{Kind, Mail},
    scope::Fresh,
};

/// Has the viewer sign in with one of their accounts at providers no more, and tells their address. What
/// the provider gave is forgotten.
///
/// # Errors
/// A refusal when it is not there, or not theirs, or they would have no way in any more.
pub async fn unlink(fresh: Fresh, id: LinkedAccountId) -> Result<()> {
    let viewer = fresh.viewer();
    let own = viewer.begin(true).await?;
    let account = session::lock(&own, viewer).await?;
    let linked = own.all(own.find::<linked_account::Entity>()).await?;
    let Some(link) = linked.iter().find(|link| link.id == id) else {
        return Err(Error::refused(
            Code::NotFound,
            "linkedAccountId",
            "You have linked no such account.",
        ));
    };
    if linked.len() == 1 && !password::is_usable(&account.password_hash) {
        return Err(Error::refused(
            Code::LastWayIn,
            "",
            "This is your only way to sign in: choose a password first (changePassword), or link another account.",
        ));
    }
    let removal = own
        .removal::<linked_account::Entity>()
        .filter(linked_account::Column::Id.eq(id));
    own.delete(removal).await?;
    let told = Mail::new(Kind::AccountUnlinked, account.email);
    own.mail(told.about(viewer.user()).with("provider", &*link.provider))
        .await?;
    own.commit().await
}
