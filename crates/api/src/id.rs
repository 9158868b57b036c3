//! Global ids: opaque on the wire, typed for us. An id is base64url of a tag and a UUID; clients
//! may keep it for ever, and may not look inside.

use async_graphql::ID;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Code, Error, Result,
    attendance::{imports::import::ImportId, scan::AttendanceId},
    audit,
    events::event::EventId,
    identity::{
        account_log::AccountEventId, linked_account::LinkedAccountId, session::SessionId,
        user::UserId,
    },
    loyalty::ledger::EntryId,
    organizations::{
        api_key::ApiKeyId, invitation::InvitationId, member::MemberId,
        organization::OrganizationId, team::TeamId,
    },
    patrons::patron::PatronId,
};
use uuid::Uuid;

/// An id that clients see.
pub trait Global: Copy + From<Uuid> + Into<Uuid> {
    /// What it names. Never changed and never given to another kind: clients keep ids.
    const TAG: u8;
}

impl Global for OrganizationId {
    const TAG: u8 = b'O';
}
impl Global for MemberId {
    const TAG: u8 = b'M';
}
impl Global for InvitationId {
    const TAG: u8 = b'V';
}
impl Global for TeamId {
    const TAG: u8 = b'T';
}
impl Global for ApiKeyId {
    const TAG: u8 = b'K';
}
impl Global for UserId {
    const TAG: u8 = b'U';
}
impl Global for SessionId {
    const TAG: u8 = b'S';
}
impl Global for AccountEventId {
    const TAG: u8 = b'N';
}
impl Global for LinkedAccountId {
    const TAG: u8 = b'Q';
}
impl Global for EventId {
    const TAG: u8 = b'E';
}
impl Global for PatronId {
    const TAG: u8 = b'P';
}
impl Global for AttendanceId {
    const TAG: u8 = b'A';
}
impl Global for EntryId {
    const TAG: u8 = b'L';
}

impl Global for ImportId {
    const TAG: u8 = b'I';
}
impl Global for audit::entry::EntryId {
    const TAG: u8 = b'G';
}

/// The id on the wire.
pub fn encode<G: Global>(id: G) -> ID {
    let mut bytes = [G::TAG; 17];
    if let Some(rest) = bytes.get_mut(1..) {
        rest.copy_from_slice(id.into().as_bytes());
    }
    ID(URL_SAFE_NO_PAD.encode(bytes))
}

/// The id in the input field `field`.
///
/// # Errors
/// A refusal with [`Code::InvalidId`] for what is no id of ours, or names another kind of thing.
pub fn decode<G: Global>(id: &ID, field: &'static str) -> Result<G> {
    match parts(id) {
        Some((tag, uuid)) if tag == G::TAG => Ok(uuid.into()),
        _ => Err(invalid(field)),
    }
}

/// The tag and the UUID of any id of ours.
pub fn parts(id: &ID) -> Option<(u8, Uuid)> {
    let bytes = URL_SAFE_NO_PAD.decode(id.as_bytes()).ok()?;
    let (tag, uuid) = bytes.split_first()?;
    Some((*tag, Uuid::from_slice(uuid).ok()?))
}

/// The refusal of an id in the input field `field`.
pub fn invalid(field: &'static str) -> Error {
    Error::refused(
        Code::InvalidId,
        field,
        "This is not an id of such a thing. Use ids as this service gave them.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_one_kind_of_thing() {
        let event = EventId::random();
        let id = encode(event);
        assert_eq!(decode::<EventId>(&id, "id").ok(), Some(event));
        assert!(decode::<PatronId>(&id, "id").is_err());
        let bare = event.uuid().to_string();
        for garbage in ["", "E", "====", &bare, &format!("{}A", *id)] {
            assert!(
                decode::<EventId>(&ID::from(garbage), "id").is_err(),
                "{garbage}"
            );
        }
    }
}
