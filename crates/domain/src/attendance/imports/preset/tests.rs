use super::*;

fn header(row: &str) -> Vec<String> {
    row.split(", ").map(str::to_owned).collect()
}

/// `column=field` of the detected mapping, in the order of the file.
fn mapped(row: &str) -> (Preset, String, String) {
    let columns = header(row);
    let detection = detect(&columns);
    let fields = columns
        .iter()
        .filter_map(|column| Some(format!("{column}={:?}", detection.mapping.get(column)?)))
        .collect::<Vec<_>>()
        .join(", ");
    (
        detection.preset,
        format!("{:.2}", detection.confidence),
        fields,
    )
}

#[test]
fn eventbrite_variants() {
    let variants = [
        (
            "Order #, Order Date, First Name, Last Name, Email, Quantity, Price Tier, Ticket Type, Attendee #, Group, \
             Order Type, Currency, Total Paid, Fees Paid, Eventbrite Fees, Eventbrite Payment Processing, \
             Attendee Status, Home Address 1, Home Address 2, Home City, Home State, Home Zip, Home Country, Allergies?",
            "1.00",
            "First Name=FirstName, Last Name=LastName, Email=Email, Quantity=Seats, Attendee #=ExternalId, \
             Attendee Status=Status",
        ),
        (
            "Order #, Order Date, First Name, Last Name, Email, Quantity, Ticket Type, Attendee #, Barcode #, \
             Attendee Status, Cell Phone",
            "1.00",
            "First Name=FirstName, Last Name=LastName, Email=Email, Quantity=Seats, Attendee #=ExternalId, \
             Attendee Status=Status, Cell Phone=Phone",
        ),
        (
            "Order #, Order Date, First Name, Last Name, Email, Quantity, Ticket Type, Barcode #, Attendee Status",
            "0.92",
            "First Name=FirstName, Last Name=LastName, Email=Email, Quantity=Seats, Barcode #=ExternalId, \
             Attendee Status=Status",
        ),
        (
            "Order no., Order Date, First Name, Surname, Email, Quantity, Ticket Type, Order Type, Total Paid, \
             Eventbrite Fees, Eventbrite Payment Processing, Attendee Status, Home Address 1, Home Address 2, \
             Home City, County of Residence, Home Postcode, Home Country",
            "0.92",
            "First Name=FirstName, Surname=LastName, Email=Email, Quantity=Seats, Attendee Status=Status",
        ),
        (
            "Order No., Order Date, First Name, Last Name, Email, Quantity, Ticket Type, Order Type, Total Paid, \
             Event Name, Buyer First Name, Buyer Last Name, Buyer Email",
            "0.84",
            "First Name=FirstName, Last Name=LastName, Email=Email, Quantity=Seats, Buyer Email=Buyer",
        ),
    ];
    for (row, confidence, fields) in variants {
        assert_eq!(
            mapped(row),
            (
                Preset::EventbriteAttendees,
                confidence.to_owned(),
                fields.to_owned()
            )
        );
    }
}

#[test]
fn meetup_variants() {
    for place in ["Location", "Company"] {
        let members = format!(
            "Name, User ID, Title, Member ID, {place}, Joined Group on, Last visited group on, Last Attended, \
             Total RSVPs, RSVPed Yes, RSVPed Maybe, RSVPed No, Meetups attended, No shows, Intro, Photo, \
             Assistant Organizer, Mailing List, URL of Member Profile, Which instrument?"
        );
        assert_eq!(
            mapped(&members),
            (
                Preset::MeetupMembers,
                "1.00".to_owned(),
                "Name=FullName, User ID=ExternalId".to_owned()
            )
        );
    }
    let attendees = "User ID, Title, Event Host, RSVP, Guests, RSVPed on, Joined Group on, URL of Member Profile";
    assert_eq!(
        mapped(&format!("Name, {attendees}")),
        (
            Preset::MeetupAttendees,
            "1.00".to_owned(),
            "Name=FullName, User ID=ExternalId, RSVP=Status, Guests=Guests".to_owned()
        )
    );
    assert_eq!(
        mapped(&format!("Name, Attendance, {attendees}, Notes")).2,
        "Name=FullName, Attendance=Attended, User ID=ExternalId, RSVP=Status, Guests=Guests"
    );
}

#[test]
fn other_systems_get_a_suggestion() {
    let files = [
        // Planning Center people: its Status is not about coming.
        (
            "Person ID, Name Prefix, Given Name, First Name, Nickname, Middle Name, Last Name, Name Suffix, Birthdate, \
             Status, Membership, Mobile Phone Number, Home Phone Number, Work Phone Number, Home Email, Work Email, \
             Other Email, Household ID, Household Name, Household Primary Contact",
            "0.50",
            "Person ID=ExternalId, First Name=FirstName, Last Name=LastName, Mobile Phone Number=Phone, Home Email=Email",
        ),
        // Breeze people.
        (
            "Breeze ID, First Name, Last Name",
            "0.50",
            "Breeze ID=ExternalId, First Name=FirstName, Last Name=LastName",
        ),
        // Breeze attendance, out and in.
        (
            "Breeze ID, First Name, Last Name, Choir 01/07/2024, Person Totals",
            "0.50",
            "Breeze ID=ExternalId, First Name=FirstName, Last Name=LastName",
        ),
        (
            "Breeze ID, Event Name, Date, Count",
            "0.25",
            "Breeze ID=ExternalId",
        ),
        // pretix.
        (
            "Order code, Attendee name, Product, Price, Checked in, Checked out, Automatically checked in, Paid, Secret, \
             E-mail, Company, Voucher code, Order date, Requires special attention, Comment, Seat ID",
            "0.50",
            "Attendee name=FullName, Checked in=ArrivedAt, Checked out=LeftAt, E-mail=Email",
        ),
        // Hi.Events.
        (
            "ID, First Name, Last Name, Email, Status, Is Checked In, Checked In At, Ticket ID, Event ID, Public ID, \
             Short ID, Created Date, Last Updated Date",
            "0.50",
            "ID=ExternalId, First Name=FirstName, Last Name=LastName, Email=Email, Status=Status, \
             Is Checked In=Attended, Checked In At=ArrivedAt",
        ),
        // Tito, older and newer.
        (
            "Number, Ticket Created Date, Ticket, Ticket Full Name, Ticket First Name, Ticket Last Name, Ticket Email, \
             Ticket Company Name, Ticket Phone Number, Event, Void Status, Price, Ticket Reference, Tags, \
             Unique Ticket URL, Unique Order URL, Order Reference, Order Name, Order Email",
            "0.50",
            "Ticket Full Name=FullName, Ticket First Name=FirstName, Ticket Last Name=LastName, Ticket Email=Email, \
             Ticket Phone Number=Phone, Void Status=Status, Order Email=Buyer",
        ),
        (
            "Registration Name, Registration Email, Ticket Full Name, Ticket Email",
            "0.50",
            "Ticket Full Name=FullName, Ticket Email=Email",
        ),
        // Luma.
        (
            "api_id, name, first_name, last_name, email, phone_number, created_at, approval_status, ticket_name",
            "0.50",
            "name=FullName, first_name=FirstName, last_name=LastName, email=Email, phone_number=Phone, \
             approval_status=Status",
        ),
        ("Email Address", "0.25", "Email Address=Email"),
        ("Nombre, Correo", "0.00", ""),
    ];
    for (row, confidence, fields) in files {
        assert_eq!(
            mapped(row),
            (Preset::Csv, confidence.to_owned(), fields.to_owned())
        );
    }
}
