//! The five statuses of an event (schema source 003), derived and never stored.

use chrono::{DateTime, Utc};
use entity::events::event::{Column, Model};
use sea_orm::{ColumnTrait, Condition};

/// Where an event stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not published yet.
    Draft,
    /// Published, and not begun.
    Scheduled,
    /// Between its start and its end, both included.
    Ongoing,
    /// Over, or closed.
    Completed,
    /// Called off.
    Cancelled,
}

/// The same rule as [`Status::of`], for the row of an event that a statement reads.
pub const STATED: &str = "CASE WHEN {row}.cancelled_at IS NOT NULL THEN 'cancelled'
    WHEN {row}.published_at IS NULL THEN 'draft'
    WHEN {row}.closed_at IS NOT NULL OR {row}.ends_at < {now} THEN 'completed'
    WHEN {row}.starts_at <= {now} THEN 'ongoing' ELSE 'scheduled' END";

impl Status {
    /// All five.
    pub const ALL: [Self; 5] = [
        Self::Draft,
        Self::Scheduled,
        Self::Ongoing,
        Self::Completed,
        Self::Cancelled,
    ];

    /// The status of `event` at `now`. Cancelled goes before completed, completed before ongoing.
    #[must_use]
    pub fn of(event: &Model, now: DateTime<Utc>) -> Self {
        if event.cancelled_at.is_some() {
            Self::Cancelled
        } else if event.published_at.is_none() {
            Self::Draft
        } else if event.closed_at.is_some() || event.ends_at < now {
            Self::Completed
        } else if event.starts_at <= now {
            Self::Ongoing
        } else {
            Self::Scheduled
        }
    }

    /// The same as a condition, for filters.
    #[must_use]
    pub fn condition(self, now: DateTime<Utc>) -> Condition {
        let live = Condition::all().add(Column::CancelledAt.is_null());
        let published = live.clone().add(Column::PublishedAt.is_not_null());
        let open = published
            .clone()
            .add(Column::ClosedAt.is_null())
            .add(Column::EndsAt.gte(now));
        match self {
            Self::Cancelled => Condition::all().add(Column::CancelledAt.is_not_null()),
            Self::Draft => live.add(Column::PublishedAt.is_null()),
            Self::Completed => published.add(
                Condition::any()
                    .add(Column::ClosedAt.is_not_null())
                    .add(Column::EndsAt.lt(now)),
            ),
            Self::Ongoing => open.add(Column::StartsAt.lte(now)),
            Self::Scheduled => open.add(Column::StartsAt.gt(now)),
        }
    }
}
