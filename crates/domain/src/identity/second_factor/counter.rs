//! How many wrong second factors an account was given.
//!
//! This one is hard, unlike the count of wrong passwords: six digits are soon guessed. It is the
//! database's, so that neither instances nor a restart multiply the tries, and it holds whatever the
//! configuration says of limits. Only who knows the password, or has a session, can stop an account.

use chrono::{DateTime, TimeDelta, Utc};
use entity::identity::second_factor_counter::{ActiveModel, Column, Entity, Model};
use sea_orm::{Set, sea_query::Expr};
use serde_json::json;

use crate::{Error, Result, scope::Own};

/// Wrong ones within [`WITHIN`] after which no other is looked at.
const MOST: usize = 10;
/// How long a wrong one counts.
const WITHIN: TimeDelta = TimeDelta::minutes(15);
/// For how long no other is looked at.
const STOP: TimeDelta = TimeDelta::minutes(15);

/// Lets nothing through while the account is stopped.
///
/// # Errors
/// [`Error::Limited`].
pub(super) async fn check(own: &Own) -> Result<()> {
    let stopped_until = find(own).await?.and_then(|row| row.stopped_until);
    let left = stopped_until.map(|until| until - own.clock().now());
    let Some(left) = left.filter(|left| *left > TimeDelta::zero()) else {
        return Ok(());
    };
    metrics::counter!("rollcall_limited_total", "rule" => "second_factor").increment(1);
    let seconds = u32::try_from((left.num_milliseconds() + 999) / 1000);
    Err(Error::Limited {
        after: seconds.unwrap_or(u32::MAX).max(1),
    })
}

/// Counts a wrong one, in a running change of a locked account.
pub(super) async fn count(own: &Own) -> Result<()> {
    let now = own.clock().now();
    let before = find(own).await?;
    let is_new = before.is_none();
    let mut failures = before.map(|row| latest(&row, now)).unwrap_or_default();
    failures.push(now.timestamp());
    let mut stopped_until = None;
    if failures.len() >= MOST {
        failures.clear();
        stopped_until = Some(now + STOP);
        tracing::warn!(user = %own.user(), "second_factor.stopped");
    }
    if is_new {
        let row = ActiveModel {
            user_id: Set(own.user()),
            failures: Set(json!(failures)),
            stopped_until: Set(stopped_until),
        };
        own.insert(row).await?;
    } else {
        let update = own
            .change::<Entity>()
            .col_expr(Column::Failures, Expr::value(json!(failures)))
            .col_expr(Column::StoppedUntil, Expr::value(stopped_until));
        own.update(update).await?;
    }
    Ok(())
}

async fn find(own: &Own) -> Result<Option<Model>> {
    Ok(own.all(own.find::<Entity>()).await?.pop())
}

fn latest(row: &Model, now: DateTime<Utc>) -> Vec<i64> {
    let failures = row.failures.as_array().into_iter().flatten();
    let since = (now - WITHIN).timestamp();
    failures
        .filter_map(serde_json::Value::as_i64)
        .filter(|failure| *failure > since)
        .collect()
}
