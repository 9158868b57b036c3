//! What is done after a commit: a mail or a job becomes permanent with the change that causes it, or not
//! at all. Whoever commits it says [`super::Committed::JobEnqueued`].

use entity::{
    jobs::{job, mail},
    organizations::organization::OrganizationId,
};
use sea_orm::{ActiveModelTrait, ConnectionTrait, Set};
use uuid::Uuid;

use crate::{Clock, Result, mail::Mail};

/// Has a mail sent.
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

/// Has work done in an organization, by whichever instance takes it.
pub(super) async fn enqueue(
    connection: &impl ConnectionTrait,
    clock: &Clock,
    organization: OrganizationId,
    kind: &'static str,
    subject: Uuid,
) -> Result<()> {
    let now = clock.now();
    let row = job::ActiveModel {
        id: Set(entity::Id::random()),
        organization_id: Set(organization),
        kind: Set(kind.to_owned()),
        subject_id: Set(subject),
        run_at: Set(now),
        leased_until: Set(None),
        attempts: Set(0),
        failure: Set(None),
        created_at: Set(now),
    };
    row.insert(connection).await?;
    Ok(())
}
