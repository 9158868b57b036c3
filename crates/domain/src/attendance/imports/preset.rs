//! Which system wrote a file, and which of its columns holds what.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};

use super::header::key;

/// A kind of file whose columns are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Eventbrite's attendee and order reports.
    EventbriteAttendees,
    /// Meetup's list of a group's members (tab-separated text named `.xls`).
    MeetupMembers,
    /// Meetup's list of one event's attendees.
    MeetupAttendees,
    /// Any other separated text, with a mapping.
    Csv,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
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
    /// Name or e-mail of who paid: makes a row without a person [`super::SkipReason::BuyerOnly`].
    Buyer,
}

/// Column name, as [`super::Reader::columns`] gives it, to what the column holds. Of several columns
/// for one field the first that is not blank counts. Columns not named are ignored.
pub type Mapping = BTreeMap<String, Field>;

/// What a header row looks like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// The likeliest preset.
    pub preset: Preset,
    /// How sure that is, from 0 to 1. At least 0.6 when the preset is not [`Preset::Csv`]; 0 when
    /// nothing in the header tells who a row is about.
    pub confidence: f32,
    /// The mapping that would be used.
    pub mapping: Mapping,
}

impl Preset {
    /// The name under which external ids of this preset are kept.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::EventbriteAttendees => "eventbrite",
            Self::MeetupMembers | Self::MeetupAttendees => "meetup",
            Self::Csv => "csv",
        }
    }

    /// The mapping this preset has for these columns.
    #[must_use]
    pub fn mapping(self, columns: &[String]) -> Mapping {
        let keys: Vec<String> = columns.iter().map(|column| key(column)).collect();
        let column_of = |name: &str| {
            keys.iter()
                .position(|key| key == name)
                .map(|index| columns[index].clone())
        };
        let mut mapping: Mapping = self
            .names()
            .iter()
            .filter_map(|(field, names)| Some((names.split(' ').find_map(column_of)?, *field)))
            .collect();
        // In a list of people a bare "Status" is about the person (active, visitor), not about coming.
        if self == Self::Csv
            && !mapping
                .values()
                .any(|field| matches!(field, Field::Attended | Field::ArrivedAt))
        {
            mapping.retain(|column, _| key(column) != "status");
        }
        mapping
    }

    /// Names of columns, as [`key`] gives them, the better first.
    const fn names(self) -> &'static [(Field, &'static str)] {
        match self {
            Self::EventbriteAttendees => &EVENTBRITE_ATTENDEES,
            Self::MeetupMembers => &MEETUP_MEMBERS,
            Self::MeetupAttendees => &MEETUP_ATTENDEES,
            Self::Csv => &CSV,
        }
    }
}

/// Names the preset of a header row; anything unknown is [`Preset::Csv`].
pub(super) fn detect(columns: &[String]) -> Detection {
    let keys: HashSet<String> = columns.iter().map(|column| key(column)).collect();
    let known = SIGNATURES
        .iter()
        .filter(|signature| {
            signature
                .required
                .iter()
                .all(|names| names.iter().any(|name| keys.contains(*name)))
        })
        .map(|signature| {
            (
                signature.preset,
                0.6 + 0.4 * share(signature.typical, &keys),
            )
        })
        .max_by(|left, right| left.1.total_cmp(&right.1));
    let preset = known.map_or(Preset::Csv, |(preset, _)| preset);
    let mapping = preset.mapping(columns);
    let confidence = known.map_or_else(|| csv_confidence(&mapping), |(_, confidence)| confidence);
    Detection {
        preset,
        confidence,
        mapping,
    }
}

// An order number is shared by the order's people: it is nobody's id.
const EVENTBRITE_ATTENDEES: [(Field, &str); 8] = [
    (Field::FirstName, "firstname"),
    (Field::LastName, "lastname surname"),
    (Field::Email, "email"),
    (Field::Phone, "cellphone"),
    (Field::ExternalId, "attendee# barcode#"),
    (Field::Status, "attendeestatus"),
    (Field::Seats, "quantity"),
    (Field::Buyer, "buyeremail buyerlastname"),
];

const MEETUP_MEMBERS: [(Field, &str); 2] = [
    (Field::FullName, "name"),
    (Field::ExternalId, "userid memberid"),
];

const MEETUP_ATTENDEES: [(Field, &str); 5] = [
    (Field::FullName, "name"),
    (Field::ExternalId, "userid memberid"),
    (Field::Status, "rsvp"),
    (Field::Attended, "attendance"),
    (Field::Guests, "guests"),
];

const CSV: [(Field, &str); 13] = [
    (
        Field::FirstName,
        "firstname givenname forename ticketfirstname attendeefirstname",
    ),
    (
        Field::LastName,
        "lastname surname familyname ticketlastname attendeelastname",
    ),
    (
        Field::FullName,
        "fullname name ticketfullname attendeename displayname",
    ),
    (
        Field::Email,
        "email emailaddress mail homeemail ticketemail attendeeemail workemail",
    ),
    (
        Field::Phone,
        "mobile mobilephone mobilephonenumber mobilenumber cellphone phone phonenumber telephone \
         ticketphonenumber homephonenumber workphonenumber",
    ),
    (
        Field::ExternalId,
        "externalid personid memberid patronid contactid breezeid id",
    ),
    (
        Field::Status,
        "attendeestatus registrationstatus rsvpstatus rsvp approvalstatus voidstatus status",
    ),
    (Field::Attended, "attended attendance ischeckedin present"),
    (
        Field::ArrivedAt,
        "checkedinat checkintime checkinat checkedin checkin arrivedat arrivaltime",
    ),
    (
        Field::LeftAt,
        "checkedoutat checkouttime checkoutat checkedout checkout leftat departuretime",
    ),
    (Field::Seats, "seats quantity"),
    (Field::Guests, "guests"),
    (
        Field::Buyer,
        "buyeremail orderemail buyerlastname ordername",
    ),
];

/// `required`: of each group one column must be there. `typical`: what makes it surer.
struct Signature {
    preset: Preset,
    required: &'static [&'static [&'static str]],
    typical: &'static [&'static str],
}

const SIGNATURES: [Signature; 3] = [
    Signature {
        preset: Preset::EventbriteAttendees,
        required: &[
            &["order#", "orderno"],
            &["firstname"],
            &["lastname", "surname"],
            &["tickettype"],
        ],
        typical: &[
            "orderdate",
            "email",
            "quantity",
            "attendee#",
            "attendeestatus",
        ],
    },
    Signature {
        preset: Preset::MeetupMembers,
        required: &[
            &["name"],
            &["userid"],
            &["joinedgroupon"],
            &["lastvisitedgroupon"],
        ],
        typical: &[
            "memberid",
            "lastattended",
            "totalrsvps",
            "meetupsattended",
            "urlofmemberprofile",
        ],
    },
    Signature {
        preset: Preset::MeetupAttendees,
        required: &[&["name"], &["userid"], &["rsvp"]],
        typical: &[
            "eventhost",
            "guests",
            "rsvpedon",
            "joinedgroupon",
            "urlofmemberprofile",
        ],
    },
];

#[expect(clippy::cast_precision_loss, reason = "five names at most")]
fn share(names: &[&str], keys: &HashSet<String>) -> f32 {
    names.iter().filter(|name| keys.contains(**name)).count() as f32 / names.len() as f32
}

fn csv_confidence(mapping: &Mapping) -> f32 {
    let has = |fields: &[Field]| mapping.values().any(|field| fields.contains(field));
    let named = has(&[Field::FirstName, Field::LastName, Field::FullName]);
    let reachable = has(&[Field::Email, Field::Phone, Field::ExternalId]);
    match (named, reachable) {
        (true, true) => 0.5,
        (false, false) => 0.0,
        _ => 0.25,
    }
}

#[cfg(test)]
mod tests;
