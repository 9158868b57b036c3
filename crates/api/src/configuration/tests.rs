//! What is read, and what is refused.

use super::{BTreeMap, Configuration};

fn read(variables: &[(&str, &str)]) -> Result<Configuration, String> {
    let variables: BTreeMap<String, String> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Configuration::from_variables(variables).map_err(|error| error.to_string())
}

#[test]
fn what_is_wrong_is_told_by_its_name_and_without_its_value() {
    for (name, value) in [
        ("ROLLCALL_LISTEN", "everywhere"),
        ("ROLLCALL_LISTENN", "127.0.0.1:1"),
        ("DATABASE_URL", "mysql://user:hunter2@host/name"),
        ("DATABASE_URL", "sqlite:"),
        ("DATABASE_URL", "sqlite::memory:"),
        ("DATABASE_URL", "sqlite://rollcall.db?mode=memory"),
        ("REDIS_URL", "localhost"),
        ("ROLLCALL_TRUSTED_PROXY", "yes"),
        ("ROLLCALL_DATABASE_CONNECTIONS", "0"),
        ("ROLLCALL_PASSWORD_PROFILE", "weak"),
        ("ROLLCALL_RATE_LIMITS", "true"),
        ("ROLLCALL_SECRET_KEYS", "hunter2"),
        ("ROLLCALL_SECRET_KEYS", "one:hunter2"),
        ("ROLLCALL_ALLOWED_ORIGINS", "*"),
        ("ROLLCALL_SMTP_URL", "http://ada:hunter2@mail"),
        ("ROLLCALL_MAIL_FROM", "nobody"),
        ("ROLLCALL_MAIL_FROM", "a@example.org\r\nBcc: b@example.org"),
        ("ROLLCALL_OIDC_PROVIDERS", "{}"),
        (
            "ROLLCALL_OIDC_PROVIDERS",
            r#"[{"id": "a", "name": "A", "issuer": "http://id.example.org", "clientId": "b", "clientSecret": "hunter2"}]"#,
        ),
        ("ROLLCALL_CONFIGURATION", "there/is/no/such/file"),
    ] {
        let error = read(&[(name, value)]).unwrap_err();
        assert!(error.contains(name), "{name}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn who_mails_by_smtp_says_where_and_from_whom() {
    let error = read(&[("ROLLCALL_SMTP_URL", "smtp://mail.example.org")]).unwrap_err();
    assert!(error.contains("ROLLCALL_MAIL_FROM"), "{error}");
    let from = ("ROLLCALL_MAIL_FROM", "Rollcall <rollcall@example.org>");
    for url in [
        "smtp://",
        "smtp://ada:hunter2@mail:x",
        "smtp://mail?tls=perhaps",
    ] {
        let error = read(&[("ROLLCALL_SMTP_URL", url), from]).unwrap_err();
        assert!(
            error.contains("ROLLCALL_SMTP_URL") && !error.contains("hunter2"),
            "{error}"
        );
    }
    for url in [
        "smtp://mail",
        "smtp://ada:hunter2@mail:2525",
        "smtps://mail",
        "smtp://mail?tls=required",
    ] {
        assert!(
            read(&[("ROLLCALL_SMTP_URL", url), from])
                .unwrap()
                .mail
                .is_some(),
            "{url}"
        );
    }
    assert!(read(&[from]).unwrap().mail.is_none());
    assert!(
        read(&[("ROLLCALL_SMTP_URL", "outbox:")])
            .unwrap()
            .mail
            .is_some()
    );
}

#[test]
fn nothing_given_is_the_embedded_file_on_the_loopback_address() {
    let configuration = read(&[]).unwrap();
    assert_eq!(configuration.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(
        configuration.database.in_words(),
        "SQLite file data/rollcall.db"
    );
    assert!(!configuration.secure);
}

#[test]
fn passwords_of_databases_are_not_told() {
    let configuration = read(&[(
        "DATABASE_URL",
        "postgres://rollcall:hunter2@db.internal/rollcall",
    )])
    .unwrap();
    assert_eq!(
        configuration.database.in_words(),
        "PostgreSQL db.internal/rollcall"
    );
}

#[test]
fn providers_send_browsers_back_to_an_address_that_is_known() {
    let provider =
        r#"[{"id": "a", "name": "A", "issuer": "https://id.example.org", "clientId": "b"}]"#;
    let providers = ("ROLLCALL_OIDC_PROVIDERS", provider);
    let everywhere = ("ROLLCALL_LISTEN", "0.0.0.0:8000");
    let error = read(&[providers, everywhere]).unwrap_err();
    assert!(error.contains("ROLLCALL_PUBLIC_URL"), "{error}");
    let public = ("ROLLCALL_PUBLIC_URL", "https://rollcall.example.org");
    for variables in [&[providers][..], &[providers, everywhere, public]] {
        assert_eq!(read(variables).unwrap().providers.len(), 1);
    }
}
