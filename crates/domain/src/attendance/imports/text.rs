//! Bytes of an upload to text, and the separator of its columns.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use serde::{Deserialize, Serialize};

use super::FileError;

/// How the file's bytes were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// UTF-8, with or without byte order mark.
    Utf8,
    /// UTF-16, little endian, by its byte order mark.
    Utf16Le,
    /// UTF-16, big endian, by its byte order mark.
    Utf16Be,
    /// Windows-1252: assumed when there is no mark and the bytes are not UTF-8.
    Windows1252,
}

/// The file's text without byte order mark; borrowed when it was UTF-8.
///
/// Fails for spreadsheets and other binary files, and when the bytes contradict their byte order mark:
/// guessing another encoding would damage names silently.
pub(super) fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), FileError> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        return Err(FileError::Spreadsheet);
    }
    let (text, encoding) = if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        let text = str::from_utf8(rest).map_err(|_| FileError::BrokenEncoding(Encoding::Utf8))?;
        (Cow::Borrowed(text), Encoding::Utf8)
    } else if let Some(rest) = bytes.strip_prefix(b"\xFF\xFE") {
        (
            utf_16(UTF_16LE, rest, Encoding::Utf16Le)?,
            Encoding::Utf16Le,
        )
    } else if let Some(rest) = bytes.strip_prefix(b"\xFE\xFF") {
        (
            utf_16(UTF_16BE, rest, Encoding::Utf16Be)?,
            Encoding::Utf16Be,
        )
    } else if let Ok(text) = str::from_utf8(bytes) {
        (Cow::Borrowed(text), Encoding::Utf8)
    } else {
        (
            WINDOWS_1252.decode_without_bom_handling(bytes).0,
            Encoding::Windows1252,
        )
    };
    if text.contains('\0') {
        Err(FileError::Binary)
    } else {
        Ok((text, encoding))
    }
}

/// The separator the header line uses most outside quotes: tab, semicolon or comma.
pub(super) fn separator(text: &str) -> u8 {
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in text
        .trim_start_matches(['\r', '\n', ' ', ',', ';', '\t'])
        .bytes()
    {
        match byte {
            b'"' => quoted = !quoted,
            b'\r' | b'\n' if !quoted => break,
            _ if quoted => {}
            _ => counts
                .iter_mut()
                .filter(|(separator, _)| *separator == byte)
                .for_each(|(_, count)| *count += 1),
        }
    }
    // On a tie the later wins, except that a header without any separator is one column of a comma file:
    // commas turn up inside names more often than semicolons, and semicolons more often than tabs.
    counts
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .max_by_key(|(_, count)| *count)
        .map_or(b',', |(separator, _)| separator)
}

fn utf_16<'a>(
    decoder: &'static encoding_rs::Encoding,
    bytes: &'a [u8],
    encoding: Encoding,
) -> Result<Cow<'a, str>, FileError> {
    decoder
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or(FileError::BrokenEncoding(encoding))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf_16_bytes(text: &str, little: bool) -> Vec<u8> {
        std::iter::once(0xFEFF)
            .chain(text.encode_utf16())
            .flat_map(|unit| {
                if little {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                }
            })
            .collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "Name\nZoë Ñandú €\n";
        let marked = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
        let windows = b"Name\nZo\xEB \xD1and\xFA \x80\n";
        for (bytes, encoding) in [
            (text.as_bytes(), Encoding::Utf8),
            (&marked, Encoding::Utf8),
            (&utf_16_bytes(text, true), Encoding::Utf16Le),
            (&utf_16_bytes(text, false), Encoding::Utf16Be),
            (windows, Encoding::Windows1252),
        ] {
            assert_eq!(decode(bytes), Ok((Cow::Borrowed(text), encoding)));
        }
    }

    #[test]
    fn what_is_not_text_is_refused() {
        assert_eq!(decode(b"PK\x03\x04rest"), Err(FileError::Spreadsheet));
        assert_eq!(
            decode(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"),
            Err(FileError::Spreadsheet)
        );
        assert_eq!(decode(b"Name\nA\0B"), Err(FileError::Binary));
        assert_eq!(decode(&utf_16_bytes("A\0B", true)), Err(FileError::Binary));
        assert_eq!(
            decode(b"\xEF\xBB\xBFZo\xEB"),
            Err(FileError::BrokenEncoding(Encoding::Utf8))
        );
        assert_eq!(
            decode(b"\xFF\xFEA\0B"),
            Err(FileError::BrokenEncoding(Encoding::Utf16Le))
        );
    }

    #[test]
    fn the_separator_is_counted_outside_quotes() {
        for (header, expected) in [
            ("Name,Email", b','),
            ("Name;Email, work;Phone", b';'),
            ("Name\tEmail\nA;B;C;D", b'\t'),
            ("\"Last, First; and so on\"\tEmail", b'\t'),
            ("\"two\nlines,,,\";Email", b';'),
            ("\r\n;;\r\nName;Email", b';'),
            ("Email", b','),
            ("", b','),
        ] {
            assert_eq!(separator(header), expected, "{header:?}");
        }
    }
}
