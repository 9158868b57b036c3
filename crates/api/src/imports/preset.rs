//! Which system wrote a file, and which of its columns holds what.

use async_graphql::{Enum, InputObject, SimpleObject};
use domain::attendance::imports::{Encoding, Field, Mapping};

/// A kind of file whose columns are known.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::attendance::imports::Preset")]
pub enum ImportPreset {
    /// Eventbrite's attendee and order reports.
    EventbriteAttendees,
    /// Meetup's list of a group's members.
    MeetupMembers,
    /// Meetup's list of one event's attendees.
    MeetupAttendees,
    /// Any other separated text, with a mapping.
    Csv,
}

/// How a file's bytes are text.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Encoding")]
pub enum ImportEncoding {
    /// UTF-8.
    #[graphql(name = "UTF_8")]
    Utf8,
    /// UTF-16, little endian.
    #[graphql(name = "UTF_16_LE")]
    Utf16Le,
    /// UTF-16, big endian.
    #[graphql(name = "UTF_16_BE")]
    Utf16Be,
    /// Windows-1252.
    #[graphql(name = "WINDOWS_1252")]
    Windows1252,
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Field")]
pub enum ImportField {
    /// First names.
    FirstName,
    /// Last names.
    LastName,
    /// First and last name in one; read where both of those are blank.
    FullName,
    /// E-mail address.
    Email,
    /// Phone number.
    Phone,
    /// The person's id in the system the file comes from.
    ExternalId,
    /// A status word: attending, checked in, refunded, waiting list and the like.
    Status,
    /// Whether the person came: yes, no or the time.
    Attended,
    /// When the person came.
    ArrivedAt,
    /// When the person left.
    LeftAt,
    /// Seats of the row, the person's own included.
    Seats,
    /// Seats besides the person's own.
    Guests,
    /// Name or e-mail of who paid.
    Buyer,
}

/// What one column of a file holds.
#[derive(SimpleObject)]
pub struct ImportColumn {
    /// The column's name.
    column: String,
    /// What it holds.
    field: ImportField,
}

/// What one column of a file holds.
#[derive(InputObject)]
pub struct ImportColumnInput {
    /// The column's name.
    column: String,
    /// What it holds.
    field: ImportField,
}

/// The mapping as a list.
pub fn columns(mapping: Mapping) -> Vec<ImportColumn> {
    let column = |(column, field): (String, Field)| ImportColumn {
        column,
        field: field.into(),
    };
    mapping.into_iter().map(column).collect()
}

/// The list as a mapping.
pub fn mapping(columns: Vec<ImportColumnInput>) -> Mapping {
    columns
        .into_iter()
        .map(|input| (input.column, input.field.into()))
        .collect()
}
