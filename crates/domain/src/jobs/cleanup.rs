//! What is removed when its time has come: a line for each task. Each works in batches of at most
//! [`SIZE`] rows, so that nobody waits long for it, and finds nothing left when it is begun again.

use chrono::TimeDelta;
use futures_util::future::BoxFuture;

use super::mailer;
use crate::{
    Result, Scope, System,
    attendance::imports,
    audit,
    identity::{account_log, account_token, session},
    organizations::{account, invitation},
};

/// Rows that one transaction removes at most.
const SIZE: u64 = 1000;

const HOUR: TimeDelta = TimeDelta::hours(1);
const DAY: TimeDelta = TimeDelta::days(1);

/// Something that is done again and again.
pub(super) struct Task {
    /// Its name in the table, the log and the metrics.
    pub(super) name: &'static str,
    /// How often.
    pub(super) period: TimeDelta,
    /// One batch of it.
    pub(super) batch: Batch,
}

/// Does one batch and gives how many rows that met; none, once there is nothing left to do.
pub(super) enum Batch {
    /// Of rows that are no organization's.
    Global(fn(&System) -> BoxFuture<'_, Result<u64>>),
    /// Of one organization's, asked for each.
    Each(fn(Scope) -> BoxFuture<'static, Result<u64>>),
}

/// All of them.
pub(super) const TASKS: &[Task] = &[
    Task {
        name: "sessions",
        period: HOUR,
        batch: Batch::Global(|system| Box::pin(session::purge(system, SIZE))),
    },
    Task {
        name: "account_tokens",
        period: HOUR,
        batch: Batch::Global(|system| Box::pin(account_token::purge(system, SIZE))),
    },
    Task {
        name: "accounts",
        period: DAY,
        batch: Batch::Global(|system| Box::pin(account::purge(system))),
    },
    Task {
        name: "account_events",
        period: DAY,
        batch: Batch::Global(|system| Box::pin(account_log::purge(system))),
    },
    Task {
        name: "mails",
        period: DAY,
        batch: Batch::Global(|system| Box::pin(mailer::purge(system, SIZE))),
    },
    Task {
        name: "invitations",
        period: DAY,
        batch: Batch::Each(|scope| {
            Box::pin(async move { invitation::purge(scope.writer().await?, SIZE).await })
        }),
    },
    Task {
        name: "imports",
        period: DAY,
        batch: Batch::Each(|scope| {
            Box::pin(async move { imports::retention::purge(scope.writer().await?, SIZE).await })
        }),
    },
    Task {
        name: "audit",
        period: DAY,
        batch: Batch::Each(|scope| {
            Box::pin(async move { audit::retention::purge(scope.writer().await?).await })
        }),
    },
];
