//! What the actor of a scope was denied, in the audit log.

use chrono::TimeDelta;

use super::{
    Actor, Scope,
    log::{self, Deed},
};
use crate::{Permission, Result, limit::Rule};

/// Denials of one person, or key, in one organization that an instance writes down: whoever asks for ever fills
/// no disk, and holds nobody's commits up.
const DENIALS: Rule = Rule::new("denials", 10, TimeDelta::minutes(1));

impl Scope {
    /// Writes down that the actor was denied what needs `permission`, and why. They are denied it
    /// whether or not that can be written.
    pub(super) async fn write_denial(&self, permission: Permission, reason: &'static str) {
        let who = match self.author.actor {
            Actor::User { user, .. } => user.uuid(),
            Actor::Key { key } => key.uuid(),
            Actor::System => return,
        };
        let key = format!("{} {who}", self.organization);
        if self.db.denials().take(&DENIALS, &key).await.is_ok()
            && let Err(error) = self.append_denial(permission, reason).await
        {
            tracing::warn!(%error, organization = %self.organization, "audit.denial.lost");
        }
    }

    async fn append_denial(&self, permission: Permission, reason: &'static str) -> Result<()> {
        // A request holds one connection at a time, or a full pool waits for itself.
        self.close_snapshot().await;
        let transaction = self.db.begin(self.binding(), true).await?;
        let denied = Deed::denied(self.author(), permission, reason);
        log::append(self, &transaction, vec![denied]).await?;
        transaction.commit().await
    }
}
