//! Names of columns: as people see them and as they are compared.

use std::collections::HashSet;

use super::record::Record;

/// The header row as names a mapping can use: one line, at most 200 characters, each different. The
/// second column of a name gets ` (2)` and so on, and one without a name is `Column 7`.
pub(super) fn columns(header: &Record<'_>) -> Vec<String> {
    let mut taken = HashSet::new();
    header
        .fields
        .iter()
        .enumerate()
        .map(|(index, field)| {
            let words = field.split_whitespace().collect::<Vec<_>>().join(" ");
            let mut name: String = words
                .chars()
                .filter(|character| !character.is_control())
                .take(200)
                .collect();
            if name.is_empty() {
                name = format!("Column {}", index + 1);
            }
            let mut unique = name.clone();
            let mut copy = 1;
            while !taken.insert(unique.clone()) {
                copy += 1;
                unique = format!("{name} ({copy})");
            }
            unique
        })
        .collect()
}

/// A name or word without case, spaces and punctuation: `E-mail` and `e_mail` are one. The number sign
/// stays, as it tells `Attendee #` from an attendee.
pub(super) fn key(text: &str) -> String {
    text.chars()
        .filter(|character| {
            !character.is_whitespace() && (*character == '#' || !character.is_ascii_punctuation())
        })
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_different_names() {
        let fields = [
            "Email",
            " Email ",
            "",
            "Email (2)",
            "two\r\nlines",
            "a\u{7}b",
            "Column 3",
        ]
        .map(Into::into)
        .to_vec();
        assert_eq!(
            columns(&Record { line: 1, fields }),
            [
                "Email",
                "Email (2)",
                "Column 3",
                "Email (2) (2)",
                "two lines",
                "ab",
                "Column 3 (2)"
            ]
        );
    }

    #[test]
    fn spellings_of_a_name_are_one() {
        for name in ["E-mail", "e_mail", " E MAIL ", "Email"] {
            assert_eq!(key(name), "email");
        }
        assert_eq!(key("Attendee #"), "attendee#");
    }
}
