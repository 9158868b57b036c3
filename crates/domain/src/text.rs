//! Texts that people type: trimmed, bounded, and free of control characters.

use crate::{Code, Problem};

/// A text that must not be blank. What is wrong with it goes to `problems`.
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

/// A text that may be empty, up to `longest` characters on one line or several.
pub fn optional(
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
        .any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t'))
    {
        problems.push(Problem::new(
            Code::Invalid,
            field,
            "This has a control character in it. Remove it.",
        ));
        return String::new();
    }
    text.to_owned()
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
