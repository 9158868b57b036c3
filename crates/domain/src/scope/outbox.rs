//! The outbox: a mail becomes permanent with the change that causes it, or not at all.

use entity::jobs::mail;
use sea_orm::{ActiveModelTrait, ConnectionTrait, Set};

use crate::{Clock, Result, mail::Mail};

/// Puts a mail there, in a running transaction. Whoever commits it says [`super::Committed::JobEnqueued`].
pub(super) async fn put(
    connection: &impl ConnectionTrait,
    clock: &Clock,
    mail: Mail,
) -> Result<()> {
    let now = clock.now();
    let row = mail::ActiveModel {
        id: Set(entity::Id::random()),
        kind: Set(mail.kind.as_str().to_owned()),
        recipient: Set(mail.recipient),
        user_id: Set(mail.user),
        data: Set(mail.data.into()),
        created_at: Set(now),
        run_at: Set(now),
        attempts: Set(0),
        failure: Set(None),
        sent_at: Set(None),
    };
    row.insert(connection).await?;
    Ok(())
}
