use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn options() -> Options {
    Options {
        time_zone: Tz::UTC,
        day_first: false,
        preset: None,
        mapping: None,
    }
}

/// Line and name of each row, or line, column and code of its error.
fn summary(bytes: &[u8]) -> Vec<String> {
    read(bytes, &options())
        .unwrap()
        .map(|item| match item {
            Ok(row) => format!("{} {}", row.line, row.person.first_name),
            Err(error) => format!(
                "{} {} {:?}",
                error.line,
                error.column.unwrap_or_default(),
                error.code
            ),
        })
        .collect()
}

#[test]
fn rows_of_any_encoding_separator_and_line_end() {
    let lines = [
        "Name,Note",
        "Zoë Testperson,\"two",
        "lines, one\"",
        "",
        ",",
        "Ñandú Testperson,",
    ];
    for end in ["\n", "\r\n", "\r"] {
        for separator in [",", ";", "\t"] {
            let text = lines.join(end).replace(',', separator);
            let utf_16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
                std::iter::once(0xFEFF)
                    .chain(text.encode_utf16())
                    .flat_map(bytes)
                    .collect()
            };
            for (bytes, encoding) in [
                (text.clone().into_bytes(), Encoding::Utf8),
                (format!("\u{FEFF}{text}").into_bytes(), Encoding::Utf8),
                (utf_16(u16::to_le_bytes), Encoding::Utf16Le),
                (utf_16(u16::to_be_bytes), Encoding::Utf16Be),
                (
                    encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
                    Encoding::Windows1252,
                ),
            ] {
                let reader = read(&bytes, &options()).unwrap();
                assert_eq!(
                    (reader.encoding(), reader.separator().to_string().as_str()),
                    (encoding, separator)
                );
                assert_eq!(summary(&bytes), ["2 Zoë", "6 Ñandú"]);
            }
        }
    }
}

#[test]
fn a_problem_stops_no_other_row() {
    let long = "x".repeat(MAX_FIELD_BYTES + 1);
    let text = format!(
        "\nName,Email\nAda Test,a@example.org\nBo\nCy,c@example.org,extra\n{long},d@example.org\nEd,nothing\n\
         Fy,f\u{1}@example.org\nGu,\"g@example.org\nHa,h@example.org\n"
    );
    assert_eq!(
        summary(text.as_bytes()),
        [
            "3 Ada",
            "4  TooFewColumns",
            "5  TooManyColumns",
            "6 Name FieldTooLong",
            "7 Email InvalidEmail",
            "8 Email ControlCharacter",
            "9 Email UnclosedQuote",
            "10 Ha"
        ]
    );
}

#[test]
fn every_error_says_what_to_do() {
    let long = "x".repeat(MAX_FIELD_BYTES + 1);
    let text = format!("Name,Email\nBo\n{long},\nEd,nothing\nGu,\"g");
    for item in read(text.as_bytes(), &options()).unwrap() {
        let error = item.unwrap_err();
        assert!(
            error.message.matches(". ").count() == 1 && error.message.ends_with('.'),
            "{error}"
        );
    }
}

#[test]
fn files_that_cannot_be_read() {
    let wide = vec!["x"; MAX_COLUMNS + 1].join(",");
    let long = "x".repeat(MAX_FIELD_BYTES + 1);
    for (bytes, expected) in [
        ("", FileError::Empty),
        ("\u{FEFF}\r\n , \r\n", FileError::Empty),
        ("PK\u{3}\u{4}", FileError::Spreadsheet),
        ("Name\nA\0", FileError::Binary),
        (wide.as_str(), FileError::TooManyColumns),
        (long.as_str(), FileError::BrokenHeader),
        ("\"Name\nAda", FileError::BrokenHeader),
    ] {
        let error = read(bytes.as_bytes(), &options()).err();
        assert_eq!(error.as_ref(), Some(&expected));
        assert!(error.is_some_and(|error| error.to_string().ends_with('.')));
    }
    assert!(
        FileError::Spreadsheet
            .to_string()
            .contains("save it as CSV")
    );
    assert!(FileError::Binary.to_string().contains("CSV"));
}

#[test]
fn a_person_can_choose_preset_and_mapping() {
    let bytes = b"Wer,Email,Email\nAda Test,old@example.org,new@example.org\n";
    let unmapped = read(bytes, &options()).unwrap();
    assert_eq!(unmapped.columns(), ["Wer", "Email", "Email (2)"]);
    assert_eq!(
        unmapped.detection().mapping,
        Mapping::from([("Email".to_owned(), Field::Email)])
    );

    let mapping = Mapping::from([
        ("Wer".to_owned(), Field::FullName),
        ("Email (2)".to_owned(), Field::Email),
    ]);
    let chosen = Options {
        mapping: Some(mapping.clone()),
        preset: Some(Preset::Csv),
        ..options()
    };
    let mut reader = read(bytes, &chosen).unwrap();
    assert_eq!((reader.preset(), reader.mapping()), (Preset::Csv, &mapping));
    let person = reader.next().unwrap().unwrap().person;
    assert_eq!(
        (person.last_name.as_str(), person.email.as_deref()),
        ("Test", Some("new@example.org"))
    );

    let wrong = Options {
        mapping: Some(Mapping::from([("Nobody".to_owned(), Field::Email)])),
        ..options()
    };
    assert_eq!(
        read(bytes, &wrong).err(),
        Some(FileError::UnknownColumn("Nobody".to_owned()))
    );
}

#[test]
fn a_header_that_tells_nobody_is_one_error() {
    let reader = read(b"\nNombre,Correo\nAda,a@example.org\n", &options()).unwrap();
    assert_eq!(reader.detection().preset, Preset::Csv);
    assert!(reader.detection().confidence.abs() < f32::EPSILON);
    assert_eq!(
        summary(b"\nNombre,Correo\nAda,a@example.org\n"),
        ["2  NoPersonColumn"]
    );
}

#[test]
fn many_rows_are_read_one_at_a_time() {
    let mut text = String::from(
        "Order #,First Name,Last Name,Email,Ticket Type,Attendee #,Attendee Status,Quantity\n",
    );
    for row in 0..MAX_ROWS {
        let _ = writeln!(
            text,
            "{row},Zoë,Testperson {row},person{row}@example.org,General,{row},Checked In,1"
        );
    }
    assert!(
        read(text.as_bytes(), &options())
            .unwrap()
            .all(|item| item.is_ok_and(|row| row.skip.is_none()))
    );
    assert_eq!(read(text.as_bytes(), &options()).unwrap().count(), MAX_ROWS);

    text.push_str("one,too,many,,,,,\nand,another,,,,,,\n");
    let last = read(text.as_bytes(), &options())
        .unwrap()
        .skip(MAX_ROWS)
        .collect::<Vec<_>>();
    assert!(
        matches!(&last[..], [Err(error)] if error.code == RowErrorCode::TooManyRows && error.line == 50_002)
    );
}

proptest! {
    #[test]
    fn garbage_never_panics(
        bytes in prop::collection::vec(1..=u8::MAX, 0..400),
        header in prop::sample::select(vec![
            b"".as_slice(),
            b"\xFF\xFE",
            b"Name,Email,Phone,Checked in,Checked out,Seats,Guests,RSVP\n",
            b"\xEF\xBB\xBFFirst Name;Surname;id\n",
            b"Name\tUser ID\tRSVP\tGuests\tAttendance\n",
        ]),
    ) {
        if let Ok(reader) = read(&[header, &bytes].concat(), &options()) {
            for item in reader {
                let _ = item;
            }
        }
    }

    #[test]
    fn text_never_panics(text in "(\\PC|[\",;\t\r\n@/:0-9+-]){0,200}", day_first: bool) {
        let text = format!("Name,Email,Phone,Checked in,Checked out,Seats,Guests,RSVP\n{text}");
        let last_line = text.len() as u64;
        for item in read(text.as_bytes(), &Options { day_first, ..options() }).unwrap() {
            let line = item.map_or_else(|error| error.line, |row| row.line);
            prop_assert!((2..=last_line).contains(&line));
        }
    }
}
