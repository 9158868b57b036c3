//! Characters that show nothing, and line breaks where a text has one line.

use serde_json::{Value, json};

use crate::harness::{App, on_each_database, people::PASSWORD};

on_each_database!(
    what_shows_nothing_is_blank,
    one_line_is_one_line,
    an_address_has_nothing_invisible_in_it,
    joiners_stay_where_scripts_need_them,
);

/// Texts of which nothing is seen.
const NOTHING: &[&str] = &[
    "\u{200b}",
    "\u{feff}\u{2060}",
    "\u{ad}",
    "\u{202e}\u{202c}",
    "\u{2066} \u{2069}",
    "\u{200c}\u{200d}",
    "\u{3164}",
    "\u{2800}",
    "\u{e0041}\u{fe0f}",
];

fn sign_up(first_name: &str, email: &str) -> Value {
    json!({ "username": "newcomer", "email": email, "password": PASSWORD, "firstName": first_name })
}

async fn what_shows_nothing_is_blank(app: App) {
    let owner = app.owner("jazz").await;
    let before = app.database.holdings().await;
    for nothing in NOTHING {
        for (field, input, path) in [
            ("createPatron", json!({ "firstName": nothing }), "firstName"),
            ("createOrganization", json!({ "name": nothing }), "name"),
            ("updateOrganization", json!({ "name": nothing }), "name"),
            ("signUp", sign_up(nothing, "a@example.org"), "firstName"),
            (
                "createEvent",
                json!({ "title": nothing, "startsAt": "2026-05-01T10:00:00Z", "endsAt": "2026-05-01T11:00:00Z" }),
                "title",
            ),
        ] {
            assert_eq!(
                owner.refused(field, input).await,
                [format!("REQUIRED input.{path}")],
                "{field} {nothing:?}"
            );
        }
    }
    assert_eq!(app.database.holdings().await, before);
    // What may be empty is.
    let input = json!({ "firstName": "Ada", "lastName": "\u{200b}" });
    let payload = owner
        .done("createPatron", "patron { lastName }", input)
        .await;
    assert_eq!(payload["patron"]["lastName"], "");
    app.stop().await;
}

async fn one_line_is_one_line(app: App) {
    let owner = app.owner("jazz").await;
    let times = json!({ "startsAt": "2026-05-01T10:00:00Z", "endsAt": "2026-05-01T11:00:00Z" });
    let event = |more: Value| {
        let mut input = times.clone();
        for (name, value) in more.as_object().cloned().unwrap_or_default() {
            input[name] = value;
        }
        input
    };
    let before = app.database.holdings().await;
    for end in [
        "\n", "\r\n", "\r", "\t", "\u{b}", "\u{85}", "\u{2028}", "\u{7}", "\u{1b}",
    ] {
        let text = format!("Ada{end}Bo");
        for (field, input, path) in [
            ("createPatron", json!({ "firstName": text }), "firstName"),
            (
                "createPatron",
                json!({ "firstName": "Ada", "lastName": text }),
                "lastName",
            ),
            ("createOrganization", json!({ "name": text }), "name"),
            ("signUp", sign_up(&text, "a@example.org"), "firstName"),
            ("createEvent", event(json!({ "title": text })), "title"),
            (
                "createEvent",
                event(json!({ "title": "Jazz", "location": text })),
                "location",
            ),
        ] {
            assert_eq!(
                owner.refused(field, input).await,
                [format!("INVALID input.{path}")],
                "{field} {text:?}"
            );
        }
    }
    assert_eq!(app.database.holdings().await, before);
    let input = event(json!({ "title": "Jazz\n", "description": "One\r\nTwo\n\tThree" }));
    let payload = owner
        .done("createEvent", "event { title description }", input)
        .await;
    assert_eq!(
        payload["event"],
        json!({ "title": "Jazz", "description": "One\r\nTwo\n\tThree" })
    );
    app.stop().await;
}

async fn an_address_has_nothing_invisible_in_it(app: App) {
    let owner = app.owner("jazz").await;
    let before = app.database.holdings().await;
    for character in [
        '\u{200b}',
        '\u{ad}',
        '\u{200c}',
        '\u{200d}',
        '\u{2060}',
        '\u{feff}',
        '\u{202e}',
        '\u{2069}',
        '\u{61c}',
        '\u{34f}',
        '\u{3164}',
        '\u{ffa0}',
        '\u{180e}',
        '\u{fe0f}',
        '\u{e0061}',
        '\u{2028}',
        '\u{a0}',
        '\u{7f}',
        '\t',
        '\n',
    ] {
        for address in [
            format!("ow{character}ner@example.org"),
            format!("owner@exa{character}mple.org"),
        ] {
            assert_eq!(
                owner.refused("signUp", sign_up("Ada", &address)).await,
                ["INVALID input.email"],
                "{address:?}"
            );
            let input = json!({ "firstName": "Ada", "email": address });
            assert_eq!(
                owner.refused("createPatron", input).await,
                ["INVALID input.email"],
                "{address:?}"
            );
        }
    }
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}

async fn joiners_stay_where_scripts_need_them(app: App) {
    let owner = app.owner("jazz").await;
    for name in [
        "می\u{200c}خواهم",
        "ශ්\u{200d}රී",
        "👩\u{200d}🎤",
        "O\u{ad}Hara",
    ] {
        let payload = owner
            .done(
                "createPatron",
                "patron { firstName }",
                json!({ "firstName": name }),
            )
            .await;
        assert_eq!(payload["patron"]["firstName"], name);
    }
    app.stop().await;
}
