//! Cells to instants.

use chrono::{
    DateTime, Datelike as _, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound as _,
    TimeZone as _, Utc,
};
use chrono_tz::{GapInfo, Tz};

use super::row::{Problem, RowErrorCode};

/// ISO 8601 with or without offset, `YYYY-MM-DD HH:MM[:SS]`, and `MM/DD/YYYY H:MM [AM]` or, with
/// `day_first`, `DD/MM/YYYY`; without offset in `zone`. `None` for a date alone: the day is known and
/// the time is not, and midnight would be a false one.
///
/// A local time that the clock change skips is the first instant after it; of one that comes twice the
/// first counts (reference for attendance, 2.6). Microseconds are kept, as the database does.
pub(super) fn instant(
    text: &str,
    zone: Tz,
    day_first: bool,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let spaced = text.replacen(
        ['T', 't'],
        " ",
        usize::from(text.as_bytes().get(4) == Some(&b'-')),
    );
    let spaced = spaced
        .strip_suffix(['Z', 'z'])
        .map_or(spaced.clone(), |utc| format!("{utc}+00:00"));
    let instant = if let Some(instant) = with_offset(&spaced) {
        instant
    } else {
        let (date, time) = spaced.split_once(' ').unwrap_or((&spaced, ""));
        let date = local_date(date, day_first)?;
        if time.is_empty() {
            return Ok(None);
        }
        let time = first_of(TIMES, |format| {
            NaiveTime::parse_from_str(time.trim(), format).ok()
        })
        .ok_or(UNREADABLE)?;
        in_zone(date.and_time(time), zone).ok_or(UNREADABLE)?
    };
    in_years(instant.year())?;
    // chrono keeps a leap second as a second of more than 10^9 nanoseconds; a database has none.
    if instant.timestamp_subsec_nanos() >= 1_000_000_000 {
        return Err(UNREADABLE);
    }
    Ok(Some(instant.trunc_subsecs(6)))
}

const TIMES: &[&str] = &["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p"];

const UNREADABLE: Problem = (
    RowErrorCode::InvalidTime,
    "This is not a date and time we know. Write it like 2024-03-09 18:30 or 03/09/2024 6:30 PM; \
     for day before month choose that in the import's options.",
);

fn with_offset(text: &str) -> Option<DateTime<Utc>> {
    // The offset's sign comes after the ten characters of the date.
    text.get(10..)?.contains(['+', '-']).then_some(())?;
    first_of(
        &["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z"],
        |format| DateTime::parse_from_str(text, format).ok(),
    )
    .map(|instant| instant.to_utc())
}

fn local_date(text: &str, day_first: bool) -> Result<NaiveDate, Problem> {
    let slashed = if day_first { "%d/%m/%Y" } else { "%m/%d/%Y" };
    let date = first_of(&["%Y-%m-%d", slashed], |format| {
        NaiveDate::parse_from_str(text, format).ok()
    })
    .ok_or(UNREADABLE)?;
    in_years(date.year())?;
    Ok(date)
}

fn in_years(year: i32) -> Result<(), Problem> {
    if (1900..=9999).contains(&year) {
        return Ok(());
    }
    Err((
        RowErrorCode::TimeOutOfRange,
        "The year must be from 1900 to 9999. Write it with four digits.",
    ))
}

fn in_zone(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let instant = match zone.from_local_datetime(&local) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant,
        LocalResult::None => GapInfo::new(&local, &zone)?.end?,
    };
    Some(instant.to_utc())
}

fn first_of<T>(formats: &[&str], parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    formats.iter().copied().find_map(parse)
}

#[cfg(test)]
mod tests {
    use chrono_tz::America::New_York;
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Option<String>, RowErrorCode> {
        instant(text, New_York, false)
            .map(|instant| instant.map(|instant| instant.to_rfc3339()))
            .map_err(|(code, _)| code)
    }

    #[test]
    fn every_form() {
        for (text, expected) in [
            ("2024-07-09T18:30:00Z", "2024-07-09T18:30:00+00:00"),
            ("2024-07-09t18:30z", "2024-07-09T18:30:00+00:00"),
            (
                "2024-07-09T18:30:00.123456789+02:00",
                "2024-07-09T16:30:00.123456+00:00",
            ),
            ("2024-07-09 18:30:00+0200", "2024-07-09T16:30:00+00:00"),
            ("2024-07-09 18:30-05", "2024-07-09T23:30:00+00:00"),
            ("2024-07-09T18:30:15", "2024-07-09T22:30:15+00:00"),
            ("2024-07-09 18:30:15", "2024-07-09T22:30:15+00:00"),
            ("2024-07-09 18:30", "2024-07-09T22:30:00+00:00"),
            ("07/09/2024 6:30 PM", "2024-07-09T22:30:00+00:00"),
            ("7/9/2024 6:30pm", "2024-07-09T22:30:00+00:00"),
            ("7/9/2024 6:30:15 PM", "2024-07-09T22:30:15+00:00"),
            ("7/9/2024 18:30", "2024-07-09T22:30:00+00:00"),
        ] {
            assert_eq!(read(text), Ok(Some(expected.to_owned())), "{text}");
        }
        assert_eq!(read("2024-07-09"), Ok(None));
        assert_eq!(read("7/9/2024"), Ok(None));
    }

    #[test]
    fn what_is_refused() {
        for text in [
            "soon",
            "",
            "31/12/2024 10:00",
            "2024-02-30 10:00",
            "2024-07-09 25:00",
            "2024-07-09T23:59:60Z",
            "é024-07-09T10:00",
            "2024-07-09 10:00 tea",
            "10:00",
        ] {
            assert_eq!(read(text), Err(RowErrorCode::InvalidTime), "{text}");
        }
        for text in [
            "1899-12-31 10:00",
            "7/9/24",
            "9999-12-31 23:00",
            "0024-07-09T10:00Z",
        ] {
            assert_eq!(read(text), Err(RowErrorCode::TimeOutOfRange), "{text}");
        }
    }

    #[test]
    fn day_first_is_an_option() {
        let read = |text| {
            instant(text, Tz::UTC, true).map(|instant| instant.map(|instant| instant.to_rfc3339()))
        };
        assert_eq!(
            read("31/12/2024 10:00"),
            Ok(Some("2024-12-31T10:00:00+00:00".to_owned()))
        );
        assert!(read("12/31/2024 10:00").is_err());
    }

    #[test]
    fn clock_changes() {
        assert_eq!(
            read("2024-03-10 02:30"),
            Ok(Some("2024-03-10T07:00:00+00:00".to_owned()))
        );
        assert_eq!(
            read("2024-11-03 01:30"),
            Ok(Some("2024-11-03T05:30:00+00:00".to_owned()))
        );
        let samoa = instant("2011-12-30 12:00", chrono_tz::Pacific::Apia, false);
        assert_eq!(
            samoa
                .ok()
                .flatten()
                .map(|instant| instant.to_rfc3339())
                .as_deref(),
            Some("2011-12-30T10:00:00+00:00")
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,30}|[0-9TZ:/ +.APM-]{0,30}", day_first: bool) {
            let _ = instant(&text, New_York, day_first);
        }
    }
}
