//! Where the time comes from.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, Utc};

/// The time of day, in whole microseconds so that both databases give back what they were given.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands at `instant` until [`Clock::set`] moves it. For tests.
    #[must_use]
    pub fn fixed(instant: DateTime<Utc>) -> Self {
        Self(Some(Arc::new(AtomicI64::new(instant.timestamp_micros()))))
    }

    /// Moves a fixed clock, for everyone who holds it; the machine's clock is left alone.
    pub fn set(&self, instant: DateTime<Utc>) {
        if let Some(fixed) = &self.0 {
            fixed.store(instant.timestamp_micros(), Ordering::SeqCst);
        }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let microseconds = match &self.0 {
            Some(fixed) => fixed.load(Ordering::SeqCst),
            #[expect(
                clippy::disallowed_methods,
                reason = "this is where the time comes from"
            )]
            None => Utc::now().timestamp_micros(),
        };
        DateTime::from_timestamp_micros(microseconds).unwrap_or_default()
    }
}
