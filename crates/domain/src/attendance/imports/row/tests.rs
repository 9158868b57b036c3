use super::super::{FileError, Options, Preset, read};
use super::*;

fn rows(text: &str) -> Vec<Result<Row, RowError>> {
    let options = Options {
        time_zone: Tz::UTC,
        day_first: false,
        preset: None,
        mapping: None,
    };
    let reader: Result<_, FileError> = read(text.as_bytes(), &options);
    reader.unwrap().collect()
}

/// The person as `first|last|email|phone|source:id`.
fn person(row: &Row) -> String {
    let Person {
        first_name,
        last_name,
        email,
        phone,
        external,
    } = &row.person;
    let external = external
        .as_ref()
        .map(|(source, id)| format!("{source}:{id}"));
    [
        Some(first_name.clone()),
        Some(last_name.clone()),
        email.clone(),
        phone.clone(),
        external,
    ]
    .map(Option::unwrap_or_default)
    .join("|")
}

/// What the row says about coming, in words.
fn coming(row: &Row) -> String {
    let Some(attendance) = &row.attendance else {
        return format!("nothing {:?}", row.skip);
    };
    let mut words = Vec::new();
    words.extend(attendance.registered.then(|| "registered".to_owned()));
    words.extend(attendance.attended.then(|| "attended".to_owned()));
    words.extend(
        attendance
            .arrived_at
            .map(|at| at.format("from %H:%M").to_string()),
    );
    words.extend(
        attendance
            .left_at
            .map(|at| at.format("to %H:%M").to_string()),
    );
    words.extend(attendance.cancelled.then(|| "cancelled".to_owned()));
    words.push(format!("{} seats", attendance.seats));
    words.extend(row.skip.map(|reason| format!("{reason:?}")));
    words.join(" ")
}

#[test]
fn eventbrite_attendees() {
    let rows: Vec<Row> = rows(
        "Order #,Order Date,First Name,Last Name,Email,Quantity,Ticket Type,Attendee #,Barcode #,Attendee Status,Cell Phone\n\
         9,x,Zoe\u{308},Testperson,Zoe@Example.org,1,General,101,9101,Attending,+1 555 010 0100\n\
         9,x,Ada,Testperson,ada@example.org,3,General,102,9102,Checked In,\n\
         9,x,Bo,Testperson,not an address,1,General,103,9103,Refunded,\n\
         9,x,Cy,Testperson,cy@example.org,1,General,104,9104,Deleted,\n\
         9,x,Di,Testperson,di@example.org,1,General,105,9105,Not Attending,\n\
         9,x,Info Requested,Info Requested,ada@example.org,1,General,106,9106,Attending,\n",
    )
    .into_iter()
    .collect::<Result<_, _>>()
    .unwrap();
    assert_eq!(
        rows.iter()
            .map(|row| format!("{} {} {}", row.line, person(row), coming(row)))
            .collect::<Vec<_>>(),
        [
            "2 Zoë|Testperson|zoe@example.org|+15550100100|eventbrite:101 registered 1 seats",
            "3 Ada|Testperson|ada@example.org||eventbrite:102 registered attended 3 seats",
            "4 |||| cancelled 0 seats Refunded",
            "5 Cy|Testperson|cy@example.org||eventbrite:104 cancelled 0 seats Deleted",
            "6 Di|Testperson|di@example.org||eventbrite:105 cancelled 0 seats NotAttending",
            "7 Info Requested|Info Requested|ada@example.org||eventbrite:106 registered 1 seats BuyerOnly",
        ]
    );
}

#[test]
fn eventbrite_orders_without_attendee() {
    let rows = rows(
        "Order No.,Order Date,First Name,Last Name,Email,Quantity,Ticket Type,Order Type,Total Paid,Event Name,\
         Buyer First Name,Buyer Last Name,Buyer Email\n\
         9,x,,,,2,General,Free,0,Choir,Ada,Testperson,ada@example.org\n\
         9,x,Bo,Testperson,,2,General,Free,0,Choir,Ada,Testperson,ada@example.org\n\
         9,x,,,,2,General,Free,0,Choir,,,\n",
    );
    let skips: Vec<_> = rows.iter().map(|row| row.as_ref().unwrap().skip).collect();
    assert_eq!(
        skips,
        [
            Some(SkipReason::BuyerOnly),
            None,
            Some(SkipReason::BlankPerson)
        ]
    );
    assert_eq!(
        rows[1].as_ref().unwrap().person.external,
        None,
        "an order number is nobody's id"
    );
}

#[test]
fn meetup_attendees() {
    let rows = rows(
        "Name\tAttendance\tUser ID\tTitle\tEvent Host\tRSVP\tGuests\tRSVPed on\tJoined Group on\tURL of Member Profile\n\
         Ada M. Testperson\tAttended\tuser 11\t\tNo\tYes\t2\t03/09/2024\t01/31/2020\thttps://example.org/11\n\
         Bo\tNo-show\tuser 12\t\tNo\tYes\t0\t03/09/2024\t01/31/2020\t\n\
         Testperson, Cy\t\tuser 13\t\tNo\tNo\t0\t03/09/2024\t01/31/2020\t\n\
         Di Testperson\tAttended\tuser 14\t\tNo\tNo\t0\t03/09/2024\t01/31/2020\t\n\
         Ed Testperson\t\tuser 15\t\tNo\tWaiting list\t\t03/09/2024\t01/31/2020\t\n\
         Fy Testperson\t\tperson 16\t\tNo\tYes\t\t03/09/2024\t01/31/2020\t\n",
    );
    let read: Vec<_> = rows
        .iter()
        .map(|row| match row {
            Ok(row) => format!("{} {}", person(row), coming(row)),
            Err(error) => format!("{:?} {:?}", error.code, error.column),
        })
        .collect();
    assert_eq!(
        read,
        [
            "Ada M.|Testperson|||meetup:11 registered attended 3 seats",
            "Bo||||meetup:12 registered 1 seats",
            "Cy|Testperson|||meetup:13 cancelled 0 seats NotAttending",
            "Di|Testperson|||meetup:14 attended 1 seats",
            "Ed|Testperson|||meetup:15 1 seats",
            "InvalidExternalId Some(\"User ID\")",
        ]
    );
}

#[test]
fn meetup_members_say_nothing_about_coming() {
    let rows = rows(
        "Name\tUser ID\tTitle\tMember ID\tLocation\tJoined Group on\tLast visited group on\tIntro\n\
         Ñandú Testperson\tuser 11\t\t11\tTown\t01/31/2020\t03/09/2024\t\"Hello,\nall\"\n\
         Bo Testperson\t\t\t12\tTown\t01/31/2020\t03/09/2024\t\n",
    );
    let read: Vec<_> = rows
        .iter()
        .flatten()
        .map(|row| format!("{} {}", person(row), coming(row)))
        .collect();
    assert_eq!(
        read,
        [
            "Ñandú|Testperson|||meetup:11 nothing None",
            "Bo|Testperson||| nothing None"
        ]
    );
}

#[test]
fn csv_with_times() {
    let rows = rows(
        "ID;First Name;Last Name;E-mail;Mobile;Status;Is Checked In;Checked In At;Checked Out At\n\
         7;Ada;Testperson;ada@example.org;555-0100;ACTIVE;Yes;2024-03-09T18:30:00Z;2024-03-09 20:00\n\
         8;Bo;Testperson;;;ACTIVE;No;;\n\
         9;Cy;Testperson;;;CANCELLED;No;;\n\
         ;;;;;ACTIVE;Yes;;\n\
         10;Di;Testperson;;;ACTIVE;Yes;2024-03-09 18:30;2024-03-09 18:00\n\
         11;Ed;Testperson;;;ACTIVE;Yes;03/09/2024;\n\
         12;Fy;Testperson;;;visitor;Yes;;\n",
    );
    let read: Vec<_> = rows
        .iter()
        .map(|row| match row {
            Ok(row) => format!("{} {}", person(row), coming(row)),
            Err(error) => error.to_string(),
        })
        .collect();
    assert_eq!(
        read,
        [
            "Ada|Testperson|ada@example.org|5550100|csv:7 registered attended from 18:30 to 20:00 1 seats",
            "Bo|Testperson|||csv:8 registered 1 seats",
            "Cy|Testperson|||csv:9 cancelled 0 seats Void",
            "|||| registered attended 1 seats BlankPerson",
            "line 6, column Checked Out At: The person leaves before they arrive. Correct one of the two times.",
            "Ed|Testperson|||csv:11 registered attended 1 seats",
            "line 8, column Status: We do not know this status. Write Attending, Checked In, Not Attending, Waiting list, \
             Refunded, Deleted or Void, or choose no column for the status.",
        ]
    );
    assert_eq!(Preset::Csv.source(), "csv");
}

#[test]
fn of_several_columns_for_a_field_the_first_filled_counts() {
    let options = Options {
        time_zone: Tz::UTC,
        day_first: false,
        preset: None,
        mapping: Some(
            [
                ("Name", Field::FullName),
                ("Home", Field::Phone),
                ("Mobile", Field::Phone),
            ]
            .map(|(column, field)| (column.to_owned(), field))
            .into(),
        ),
    };
    let phones: Vec<_> = read(
        b"Name,Home,Mobile\nAda,,555-0101\nBo,555-0102,555-0103\n",
        &options,
    )
    .unwrap()
    .map(|row| row.unwrap().person.phone.unwrap())
    .collect();
    assert_eq!(phones, ["5550101", "5550102"]);
}
