//! Linking an account at a provider to one's own.

use entity::identity::linked_account;
use sea_orm::{ColumnTrait, QueryFilter, Set};

use super::{Identity, LinkedAccountId, begin::already_linked, sealed};
use crate::{
    Result, Viewer,
    identity::session,
    mail::{Kind, Mail},
};

/// Links what the provider proved to the account of who asked for it, and tells its address.
///
/// # Errors
/// A refusal when the account there is linked to another one here, or another there to this one.
pub(super) async fn link(viewer: &Viewer, provider: String, identity: Identity) -> Result<()> {
    let now = viewer.clock().now();
    let own = viewer.begin(true).await?;
    let account = session::lock(&own, viewer).await?;
    let present = own
        .find::<linked_account::Entity>()
        .filter(linked_account::Column::Provider.eq(&*provider));
    if !own.all(present).await?.is_empty() {
        return Err(already_linked());
    }
    let id = LinkedAccountId::random();
    let row = linked_account::ActiveModel {
        id: Set(id),
        user_id: Set(viewer.user()),
        provider: Set(provider.clone()),
        refresh_token: Set(sealed(viewer.sealing(), id, &identity)?),
        issuer: Set(identity.issuer),
        subject: Set(identity.subject),
        email: Set(identity.email),
        created_at: Set(now),
        last_used_at: Set(now),
    };
    let inserted = own.insert(row).await;
    inserted.map_err(|error| {
        error.or_taken(
            "",
            "This account at the provider is linked to another account here: sign in to that one and unlink it there.",
        )
    })?;
    let told = Mail::new(Kind::AccountLinked, account.email);
    own.mail(told.about(viewer.user()).with("provider", provider))
        .await?;
    own.commit().await
}
