//! Cells to names, addresses, numbers and ids.

use unicode_normalization::UnicodeNormalization;

use super::row::{Problem, RowErrorCode};
use crate::identity::email;

/// Seats of one row at most, as of one registration: more is a slip of the keyboard, or a year in the
/// wrong column.
pub(super) const MAX_SEATS: u32 = 50;

/// A name in NFC, with single spaces, of at most 200 characters. Capitals and accents stay as they are.
pub(super) fn name(text: &str) -> Result<String, Problem> {
    let composed: String = text.nfc().collect();
    let name = composed.split_whitespace().collect::<Vec<_>>().join(" ");
    if name.chars().count() > 200 {
        return Err((
            RowErrorCode::NameTooLong,
            "This name is longer than 200 characters. Shorten it.",
        ));
    }
    Ok(name)
}

/// First and last name of a full one: `Last, First`, or the last word is the last name. A single word is
/// a first name.
pub(super) fn split_name(name: &str) -> (String, String) {
    let (first, last) = match name.split_once(',') {
        Some((last, first)) if !last.trim().is_empty() && !first.trim().is_empty() => (first, last),
        _ => {
            let name = name.trim_matches([',', ' ']);
            name.rsplit_once(' ').unwrap_or((name, ""))
        }
    };
    (first.trim().to_owned(), last.trim().to_owned())
}

/// An e-mail address as the whole product checks and stores it ([`email::check`]).
pub(super) fn email(text: &str) -> Result<String, Problem> {
    email::check(text).map_err(|_| (
        RowErrorCode::InvalidEmail,
        "This is not one e-mail address. Write it like name@example.org, at most 254 characters, or leave it empty.",
    ))
}

/// The digits of a phone number, with its leading `+` if it has one.
pub(super) fn phone(text: &str) -> Result<String, Problem> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    // Letters would join an extension to the number, or keep what is left of 4.47E+11.
    if (5..=20).contains(&digits.len()) && !text.contains(char::is_alphabetic) {
        let plus = text
            .trim_start_matches(|character: char| !character.is_ascii_digit() && character != '+');
        return Ok(if plus.starts_with('+') {
            format!("+{digits}")
        } else {
            digits
        });
    }
    Err((
        RowErrorCode::InvalidPhone,
        "This is not a phone number. Write 5 to 20 digits, with a leading + for the country, or leave it empty.",
    ))
}

/// An id of another system: one line of at most 200 characters.
pub(super) fn external_id(text: &str) -> Result<String, Problem> {
    if text.chars().count() > 200 || text.contains(char::is_control) {
        return Err((
            RowErrorCode::InvalidExternalId,
            "An id has one line and at most 200 characters. Check which column is the id.",
        ));
    }
    // Different long numbers become the same 1.23E+19: linking by that would mix people up.
    let shortened = text.split_once("E+").is_some_and(|(mantissa, power)| {
        mantissa.replace(',', ".").parse::<f64>().is_ok() && power.parse::<u32>().is_ok()
    });
    if shortened {
        return Err((
            RowErrorCode::InvalidExternalId,
            "A spreadsheet has shortened this number. Import the exported file as it was, without opening and saving it.",
        ));
    }
    Ok(text.to_owned())
}

/// Meetup's `user 123` or `123` as `123`.
pub(super) fn meetup_id(text: &str) -> Result<String, Problem> {
    let digits = text.strip_prefix("user").unwrap_or(text).trim_start();
    if (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(digits.to_owned());
    }
    Err((
        RowErrorCode::InvalidExternalId,
        "A Meetup id reads \"user 123\" or \"123\". Correct it or leave it empty.",
    ))
}

/// A whole number of seats or guests, at most [`MAX_SEATS`].
pub(super) fn seats(text: &str, least: u32) -> Result<u32, Problem> {
    text.parse().ok().filter(|seats| (least..=MAX_SEATS).contains(seats)).ok_or((
        RowErrorCode::InvalidSeats,
        if least == 0 {
            "This is not a number of guests. Write a whole number from 0 to 50, or leave it empty."
        } else {
            "This is not a number of seats. Write a whole number from 1 to 50, or leave it empty."
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T>(result: Result<T, Problem>) -> Option<RowErrorCode> {
        result.err().map(|(code, _)| code)
    }

    #[test]
    fn names_are_composed_and_single_spaced() {
        assert_eq!(
            name("  Zoe\u{308} \n van  der\tTest ").as_deref(),
            Ok("Zoë van der Test")
        );
        assert!(name(&"é".repeat(200)).is_ok());
        assert_eq!(
            code(name(&"é".repeat(201))),
            Some(RowErrorCode::NameTooLong)
        );
    }

    #[test]
    fn full_names_are_split() {
        for (full, first, last) in [
            ("Ada Testperson", "Ada", "Testperson"),
            ("Ada Maria Testperson", "Ada Maria", "Testperson"),
            ("Testperson, Ada Maria", "Ada Maria", "Testperson"),
            ("van der Test, Ada", "Ada", "van der Test"),
            ("Ada", "Ada", ""),
            ("Ada,", "Ada", ""),
            (", Ada", "Ada", ""),
            (",", "", ""),
            ("", "", ""),
        ] {
            assert_eq!(
                split_name(full),
                (first.to_owned(), last.to_owned()),
                "{full}"
            );
        }
    }

    #[test]
    fn emails_are_normalized_before_they_are_checked() {
        assert_eq!(
            email(" Ada.Test@Example.ORG ").as_deref(),
            Ok("ada.test@example.org")
        );
        assert_eq!(email("ada＠ｅxample.org").as_deref(), Ok("ada@example.org"));
        assert_eq!(email("zoë@exämple.org").as_deref(), Ok("zoë@exämple.org"));
        let long = format!("ada@{}example.org", "a.".repeat(120));
        for bad in [
            "ada",
            "@example.org",
            "ada@",
            "ada@example",
            "ada@.org",
            "ada@example.",
            "ada@@example.org",
            "ada @example.org",
            "a@example.org, b@example.org",
            "<ada@example.org>",
            "ada\u{200B}@example.org",
            "ada\n@example.org",
            &long,
        ] {
            assert_eq!(
                code(email(bad)),
                Some(RowErrorCode::InvalidEmail),
                "{bad:?}"
            );
        }
        assert!(email(&long.replacen("a.", "", 1)).is_ok());
    }

    #[test]
    fn phones_keep_digits() {
        for (text, expected) in [
            ("+1 (555) 010-0199", "+15550100199"),
            ("'+44 20 7946 0000", "+442079460000"),
            ("555.0100", "5550100"),
            ("0+12345", "012345"),
        ] {
            assert_eq!(phone(text).as_deref(), Ok(expected));
        }
        for bad in [
            "1234",
            "123456789012345678901",
            "4.47E+11",
            "555 0100 ext 5",
            "none",
        ] {
            assert_eq!(code(phone(bad)), Some(RowErrorCode::InvalidPhone), "{bad}");
        }
    }

    #[test]
    fn ids_are_kept_whole() {
        assert_eq!(external_id("gst-1E5x").as_deref(), Ok("gst-1E5x"));
        assert_eq!(meetup_id("user 123").as_deref(), Ok("123"));
        assert_eq!(meetup_id("123").as_deref(), Ok("123"));
        for bad in [
            external_id("1.23457E+19"),
            external_id("1,23457E+19"),
            external_id("a\nb"),
            meetup_id("user"),
            meetup_id("Ada"),
        ] {
            assert_eq!(code(bad), Some(RowErrorCode::InvalidExternalId));
        }
    }

    #[test]
    fn seats_are_bounded() {
        assert_eq!(seats("3", 1), Ok(3));
        assert_eq!(seats("0", 0), Ok(0));
        for bad in ["0", "-1", "1.5", "51", "two"] {
            assert_eq!(code(seats(bad, 1)), Some(RowErrorCode::InvalidSeats));
        }
    }
}
