//! What opens, and what does not.

use base64::{Engine, engine::general_purpose::STANDARD};
use entity::{
    Id,
    identity::{session, user},
};

use super::{Keys, Place, Sealing};
use crate::{Code, Error};

const SECRET: &[u8] = b"twenty bytes of it..";

fn text(id: &str, byte: u8) -> String {
    format!("{id}:{}", STANDARD.encode([byte; 32]))
}

fn sealing(text: &str) -> Sealing {
    Sealing::by(Some(Keys::parse(text).expect("keys")))
}

fn place() -> Place {
    Place::of::<user::Entity>(user::Column::PasswordHash, Id::random())
}

fn opens(sealing: &Sealing, place: Place, sealed: &[u8]) -> bool {
    match sealing.open(place, sealed) {
        Ok(opened) => opened.secret == SECRET,
        Err(_) => false,
    }
}

#[test]
fn a_secret_opens_at_its_place_alone() {
    let sealing = sealing(&text("one", 1));
    let id = Id::random();
    let place = Place::of::<user::Entity>(user::Column::PasswordHash, id);
    let sealed = sealing.seal(place, SECRET).expect("sealed");
    assert!(opens(&sealing, place, &sealed));
    assert!(!sealed.windows(SECRET.len()).any(|part| part == SECRET));
    let others = [
        Place::of::<user::Entity>(user::Column::PasswordHash, Id::random()),
        Place::of::<user::Entity>(user::Column::Email, id),
        Place::of::<session::Entity>(session::Column::TokenHash, Id::from(id.uuid())),
    ];
    for other in others {
        assert!(!opens(&sealing, other, &sealed));
    }
}

#[test]
fn whatever_is_changed_does_not_open() {
    let sealing = sealing(&text("one", 1));
    let place = place();
    let sealed = sealing.seal(place, SECRET).expect("sealed");
    for index in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[index] ^= 1;
        assert!(!opens(&sealing, place, &changed), "byte {index}");
        assert!(!opens(&sealing, place, &sealed[..index]), "cut at {index}");
    }
}

#[test]
fn no_two_are_alike() {
    let sealing = sealing(&text("one", 1));
    let place = place();
    let seal = || sealing.seal(place, SECRET).expect("sealed");
    assert_ne!(seal(), seal());
}

#[test]
fn keys_are_rotated_by_putting_a_new_one_first() {
    let (old, new) = (text("2026", 1), text("2027", 2));
    let before = sealing(&old);
    let after = sealing(&format!("{new},{old}"));
    let place = place();
    let sealed = before.seal(place, SECRET).expect("sealed");
    let opened = after.open(place, &sealed).expect("the old key opens");
    assert!(opened.secret == SECRET && opened.outdated);
    let renewed = after.seal(place, &opened.secret).expect("sealed");
    let opened = sealing(&new).open(place, &renewed);
    assert!(!opened.expect("the new key sealed it").outdated);
    assert!(!opens(&before, place, &renewed));
    assert!(!opens(&sealing(&new), place, &sealed));
    // The same id for another key.
    assert!(!opens(&sealing(&text("2026", 3)), place, &sealed));
}

#[test]
fn what_is_wrong_with_keys_is_said_without_them() {
    let key = STANDARD.encode([1; 32]);
    for wrong in [
        "",
        ":",
        &key,
        &format!(":{key}"),
        &format!("a b:{key}"),
        &format!("{}:{key}", "a".repeat(33)),
        "one:c2hvcnQ=",
        &format!("one:{}", STANDARD.encode([1; 33])),
        "one:?",
        &format!("one:{key},one:{key}"),
        &format!("one:{key},"),
    ] {
        let why = Keys::parse(wrong).expect_err(wrong);
        assert!(!why.contains(&*key), "{why}");
    }
    let keys = Keys::parse(&format!("one:{key}, two:{key}")).expect("keys");
    assert_eq!(format!("{keys:?}"), r#"["one", "two"]"#);
}

#[test]
fn without_a_key_it_is_refused_by_the_name_of_the_variable() {
    let refusal = Sealing::by(None).seal(place(), SECRET).expect_err("no key");
    let Error::Refused(problems) = refusal else {
        panic!("{refusal:?}");
    };
    assert_eq!(problems[0].code, Code::NotConfigured);
    assert!(problems[0].message.contains("ROLLCALL_SECRET_KEYS"));
}

#[test]
fn beside_the_embedded_file_a_key_is_made_on_first_use() {
    let directory = tempfile::tempdir().expect("a directory");
    let database = directory.path().join("rollcall.db");
    let file = directory.path().join("rollcall.db.key");
    let place = place();
    let first = Sealing::beside(&database, None).expect("nothing there");
    // Another process, at the same time.
    let second = Sealing::beside(&database, None).expect("nothing there");
    assert!(!file.exists());
    let sealed = first.seal(place, SECRET).expect("sealed");
    assert!(opens(&second, place, &sealed));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let names = std::fs::read_dir(directory.path()).expect("the directory");
    assert_eq!(names.count(), 1, "nothing is left but the file");
    // One that is configured later encrypts; what was sealed before still opens.
    let keys = Keys::parse(&text("mine", 9)).expect("keys");
    let later = Sealing::beside(&database, Some(keys)).expect("both");
    let opened = later.open(place, &sealed).expect("the file's opens");
    assert!(opened.outdated);
    std::fs::write(&file, "nonsense").expect("written");
    assert!(Sealing::beside(&database, None).is_err());
}
