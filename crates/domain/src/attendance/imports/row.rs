//! One record to a typed row.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::attended::{self, Attended, SkipReason};
use super::preset::{Field, Preset};
use super::record::Record;
use super::{time, value};

/// One data row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The physical line of the file, from 1, where the row starts.
    pub line: u64,
    /// Who the row is about; empty where a skipped row cannot be read.
    pub person: Person,
    /// What the row says about coming, when the mapping has a column for that. Of use only to an
    /// import that names an event.
    pub attendance: Option<Attended>,
    /// Why the row is to be passed over. A skipped row of a known person may still end a registration:
    /// see [`Attended::cancelled`].
    pub skip: Option<SkipReason>,
}

impl Row {
    /// Whether it ends a registration.
    pub(super) fn withdrawn(&self) -> bool {
        self.attendance.as_ref().is_some_and(|said| said.cancelled)
    }
}

/// A person as the file knows them. Any field can be missing, though not all in a row that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// First names, or empty.
    pub first_name: String,
    /// Last names, or empty.
    pub last_name: String,
    /// E-mail address in lower case.
    pub email: Option<String>,
    /// Phone number: digits, with a leading `+` if it had one.
    pub phone: Option<String>,
    /// Source ([`Preset::source`]) and the person's id there.
    pub external: Option<(String, String)>,
}

/// Why a row could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// The physical line of the file, from 1, where the row starts.
    pub line: u64,
    /// The column's name, when one column is at fault.
    pub column: Option<String>,
    /// What kind of problem it is.
    pub code: RowErrorCode,
    /// What was wrong and what to do, for a person. Quotes nothing from the file.
    pub message: String,
}

/// The kinds of problem a row can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowErrorCode {
    /// The mapping has no column for a name, e-mail, phone or id. Comes once, for the header.
    NoPersonColumn,
    /// The file has more rows than [`super::MAX_ROWS`]. Comes once, and nothing after it.
    TooManyRows,
    /// The row has fewer columns than the header.
    TooFewColumns,
    /// The row has more columns than the header.
    TooManyColumns,
    /// A field of more than 10,000 bytes.
    FieldTooLong,
    /// A quote that nothing closes.
    UnclosedQuote,
    /// A control character in a column that is used.
    ControlCharacter,
    /// A name of more than 200 characters.
    NameTooLong,
    /// Not an e-mail address.
    InvalidEmail,
    /// Not a phone number.
    InvalidPhone,
    /// Not an id, or one a spreadsheet shortened.
    InvalidExternalId,
    /// Not a number of seats or guests.
    InvalidSeats,
    /// A status word nobody told us about.
    UnknownStatus,
    /// Not a time, or a departure before the arrival.
    InvalidTime,
    /// A year outside 1900 to 9999.
    TimeOutOfRange,
}

impl std::fmt::Display for RowError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "line {}", self.line)?;
        if let Some(column) = &self.column {
            write!(formatter, ", column {column}")?;
        }
        write!(formatter, ": {}", self.message)
    }
}

impl std::error::Error for RowError {}

/// What a parser of one cell answers when it cannot; the cell's place is added here.
pub(super) type Problem = (RowErrorCode, &'static str);

/// How the records of a file become rows.
#[derive(Debug)]
pub(super) struct Layout {
    pub preset: Preset,
    pub columns: Vec<String>,
    /// Place of a column and what it holds, in the order of the file.
    pub fields: Vec<(usize, Field)>,
    pub time_zone: Tz,
    pub day_first: bool,
}

impl Layout {
    /// `record` has as many fields as there are columns.
    pub fn row(&self, record: &Record<'_>) -> Result<Row, RowError> {
        let cells = Cells {
            layout: self,
            record,
        };
        let (attendance, withdrawn) = attended::read(&cells)?;
        let (person, skip) = match (cells.person(), withdrawn) {
            (Ok(person), None) => {
                let nobody = cells.nobody(&person)?;
                (person, nobody)
            }
            (Err(error), None) => return Err(error),
            // Nobody should have to correct the address on a refunded ticket.
            (person, withdrawn) => (person.unwrap_or_default(), withdrawn),
        };
        Ok(Row {
            line: record.line,
            person,
            attendance,
            skip,
        })
    }

    pub fn has(&self, fields: &[Field]) -> bool {
        self.fields.iter().any(|(_, field)| fields.contains(field))
    }
}

/// A record seen through its layout.
pub(super) struct Cells<'r> {
    layout: &'r Layout,
    record: &'r Record<'r>,
}

impl Cells<'_> {
    pub fn has(&self, fields: &[Field]) -> bool {
        self.layout.has(fields)
    }

    /// Parses the first cell of `field` that is not blank; a problem gets the cell's place.
    pub fn read<T>(
        &self,
        field: Field,
        parse: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Result<Option<T>, RowError> {
        let mut of_field = self.layout.fields.iter().filter(|(_, held)| *held == field);
        let cell = of_field.find_map(|(index, _)| {
            let text = self.record.fields[*index].trim();
            (!text.is_empty()).then_some((*index, text))
        });
        let Some((index, text)) = cell else {
            return Ok(None);
        };
        // Line breaks and tabs are spaces to a name, and refused by everything else.
        let control =
            text.contains(|character: char| character.is_control() && !character.is_whitespace());
        let parsed = if control {
            Err(CONTROL_CHARACTER)
        } else {
            parse(text)
        };
        parsed.map(Some).map_err(|(code, message)| RowError {
            line: self.record.line,
            column: Some(self.layout.columns[index].clone()),
            code,
            message: message.to_owned(),
        })
    }

    pub fn instant(&self, text: &str) -> Result<Option<DateTime<Utc>>, Problem> {
        time::instant(text, self.layout.time_zone, self.layout.day_first)
    }

    fn person(&self) -> Result<Person, RowError> {
        let mut first_name = self
            .read(Field::FirstName, value::name)?
            .unwrap_or_default();
        let mut last_name = self.read(Field::LastName, value::name)?.unwrap_or_default();
        if first_name.is_empty() && last_name.is_empty() {
            let full_name = self.read(Field::FullName, value::name)?.unwrap_or_default();
            (first_name, last_name) = value::split_name(&full_name);
        }
        let source = self.layout.preset.source();
        let id = match self.layout.preset {
            Preset::MeetupMembers | Preset::MeetupAttendees => value::meetup_id,
            Preset::EventbriteAttendees | Preset::Csv => value::external_id,
        };
        Ok(Person {
            first_name,
            last_name,
            email: self.read(Field::Email, value::email)?,
            phone: self.read(Field::Phone, value::phone)?,
            external: self
                .read(Field::ExternalId, id)?
                .map(|id| (source.to_owned(), id)),
        })
    }

    /// Why the row, which was not withdrawn, names nobody.
    fn nobody(&self, person: &Person) -> Result<Option<SkipReason>, RowError> {
        let known = [&person.first_name, &person.last_name]
            .iter()
            .any(|name| !name.is_empty())
            || person.email.is_some()
            || person.phone.is_some();
        // Eventbrite's word for an attendee the buyer has not named yet; the e-mail is the buyer's.
        let unnamed = person.first_name.eq_ignore_ascii_case("Info Requested");
        if unnamed || (!known && self.read(Field::Buyer, |_| Ok(()))?.is_some()) {
            return Ok(Some(SkipReason::BuyerOnly));
        }
        Ok((!known && person.external.is_none()).then_some(SkipReason::BlankPerson))
    }
}

const CONTROL_CHARACTER: Problem = (
    RowErrorCode::ControlCharacter,
    "There is a control character here, which nobody can see. Type the value again.",
);

#[cfg(test)]
mod tests;
