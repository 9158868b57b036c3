//! Making keys, and giving them another secret.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    events::event::{self, EventId},
    organizations::{api_key, api_key_secret},
};
use sea_orm::{ColumnTrait, Condition, QueryFilter, Set};

use super::{AFTERWARDS, ApiKey, ApiKeyId, find, permissions, save, told};
use crate::{
    BuiltInRole, ChangeKind, Code, Error, Permissions, Problem, Result, Writer,
    organizations::{access, role},
    permission::{ApiKeysCreate, ApiKeysUpdate},
    scope::Fresh,
    secret::Key,
    text,
};

/// A key works for this long, if nothing else is said.
const LIFETIME: TimeDelta = TimeDelta::days(90);
/// A key works for this long at most.
const LONGEST: TimeDelta = TimeDelta::days(365);
/// The secret before works for this many hours at most beside the new one.
const MOST_OVERLAP: i32 = 7 * 24;
/// Keys that work, of one organization at most.
const MOST: u64 = 200;

/// What making a key takes.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// 1 to 100 characters.
    pub name: String,
    /// What it is to be permitted.
    pub permissions: Vec<String>,
    /// Until when it is to work: a year at most, 90 days when none is given.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key, and its secret, which nobody can tell again.
pub struct Issued {
    /// The key.
    pub key: ApiKey,
    /// The secret.
    pub secret: Key,
}

/// How long a key works.
enum Until {
    /// Until this time.
    Time(DateTime<Utc>),
    /// Until a day after the end of this event, at whose door alone it works.
    Event(EventId),
}

/// Makes a key, for which the caller answers.
///
/// # Errors
/// A refusal naming every field that is wrong, and for what the caller may not do themselves.
pub async fn create(
    writer: Writer<ApiKeysCreate>,
    fresh: Fresh,
    input: NewApiKey,
) -> Result<Issued> {
    let now = writer.scope().clock().now();
    let mut problems = Vec::new();
    let name = text::required(&mut problems, "name", &input.name, 100);
    let permissions = role::parse(&mut problems, &input.permissions);
    let expires_at = input.expires_at.unwrap_or(now + LIFETIME);
    problems.extend(of_person(permissions).err());
    problems.extend(check_expiry(expires_at, now).err());
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    access::lock(&writer).await?;
    access::require(&writer, permissions, "permissions")?;
    issue(writer, &fresh, name, permissions, Until::Time(expires_at)).await
}

/// Makes a key for a device at the door of one event. It works until a day after the event's end.
///
/// # Errors
/// A refusal naming every field that is wrong, for an event that is not there or long over, and for
/// what the caller may not do themselves.
pub async fn create_for_device(
    writer: Writer<ApiKeysCreate>,
    fresh: Fresh,
    name: &str,
    event: EventId,
) -> Result<Issued> {
    let mut problems = Vec::new();
    let name = text::required(&mut problems, "name", name, 100);
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    access::lock(&writer).await?;
    let found = writer
        .find::<event::Entity>()
        .filter(event::Column::Id.eq(event.uuid()));
    let Some(found) = writer.one(found).await? else {
        let message = "The organization has no such event.";
        return Err(Error::refused(Code::NotFound, "eventId", message));
    };
    if found.ends_at + AFTERWARDS <= writer.scope().clock().now() {
        let message =
            "The event has been over for a day: a key for its door would not work any more.";
        return Err(Error::refused(Code::WrongState, "eventId", message));
    }
    let permissions = BuiltInRole::CheckIn.permissions();
    access::require(&writer, permissions, "eventId")?;
    issue(writer, &fresh, name, permissions, Until::Event(event)).await
}

/// Gives a key another secret; the one before works for `overlap` hours more. Of two that work the
/// older ends. The caller answers for the key from now on.
///
/// # Errors
/// A refusal for a key that is not there, was revoked or may do what the caller may not, and of too
/// long an overlap or life.
pub async fn rotate(
    writer: Writer<ApiKeysUpdate>,
    fresh: Fresh,
    id: ApiKeyId,
    overlap: i32,
    expires_at: Option<DateTime<Utc>>,
) -> Result<Issued> {
    let now = writer.scope().clock().now();
    let mut problems = Vec::new();
    if !(0..=MOST_OVERLAP).contains(&overlap) {
        let message = format!("The secret before works for 0 to {MOST_OVERLAP} hours more.");
        problems.push(Problem::new(Code::Invalid, "overlapHours", message));
    }
    problems.extend(expires_at.and_then(|end| check_expiry(end, now).err()));
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    access::lock(&writer).await?;
    let key = find(&writer, id).await?;
    access::require(&writer, permissions(&key), "apiKeyId")?;
    if key.event_id.is_some() && expires_at.is_some() {
        let message = "A device's key ends a day after its event. Leave this out.";
        return Err(Error::refused(Code::Invalid, "expiresAt", message));
    }
    let expires_at = expires_at.or(key.expires_at);
    if expires_at.is_some_and(|end| end <= now) {
        let message = "The key has expired. Say until when it is to work from now on.";
        return Err(Error::refused(Code::WrongState, "expiresAt", message));
    }
    let present = api_key_secret::Column::ApiKeyId.eq(id.uuid());
    let before = writer
        .removal::<api_key_secret::Entity>()
        .filter(present.clone())
        .filter(api_key_secret::Column::Lookup.ne(&key.lookup));
    writer.delete(before).await?;
    let end = now + TimeDelta::hours(i64::from(overlap));
    let ending = writer
        .change::<api_key_secret::Entity>()
        .set(api_key_secret::Column::EndsAt, end)
        .filter(present);
    writer.update(ending).await?;
    let secret = Key::random()?;
    insert_secret(&writer, id, &secret, now).await?;
    let key = ApiKey {
        lookup: secret.lookup().to_owned(),
        responsible_id: Some(fresh.viewer().user()),
        expires_at,
        ..key
    };
    let key = save(writer, key, ChangeKind::ApiKeyRotated).await?;
    Ok(Issued { key, secret })
}

/// Makes a key that works until a time, or at the door of an event.
async fn issue(
    writer: Writer<ApiKeysCreate>,
    fresh: &Fresh,
    name: String,
    permissions: Permissions,
    until: Until,
) -> Result<Issued> {
    let now = writer.scope().clock().now();
    let working = writer
        .find::<api_key::Entity>()
        .filter(api_key::Column::RevokedAt.is_null())
        .filter(
            Condition::any()
                .add(api_key::Column::ExpiresAt.is_null())
                .add(api_key::Column::ExpiresAt.gt(now)),
        );
    if writer.count(working, MOST).await? >= MOST {
        let message =
            format!("An organization has at most {MOST} keys that work. Revoke one first.");
        return Err(Error::refused(Code::TooLong, "", message));
    }
    let (expires_at, event) = match until {
        Until::Time(end) => (Some(end), None),
        Until::Event(event) => (None, Some(event)),
    };
    let secret = Key::random()?;
    let id = ApiKeyId::random();
    let key = writer
        .insert(api_key::ActiveModel {
            id: Set(id),
            name: Set(name),
            permissions: Set(permissions.names()),
            event_id: Set(event),
            responsible_id: Set(Some(fresh.viewer().user())),
            lookup: Set(secret.lookup().to_owned()),
            created_at: Set(now),
            updated_at: Set(now),
            expires_at: Set(expires_at),
            last_used_at: Set(None),
            revoked_at: Set(None),
            ..Default::default()
        })
        .await?;
    insert_secret(&writer, id, &secret, now).await?;
    writer.commit(told(&key, ChangeKind::ApiKeyCreated)).await?;
    Ok(Issued { key, secret })
}

async fn insert_secret<P>(
    writer: &Writer<P>,
    key: ApiKeyId,
    secret: &Key,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = api_key_secret::ActiveModel {
        lookup: Set(secret.lookup().to_owned()),
        api_key_id: Set(key),
        secret_hash: Set(secret.hash()),
        created_at: Set(now),
        ends_at: Set(None),
        ..Default::default()
    };
    writer.insert_all(vec![row]).await
}

fn check_expiry(end: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Problem> {
    if end > now && end <= now + LONGEST {
        return Ok(());
    }
    let message = "A key works until a time within a year from now.";
    Err(Problem::new(Code::Invalid, "expiresAt", message))
}

fn of_person(permissions: Permissions) -> Result<(), Problem> {
    let Some(permission) = permissions.iter().find(|one| one.is_a_persons()) else {
        return Ok(());
    };
    let message = format!("{permission} takes a person: no key can have it.");
    Err(Problem::new(Code::Invalid, "permissions", message))
}
