//! The audit log as a chain: each entry's hash is over the hash before it, so that none can be
//! changed, removed or put in between without every later one being found wrong.
//!
//! Whoever wants to prove an entry without us hashes, with SHA-256 (FIPS 180-4), these fields one
//! after the other, each as its length in four bytes (big-endian; `ff ff ff ff` for one that is null,
//! with nothing after it) and its bytes:
//!
//! | field | bytes |
//! |---|---|
//! | `rollcall.audit.1` | this text |
//! | hash of the entry before | 32; null for the first |
//! | organization, number, id | 16, 8, 16 |
//! | created at | 8: microseconds since 1970 |
//! | kind of actor | text |
//! | digest of the personal data | 32 |
//! | event type, action | text |
//! | target | 16 |
//! | result, reason | text |
//! | sequence, changes | 8, 8 |
//!
//! Numbers are signed and big-endian. Personal data enters as a digest of its own, which is stored,
//! so that it can be erased and the chain still holds: SHA-256 of `rollcall.audit.personal.1`, the
//! salt (16), the person or API key who acted (16), the address and the client's name, written the same way. The salt is by
//! chance and erased with them: without it an address could be guessed until the digest fits.

use entity::{
    audit::entry::{ActorKind, Model as Entry},
    identity::user::UserId,
    organizations::api_key::ApiKeyId,
};
use sea_orm::ActiveEnum;
use uuid::Uuid;

use crate::secret::sha256;

/// Gives an entry its place after the one whose hash is `previous`, and its own hash.
pub(super) fn seal(entry: &mut Entry, previous: Option<&[u8]>) {
    let salt = Uuid::new_v4();
    entry.personal_salt = Some(salt);
    entry.personal_digest = Some(personal_digest(salt, entry));
    entry.hash = Some(hash(entry, previous));
}

/// Whether an entry is the one that was written after the one whose hash is `previous`.
#[must_use]
pub fn holds(entry: &Entry, previous: Option<&[u8]>) -> bool {
    entry.hash.as_ref() == Some(&hash(entry, previous))
}

/// Whether its personal data is what was written, or was erased as a whole.
#[must_use]
pub fn personal_data_holds(entry: &Entry) -> bool {
    // The digest does not say which of the two it was: the kind of actor does.
    let is_somebody_else = match entry.actor_kind {
        ActorKind::Key => entry.actor_id.is_some(),
        ActorKind::User | ActorKind::System => entry.key_id.is_some(),
    };
    let is_erased = actor(entry).is_none() && entry.address.is_none() && entry.user_agent.is_none();
    match entry.personal_salt {
        _ if is_somebody_else => false,
        Some(salt) => entry.personal_digest.as_ref() == Some(&personal_digest(salt, entry)),
        None => is_erased,
    }
}

fn actor(entry: &Entry) -> Option<Uuid> {
    let user = entry.actor_id.map(UserId::uuid);
    user.or_else(|| entry.key_id.map(ApiKeyId::uuid))
}

fn hash(entry: &Entry, previous: Option<&[u8]>) -> Vec<u8> {
    let mut fields = Fields::of("rollcall.audit.1");
    fields.add(previous);
    fields.add(Some(entry.organization_id.uuid().as_bytes()));
    fields.number(entry.number);
    fields.add(Some(entry.id.uuid().as_bytes()));
    fields.number(Some(entry.created_at.timestamp_micros()));
    fields.text(Some(&entry.actor_kind.to_value()));
    fields.add(entry.personal_digest.as_deref());
    fields.text(Some(&entry.event_type));
    fields.text(entry.action.as_deref());
    fields.add(entry.target_id.as_ref().map(|id| id.as_bytes().as_slice()));
    fields.text(Some(&entry.result.to_value()));
    fields.text(entry.reason.as_deref());
    fields.number(Some(entry.sequence));
    fields.number(Some(entry.changes.into()));
    sha256(&fields.0)
}

fn personal_digest(salt: Uuid, entry: &Entry) -> Vec<u8> {
    let actor = actor(entry);
    let mut fields = Fields::of("rollcall.audit.personal.1");
    fields.add(Some(salt.as_bytes()));
    fields.add(actor.as_ref().map(|id| id.as_bytes().as_slice()));
    fields.text(entry.address.as_deref());
    fields.text(entry.user_agent.as_deref());
    sha256(&fields.0)
}

/// Fields one after the other, so that no two lists of them read the same.
struct Fields(Vec<u8>);

impl Fields {
    fn of(what: &str) -> Self {
        let mut fields = Self(Vec::with_capacity(512));
        fields.text(Some(what));
        fields
    }

    fn add(&mut self, field: Option<&[u8]>) {
        // No field is that long: the longest is a client's name of 255 characters.
        let length = field.map_or(u32::MAX, |field| {
            u32::try_from(field.len()).unwrap_or(u32::MAX - 1)
        });
        self.0.extend(length.to_be_bytes());
        self.0.extend(field.unwrap_or_default());
    }

    fn text(&mut self, field: Option<&str>) {
        self.add(field.map(str::as_bytes));
    }

    fn number(&mut self, field: Option<i64>) {
        self.add(
            field
                .map(i64::to_be_bytes)
                .as_ref()
                .map(<[u8; 8]>::as_slice),
        );
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use entity::{Id, audit::entry::Outcome};
    use proptest::prelude::*;

    use super::*;

    fn entry() -> Entry {
        Entry {
            id: Id::from(Uuid::from_u128(1)),
            organization_id: Id::from(Uuid::from_u128(2)),
            number: Some(7),
            actor_kind: ActorKind::User,
            actor_id: Some(Id::from(Uuid::from_u128(3))),
            key_id: None,
            event_type: "member.added".to_owned(),
            action: Some("INVITE_TEAM_MEMBER".to_owned()),
            target_id: Some(Uuid::from_u128(4)),
            result: Outcome::Success,
            reason: None,
            address: Some("192.0.2.1".to_owned()),
            user_agent: Some("door".to_owned()),
            personal_salt: Some(Uuid::from_u128(5)),
            personal_digest: None,
            sequence: 9,
            changes: 1,
            hash: None,
            created_at: DateTime::from_timestamp_micros(1_790_000_000_000_001).unwrap(),
        }
    }

    fn sealed() -> Entry {
        let mut entry = entry();
        seal(&mut entry, Some(&[1; 32]));
        entry
    }

    /// Reckoned in another language from the description. What was written once must hold for ever: a
    /// change of the encoding is another version.
    #[test]
    fn the_encoding_is_the_one_that_is_described() {
        let mut entry = entry();
        entry.personal_digest = Some(personal_digest(Uuid::from_u128(5), &entry));
        let hexadecimal =
            |bytes: Vec<u8>| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
        assert_eq!(
            hexadecimal(hash(&entry, Some(&[1; 32]))),
            "aa5c340d753ad753227945449f59ee3c7db0b50c122a048d070eb3b1fc1b77b4"
        );
    }

    #[test]
    fn every_field_is_proved() {
        assert!(holds(&sealed(), Some(&[1; 32])) && personal_data_holds(&sealed()));
        assert!(!holds(&sealed(), Some(&[2; 32])) && !holds(&sealed(), None));
        let changes: [fn(&mut Entry); 12] = [
            |entry| entry.id = Id::random(),
            |entry| entry.organization_id = Id::random(),
            |entry| entry.number = Some(8),
            |entry| entry.actor_kind = ActorKind::System,
            |entry| entry.event_type = "member.removed".to_owned(),
            |entry| entry.action = None,
            |entry| entry.target_id = None,
            |entry| entry.result = Outcome::Failure,
            |entry| entry.reason = Some(String::new()),
            |entry| entry.sequence = 8,
            |entry| entry.changes = 2,
            |entry| entry.created_at += chrono::TimeDelta::microseconds(1),
        ];
        for change in changes {
            let mut entry = sealed();
            change(&mut entry);
            assert!(!holds(&entry, Some(&[1; 32])), "{entry:?}");
        }
        let changes: [fn(&mut Entry); 7] = [
            |entry| entry.key_id = Some(Id::random()),
            |entry| {
                entry.key_id = entry.actor_id.map(|id| Id::from(id.uuid()));
                entry.actor_id = None;
            },
            |entry| entry.actor_id = None,
            |entry| entry.actor_id = Some(Id::random()),
            |entry| entry.address = Some("192.0.2.2".to_owned()),
            |entry| entry.user_agent = None,
            |entry| entry.personal_salt = None,
        ];
        for change in changes {
            let mut entry = sealed();
            change(&mut entry);
            assert!(!personal_data_holds(&entry), "{entry:?}");
        }
    }

    #[test]
    fn what_is_erased_as_a_whole_leaves_an_entry_that_holds() {
        let mut entry = sealed();
        (entry.actor_id, entry.address, entry.user_agent) = (None, None, None);
        entry.personal_salt = None;
        assert!(holds(&entry, Some(&[1; 32])) && personal_data_holds(&entry));
    }

    proptest! {
        #[test]
        fn no_two_lists_of_fields_read_the_same(
            one in proptest::collection::vec(proptest::option::of(".{0,3}"), 3),
            other in proptest::collection::vec(proptest::option::of(".{0,3}"), 3),
        ) {
            let bytes = |texts: &[Option<String>]| {
                let mut fields = Fields::of("");
                for text in texts {
                    fields.text(text.as_deref());
                }
                fields.0
            };
            prop_assert_eq!(one == other, bytes(&one) == bytes(&other));
        }
    }
}
