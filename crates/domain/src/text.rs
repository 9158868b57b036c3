//! Texts that people type: trimmed, bounded, and free of control characters.

use crate::{Code, Problem};

/// A text on one line that must not be blank. What is wrong with it goes to `problems`.
pub fn required(
    problems: &mut Vec<Problem>,
    field: &'static str,
    text: &str,
    longest: usize,
) -> String {
    let text = optional(problems, field, text, longest);
    if text.is_empty() && problems.iter().all(|problem| problem.field != field) {
        problems.push(Problem::new(
            Code::Required,
            field,
            "This must not be blank.",
        ));
    }
    text
}

/// A text on one line that may be empty, up to `longest` characters.
pub fn optional(
    problems: &mut Vec<Problem>,
    field: &'static str,
    text: &str,
    longest: usize,
) -> String {
    if text.trim().chars().any(breaks_lines) {
        problems.push(Problem::new(
            Code::Invalid,
            field,
            "This has a line break or a tab in it. Remove it.",
        ));
        return String::new();
    }
    lines(problems, field, text, longest)
}

/// A text on any number of lines that may be empty, up to `longest` characters.
pub fn lines(
    problems: &mut Vec<Problem>,
    field: &'static str,
    text: &str,
    longest: usize,
) -> String {
    let text = text.trim();
    if text.len() > longest * 4 || text.chars().count() > longest {
        problems.push(Problem::new(
            Code::TooLong,
            field,
            format!("This has at most {longest} characters."),
        ));
        return String::new();
    }
    if text
        .chars()
        .any(|character| character.is_control() && !breaks_lines(character))
    {
        problems.push(Problem::new(
            Code::Invalid,
            field,
            "This has a control character in it. Remove it.",
        ));
        return String::new();
    }
    if text
        .chars()
        .all(|character| character.is_whitespace() || is_invisible(character))
    {
        return String::new();
    }
    text.to_owned()
}

/// A telephone number as it is kept: its digits, with a plus before them where one was given.
///
/// # Errors
/// What is wrong with it, at `phone`.
pub fn phone(number: &str) -> Result<String, Problem> {
    let kept: String = number
        .chars()
        .filter(|character| character.is_ascii_digit() || *character == '+')
        .collect();
    let digits = kept.strip_prefix('+').unwrap_or(&kept);
    let known = |character: char| character.is_ascii_digit() || " +-().,/".contains(character);
    if (5..=20).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && number.chars().all(known)
    {
        Ok(kept)
    } else {
        Err(Problem::new(
            Code::Invalid,
            "phone",
            "A telephone number has 5 to 20 digits, with an optional plus before them.",
        ))
    }
}

/// Line ends as Unicode knows them, and tabs.
fn breaks_lines(character: char) -> bool {
    matches!(character, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a character shows nothing and takes part in no word by itself: those that Unicode calls
/// default ignorable, the annotation marks, and the blank of Braille. Joiners are among them, and
/// stay in names, where they join letters.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether a NUL is anywhere in `value`: PostgreSQL keeps none.
#[must_use]
pub fn has_nul(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A text as lists are ordered and doors search: lower case, without accents.
#[must_use]
pub fn fold(text: &str) -> String {
    use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
    text.nfkd()
        .filter(|character| !is_combining_mark(*character))
        // Letter by letter: a sigma at the end of a word is one at the end of a search's part of it.
        .flat_map(char::to_lowercase)
        .map(|character| if character == 'ς' { 'σ' } else { character })
        .collect()
}
