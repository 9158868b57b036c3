//! IANA time zones.

use chrono_tz::Tz;

use crate::{Code, Problem};

/// Checks the name of a zone.
pub fn check(name: &str) -> Result<Tz, Problem> {
    name.parse().map_err(|_| {
        Problem::new(
            Code::Invalid,
            "timeZone",
            "This is not a time zone of the IANA database, like Europe/Vienna.",
        )
    })
}
