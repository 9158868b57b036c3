//! The viewer's own log: what was done to their account, and tried.

use async_graphql::{ID, InputObject, SimpleObject};
use domain::identity::account_log::{self, EventFilter};

use crate::{audit::entry::AuditResult, id, time::Time};

/// What was done to an account, or tried. Events are added, never changed, and kept for a year.
#[derive(SimpleObject)]
pub struct AccountEvent {
    /// Global id.
    id: ID,
    /// What, like `user.signed_in`.
    event_type: String,
    /// The same in fewer words, where there is one: `SIGN_UP`, `SIGN_IN`, `SIGN_OUT`, `UPDATE_PASSWORD`,
    /// `UPDATE_ACCOUNT` or `DELETE_ACCOUNT`.
    action: Option<String>,
    /// Whether it was done.
    result: AuditResult,
    /// Why it was not done, as a code.
    reason: Option<String>,
    /// Through which session, which may have ended since; null where there was none.
    session_id: Option<ID>,
    /// Network address.
    address: Option<String>,
    /// The client's own name.
    user_agent: Option<String>,
    /// When it was.
    created_at: Time,
}

/// Which events a list shows.
#[derive(Default, InputObject)]
pub struct AccountLogFilter {
    /// Only this type.
    event_type: Option<String>,
    /// Only with this result.
    result: Option<AuditResult>,
    /// Only from this time on.
    from: Option<Time>,
    /// Only from before this time.
    until: Option<Time>,
}

impl From<account_log::AccountEvent> for AccountEvent {
    fn from(row: account_log::AccountEvent) -> Self {
        Self {
            id: id::encode(row.id),
            event_type: row.event_type,
            action: row.action,
            result: row.result.into(),
            reason: row.reason,
            session_id: row.session_id.map(id::encode),
            address: row.address,
            user_agent: row.user_agent,
            created_at: row.created_at.into(),
        }
    }
}

impl From<AccountLogFilter> for EventFilter {
    fn from(filter: AccountLogFilter) -> Self {
        Self {
            event_type: filter.event_type,
            result: filter.result.map(Into::into),
            from: filter.from.map(Into::into),
            until: filter.until.map(Into::into),
        }
    }
}
