//! A stored upload to its rows, one at a time.

use std::borrow::Cow;
use std::fmt;

use chrono_tz::Tz;

use super::Encoding;
use super::header;
use super::preset::{self, Detection, Field, Mapping, Preset};
use super::record::{Broken, BrokenReason, Cursor, MAX_COLUMNS, MAX_FIELD_BYTES};
use super::row::{Layout, Row, RowError, RowErrorCode};
use super::text;

/// Data rows one file may have; blank ones do not count.
pub const MAX_ROWS: usize = 50_000;

/// What a person chose for the import.
#[derive(Debug, Clone)]
pub struct Options {
    /// The zone of times that have no offset.
    pub time_zone: Tz,
    /// Reads `03/09/2024` as the 3rd of September, not March 9th.
    pub day_first: bool,
    /// The preset, where the detected one is not wanted.
    pub preset: Option<Preset>,
    /// The columns' meaning, where the preset's is not wanted. Replaces it as a whole.
    pub mapping: Option<Mapping>,
}

/// Why a file cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    /// Nothing but blank lines.
    Empty,
    /// A workbook (`.xlsx`, `.xls`), not separated text.
    Spreadsheet,
    /// Not text.
    Binary,
    /// The bytes are not what their byte order mark says.
    BrokenEncoding(Encoding),
    /// The header row has a field over 10,000 bytes or a quote that nothing closes.
    BrokenHeader,
    /// The header row has more than 200 columns.
    TooManyColumns,
    /// The mapping names a column the file does not have.
    UnknownColumn(String),
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("The file is empty. Export it again with its header row."),
            Self::Spreadsheet => {
                formatter.write_str("This is a spreadsheet workbook. Open it and save it as CSV (UTF-8), then import that.")
            }
            Self::Binary => formatter.write_str("This is not a text file. Save it as CSV (UTF-8), then import that."),
            Self::BrokenEncoding(encoding) => write!(
                formatter,
                "The file says that it is {} but has bytes that are not. Save it as CSV (UTF-8), then import that.",
                match encoding {
                    Encoding::Utf16Le | Encoding::Utf16Be => "UTF-16",
                    Encoding::Utf8 | Encoding::Windows1252 => "UTF-8",
                }
            ),
            Self::BrokenHeader => write!(
                formatter,
                "The header row has a column name over {MAX_FIELD_BYTES} bytes or a quote that nothing closes. \
                 Correct the first line."
            ),
            Self::TooManyColumns => {
                write!(formatter, "The file has more than {MAX_COLUMNS} columns. Remove those you do not need.")
            }
            Self::UnknownColumn(column) => {
                write!(formatter, "The file has no column named \"{column}\". Choose among the columns it has.")
            }
        }
    }
}

impl std::error::Error for FileError {}

/// The rows of a file, in its order, and what the file was found to be.
///
/// Rows are read when asked for, and blank ones passed over. An item that is an error never ends the
/// others, except [`RowErrorCode::NoPersonColumn`] and [`RowErrorCode::TooManyRows`].
#[derive(Debug)]
pub struct Reader<'a> {
    text: Cow<'a, str>,
    encoding: Encoding,
    separator: u8,
    cursor: Cursor,
    layout: Layout,
    header_line: u64,
    detection: Detection,
    mapping: Mapping,
    rows: usize,
    ended: bool,
}

/// Reads the header row of `bytes`, which the caller has bounded, and gets ready for the rows.
///
/// # Errors
///
/// When the bytes are no separated text, or `options` do not fit its header. A header nobody can be
/// found in is no such error: the columns are there to be mapped.
pub fn read<'a>(bytes: &'a [u8], options: &Options) -> Result<Reader<'a>, FileError> {
    let (text, encoding) = text::decode(bytes)?;
    let separator = text::separator(&text);
    let mut cursor = Cursor::new(separator);
    let header_row = loop {
        match cursor.next(&text) {
            None => return Err(FileError::Empty),
            Some(Err(_)) => return Err(FileError::BrokenHeader),
            Some(Ok(record)) if record.is_blank() => {}
            Some(Ok(record)) => break record,
        }
    };
    if header_row.fields.len() > MAX_COLUMNS {
        return Err(FileError::TooManyColumns);
    }
    let header_line = header_row.line;
    let columns = header::columns(&header_row);
    let detection = preset::detect(&columns);
    let preset = options.preset.unwrap_or(detection.preset);
    let mapping = options
        .mapping
        .clone()
        .unwrap_or_else(|| preset.mapping(&columns));
    let fields = fields(&columns, &mapping)?;
    let layout = Layout {
        preset,
        columns,
        fields,
        time_zone: options.time_zone,
        day_first: options.day_first,
    };
    Ok(Reader {
        text,
        encoding,
        separator,
        cursor,
        layout,
        header_line,
        detection,
        mapping,
        rows: 0,
        ended: false,
    })
}

impl Reader<'_> {
    /// How the bytes were read.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// What separates columns: comma, semicolon or tab.
    #[must_use]
    pub fn separator(&self) -> char {
        char::from(self.separator)
    }

    /// The columns' names, each different: the second of a name ends in ` (2)`, and one without a name
    /// is `Column 7`.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.layout.columns
    }

    /// What the header row looks like, whatever the options say.
    #[must_use]
    pub fn detection(&self) -> &Detection {
        &self.detection
    }

    /// The preset in use.
    #[must_use]
    pub fn preset(&self) -> Preset {
        self.layout.preset
    }

    /// The mapping in use.
    #[must_use]
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    fn end(&mut self, line: u64, code: RowErrorCode, message: String) -> RowError {
        self.ended = true;
        RowError {
            line,
            column: None,
            code,
            message,
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        use Field::{Email, ExternalId, FirstName, FullName, LastName, Phone};
        if self.ended {
            return None;
        }
        if !self
            .layout
            .has(&[FirstName, LastName, FullName, Email, Phone, ExternalId])
        {
            let message = "No column is chosen for a name, an e-mail address, a phone number or an id. Choose one.";
            return Some(Err(self.end(
                self.header_line,
                RowErrorCode::NoPersonColumn,
                message.to_owned(),
            )));
        }
        let record = loop {
            match self.cursor.next(&self.text)? {
                Ok(record) if record.is_blank() => {}
                record => break record,
            }
        };
        self.rows += 1;
        if self.rows > MAX_ROWS {
            let line = record.map_or_else(|broken| broken.line, |record| record.line);
            let message = format!(
                "The file has more than {MAX_ROWS} rows; this one and those after it are not read. \
                 Import them in another file with the same header."
            );
            return Some(Err(self.end(line, RowErrorCode::TooManyRows, message)));
        }
        let columns = &self.layout.columns;
        Some(match record {
            Err(broken) => Err(broken_error(&broken, columns)),
            Ok(record) if record.fields.len() != columns.len() => {
                Err(width_error(record.line, record.fields.len(), columns.len()))
            }
            Ok(record) => self.layout.row(&record),
        })
    }
}

fn fields(columns: &[String], mapping: &Mapping) -> Result<Vec<(usize, Field)>, FileError> {
    if let Some(unknown) = mapping.keys().find(|column| !columns.contains(column)) {
        return Err(FileError::UnknownColumn(unknown.clone()));
    }
    Ok(columns
        .iter()
        .enumerate()
        .filter_map(|(index, column)| Some((index, *mapping.get(column)?)))
        .collect())
}

fn broken_error(broken: &Broken, columns: &[String]) -> RowError {
    let (code, message) = match broken.reason {
        BrokenReason::FieldTooLong => (
            RowErrorCode::FieldTooLong,
            format!(
                "A value is longer than {MAX_FIELD_BYTES} bytes, or a quote before it is never closed. \
                 Shorten it, or close or remove the quote."
            ),
        ),
        BrokenReason::UnclosedQuote => (
            RowErrorCode::UnclosedQuote,
            "A quote is opened here and never closed. Close it or remove it.".to_owned(),
        ),
    };
    RowError {
        line: broken.line,
        column: columns.get(broken.column).cloned(),
        code,
        message,
    }
}

fn width_error(line: u64, found: usize, expected: usize) -> RowError {
    let (code, message) = if found < expected {
        (
            RowErrorCode::TooFewColumns,
            format!(
                "The row has {found} columns and the header {expected}. Add the missing separators."
            ),
        )
    } else {
        (
            RowErrorCode::TooManyColumns,
            format!(
                "The row has more columns than the header's {expected}. \
                 Put values that contain the separator between quotes."
            ),
        )
    };
    RowError {
        line,
        column: None,
        code,
        message,
    }
}

#[cfg(test)]
mod tests;
