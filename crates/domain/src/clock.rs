//! Where the time comes from.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use chrono::{DateTime, TimeZone, Utc};

/// Years in which anything happens here; both databases keep them in order.
pub(crate) const YEARS: RangeInclusive<i32> = 1900..=2999;

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

/// `time`, or what is nearest to it in [`YEARS`]: beyond them the two databases do not agree on an
/// order.
pub(crate) fn within_years(time: DateTime<Utc>) -> DateTime<Utc> {
    let beginning = |year| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).single();
    match (beginning(*YEARS.start()), beginning(*YEARS.end() + 1)) {
        (Some(first), Some(last)) => time.clamp(first, last),
        _ => time,
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat, Utc};
    use proptest::prelude::*;

    /// SQLite keeps instants as text in the form that sqlx writes, and compares the text.
    fn stored(instant: DateTime<Utc>) -> String {
        instant.to_rfc3339_opts(SecondsFormat::AutoSi, false)
    }

    fn instants() -> impl Strategy<Value = DateTime<Utc>> {
        let seconds = prop_oneof![Just(1_790_000_000_i64), -2_208_988_800_i64..32_503_680_000];
        let microseconds = prop_oneof![
            Just(0),
            (0_i64..1000).prop_map(|milli| milli * 1000),
            0_i64..1_000_000
        ];
        (seconds, microseconds).prop_map(|(seconds, micro)| {
            DateTime::from_timestamp_micros(seconds * 1_000_000 + micro).unwrap()
        })
    }

    proptest! {
        #[test]
        fn the_order_of_stored_instants_is_the_order_of_time(one in instants(), other in instants()) {
            prop_assert_eq!(one.cmp(&other), stored(one).cmp(&stored(other)));
        }
    }
}
