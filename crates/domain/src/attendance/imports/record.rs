//! Text to records of fields, as RFC 4180 has it, with any of the three line ends.
//!
//! Written here and not left to the `csv` crate because of two things people need from an import: the
//! line to look at (that crate does not count bare CR), and that a stray quote is told and costs its own
//! row, not the rows after it. What both accept they read alike, which a test below proves.

use std::borrow::Cow;

/// Bytes a field may have as written, quotes included.
pub(super) const MAX_FIELD_BYTES: usize = 10_000;
/// Columns a file may have.
pub(super) const MAX_COLUMNS: usize = 200;

/// One record; `fields` stops after one more than [`MAX_COLUMNS`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// The physical line, from 1, where the record starts.
    pub line: u64,
    pub fields: Vec<Cow<'a, str>>,
}

impl Record<'_> {
    pub fn is_blank(&self) -> bool {
        self.fields.iter().all(|field| field.trim().is_empty())
    }
}

/// A record that could not be read; reading goes on at the line below the one where `column` starts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub line: u64,
    /// The field's place in the record, from 0.
    pub column: usize,
    pub reason: BrokenReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BrokenReason {
    FieldTooLong,
    UnclosedQuote,
}

/// Where in the text the next record starts.
#[derive(Debug)]
pub(super) struct Cursor {
    separator: u8,
    offset: usize,
    line: u64,
}

impl Cursor {
    pub fn new(separator: u8) -> Self {
        Self {
            separator,
            offset: 0,
            line: 1,
        }
    }

    /// The next record, or `None` at the end. Empty lines are passed over.
    pub fn next<'a>(&mut self, text: &'a str) -> Option<Result<Record<'a>, Broken>> {
        let bytes = text.as_bytes();
        while self.pass_line_end(bytes) {}
        if self.offset == bytes.len() {
            return None;
        }
        let line = self.line;
        let mut fields = Vec::new();
        let mut column = 0;
        loop {
            match self.field(text) {
                Ok(field) if column <= MAX_COLUMNS => fields.push(field),
                Ok(_) => {}
                Err(reason) => {
                    return Some(Err(Broken {
                        line,
                        column,
                        reason,
                    }));
                }
            }
            column += 1;
            if bytes.get(self.offset) != Some(&self.separator) {
                self.pass_line_end(bytes);
                return Some(Ok(Record { line, fields }));
            }
            self.offset += 1;
        }
    }

    /// Reads up to the separator, line end or end of text that follows the field.
    fn field<'a>(&mut self, text: &'a str) -> Result<Cow<'a, str>, BrokenReason> {
        let start = self.offset;
        let read = if text.as_bytes().get(start) == Some(&b'"') {
            self.quoted(text)
        } else {
            self.offset = self.plain_end(text, start);
            Ok(Cow::Borrowed(&text[start..self.offset]))
        };
        match read {
            Ok(field) if self.offset - start <= MAX_FIELD_BYTES => Ok(field),
            Ok(_) => Err(self.give_up(text, start, BrokenReason::FieldTooLong)),
            Err(reason) => Err(self.give_up(text, start, reason)),
        }
    }

    /// Two quotes stand for one; what follows the closing quote is kept, as spreadsheets do.
    fn quoted<'a>(&mut self, text: &'a str) -> Result<Cow<'a, str>, BrokenReason> {
        let bytes = text.as_bytes();
        let start = self.offset;
        // Bounding the search is what keeps a file of stray quotes from costing its length at each.
        let limit = bytes.len().min(start + MAX_FIELD_BYTES);
        let mut value = String::new();
        let mut from = start + 1;
        loop {
            let quote = bytes
                .get(from..limit)
                .and_then(|rest| rest.iter().position(|byte| *byte == b'"'));
            let Some(quote) = quote.map(|at| from + at) else {
                return Err(if limit == bytes.len() {
                    BrokenReason::UnclosedQuote
                } else {
                    BrokenReason::FieldTooLong
                });
            };
            if bytes.get(quote + 1) == Some(&b'"') {
                value.push_str(&text[from..=quote]);
                from = quote + 2;
                continue;
            }
            let lines = line_ends(&bytes[start..quote]);
            if lines > 0 && !self.ends_field(bytes.get(quote + 1)) {
                // This quote opens a field of a later row; the one at `start` was never closed.
                return Err(BrokenReason::UnclosedQuote);
            }
            self.offset = self.plain_end(text, quote + 1);
            self.line += lines;
            let tail = &text[quote + 1..self.offset];
            if value.is_empty() && tail.is_empty() {
                return Ok(Cow::Borrowed(&text[from..quote]));
            }
            value.push_str(&text[from..quote]);
            value.push_str(tail);
            return Ok(Cow::Owned(value));
        }
    }

    fn plain_end(&self, text: &str, from: usize) -> usize {
        let rest = &text.as_bytes()[from..];
        let length = rest.iter().position(|byte| self.ends_field(Some(byte)));
        from + length.unwrap_or(rest.len())
    }

    fn ends_field(&self, byte: Option<&u8>) -> bool {
        byte.is_none_or(|byte| matches!(*byte, b'\r' | b'\n') || *byte == self.separator)
    }

    /// Moves to the line below `start`, the field that cannot be read.
    fn give_up(&mut self, text: &str, start: usize, reason: BrokenReason) -> BrokenReason {
        let bytes = text.as_bytes();
        self.line -= line_ends(&bytes[start..self.offset]);
        let rest = bytes[start..]
            .iter()
            .position(|byte| matches!(byte, b'\r' | b'\n'));
        self.offset = rest.map_or(bytes.len(), |at| start + at);
        self.pass_line_end(bytes);
        reason
    }

    fn pass_line_end(&mut self, bytes: &[u8]) -> bool {
        let length = match bytes.get(self.offset) {
            Some(b'\r') if bytes.get(self.offset + 1) == Some(&b'\n') => 2,
            Some(b'\r' | b'\n') => 1,
            _ => return false,
        };
        self.offset += length;
        self.line += 1;
        true
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    let mut count = 0;
    let mut previous = 0;
    for byte in bytes {
        count += u64::from(*byte == b'\r' || (*byte == b'\n' && previous != b'\r'));
        previous = *byte;
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn records(text: &str) -> Vec<Result<Record<'_>, Broken>> {
        let mut cursor = Cursor::new(b',');
        std::iter::from_fn(|| cursor.next(text)).collect()
    }

    fn record<'a>(line: u64, fields: &[&'a str]) -> Record<'a> {
        Record {
            line,
            fields: fields.iter().map(|field| Cow::Borrowed(*field)).collect(),
        }
    }

    #[test]
    fn lines_are_physical_with_every_line_end() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["a,b", "", "\"two", "lines\",\"x\"\"y\"", "", "c,", "d"].join(end);
            let two_lines = format!("two{end}lines");
            assert_eq!(
                records(&text),
                [
                    Ok(record(1, &["a", "b"])),
                    Ok(record(3, &[&two_lines, "x\"y"])),
                    Ok(record(6, &["c", ""])),
                    Ok(record(7, &["d"]))
                ]
            );
        }
    }

    #[test]
    fn a_stray_quote_costs_one_row() {
        let broken = |line, column, reason| {
            Err(Broken {
                line,
                column,
                reason,
            })
        };
        assert_eq!(
            records("a,b\nx,\"y\nc,d\n"),
            [
                Ok(record(1, &["a", "b"])),
                broken(2, 1, BrokenReason::UnclosedQuote),
                Ok(record(3, &["c", "d"]))
            ]
        );
        assert_eq!(
            records("a,b\nx,\"y\n\"c, c\",d\n\"e\" e,f"),
            [
                Ok(record(1, &["a", "b"])),
                broken(2, 1, BrokenReason::UnclosedQuote),
                Ok(record(3, &["c, c", "d"])),
                Ok(record(4, &["e e", "f"])),
            ]
        );
        let long = "l\n".repeat(MAX_FIELD_BYTES / 2);
        let text = format!("a,\"b\n{long}");
        let read = records(&text);
        assert_eq!(read[0], broken(1, 1, BrokenReason::FieldTooLong));
        assert_eq!(read[1], Ok(record(2, &["l"])));
        assert_eq!(read.len(), 1 + MAX_FIELD_BYTES / 2);
    }

    #[test]
    fn a_field_has_a_longest_length() {
        let fits = "x".repeat(MAX_FIELD_BYTES);
        assert_eq!(records(&fits), [Ok(record(1, &[&fits]))]);
        for text in [
            format!("{fits}x\r\nb"),
            format!("\"{fits}\"\r\nb"),
            format!("\"a\r\n{fits}\"\r\nb"),
        ] {
            let read = records(&text);
            assert_eq!(
                read[0],
                Err(Broken {
                    line: 1,
                    column: 0,
                    reason: BrokenReason::FieldTooLong
                })
            );
            assert!(matches!(read.last(), Some(Ok(last)) if last.fields == ["b"]));
        }
    }

    #[test]
    fn columns_past_the_limit_are_not_kept() {
        let text = ",".repeat(1_000_000);
        let read = records(&text);
        assert!(matches!(&read[..], [Ok(only)] if only.fields.len() == MAX_COLUMNS + 1));
    }

    proptest! {
        #[test]
        fn reads_what_the_csv_crate_writes(
            rows in prop::collection::vec(prop::collection::vec("[a\u{e9}\",;\r\n\t ]{0,8}", 2..5), 0..8)
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let read: Vec<Vec<String>> = records(&text)
                .into_iter()
                .map(|record| record.unwrap().fields.into_iter().map(Cow::into_owned).collect())
                .collect();
            prop_assert_eq!(read, rows);
        }

        #[test]
        fn reads_what_the_csv_crate_reads(text in "[ab\",\r\n]{0,40}") {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let ours = records(&text);
            // Where a quote stays open the two differ on purpose.
            if ours.iter().any(Result::is_err) {
                return Ok(());
            }
            let theirs: Vec<Vec<String>> =
                reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
            let ours: Vec<Vec<String>> = ours
                .into_iter()
                .map(|record| record.unwrap().fields.into_iter().map(Cow::into_owned).collect())
                .collect();
            prop_assert_eq!(ours, theirs);
        }
    }
}
