//! The rule for slugs (schema source 001): lower-case letters, digits and hyphens.

use chrono::{DateTime, Utc};
use entity::organizations::{organization::OrganizationId, slug};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

use crate::{Code, Error, Problem, Result, System, Writer, text};

/// Slugs that would be mistaken for pages of ours.
const RESERVED: &[&str] = &[
    "admin", "api", "app", "assets", "graphql", "healthz", "login", "metrics", "readyz",
    "rollcall", "static", "support", "www",
];

/// What is said of a slug that is somebody else's.
const TAKEN: &str = "This slug is taken. Choose another.";
/// Characters of a slug at most.
const LONGEST: usize = 63;
/// Addresses that are read at a time.
const SIZE: u64 = 500;

/// Checks a slug: 3 to 63 characters, no hyphen at either end or twice in a row, not reserved.
pub fn check(slug: &str) -> Result<(), Problem> {
    let permitted = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(3..=LONGEST).contains(&slug.len())
        || !slug.bytes().all(permitted)
        || slug.starts_with('-')
        || slug.ends_with('-')
        || slug.contains("--")
    {
        return Err(Problem::new(
            Code::Invalid,
            "slug",
            "A slug has 3 to 63 lower-case letters, digits and single hyphens, none of them at an end.",
        ));
    }
    if RESERVED.contains(&slug) {
        return Err(Problem::new(Code::Taken, "slug", "This slug is reserved."));
    }
    Ok(())
}

/// A slug made from a name, for whoever gives none. It passes [`check`], and may be taken.
pub(super) fn suggest(name: &str) -> Result<String> {
    let slug = spell(name, LONGEST);
    match check(&slug) {
        Ok(()) => Ok(slug),
        Err(_) => vary(name),
    }
}

/// The same with an end by chance, which hardly anybody has taken.
pub(super) fn vary(name: &str) -> Result<String> {
    let end = getrandom::u32()
        .map_err(|error| Error::Internal(format!("no randomness from the system: {error}")))?;
    let end = format!("-{end:08x}");
    Ok(match spell(name, LONGEST - end.len()) {
        slug if slug.is_empty() => format!("organization{end}"),
        slug => slug + &end,
    })
}

/// What of a name can stand in a slug.
pub(super) fn spell(name: &str, longest: usize) -> String {
    let mut slug = String::new();
    for character in text::fold(name).chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(longest);
    slug.trim_end_matches('-').to_owned()
}

/// Where an address leads.
pub async fn find(system: &System, address: &str) -> Result<Option<OrganizationId>> {
    let transaction = system.begin(false).await?;
    let row = slug::Entity::find_by_id(address).one(&*transaction).await?;
    Ok(row.map(|row| row.organization_id))
}

/// The addresses after this one, in order, and where they lead; some at a time.
pub async fn after(system: &System, address: &str) -> Result<Vec<(String, OrganizationId)>> {
    let transaction = system.begin(false).await?;
    let rows = slug::Entity::find()
        .filter(slug::Column::Slug.gt(address))
        .order_by_asc(slug::Column::Slug)
        .limit(SIZE)
        .all(&*transaction)
        .await?;
    let rows = rows.into_iter();
    Ok(rows.map(|row| (row.slug, row.organization_id)).collect())
}

/// Refuses an address that leads to an organization.
///
/// # Errors
/// A refusal with [`Code::Taken`]. Two who ask at once are told apart by the table's key.
pub(super) async fn require_free(system: &System, address: &str) -> Result<()> {
    match find(system, address).await? {
        Some(_) => Err(Error::refused(Code::Taken, "slug", TAKEN)),
        None => Ok(()),
    }
}

/// Makes `address` the one that leads to the writer's organization, and frees the present one.
pub(super) async fn move_to<P>(
    writer: &Writer<P>,
    address: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let present = writer
        .one(
            writer
                .find::<slug::Entity>()
                .filter(slug::Column::Slug.eq(address)),
        )
        .await?;
    if present.is_some() {
        return Ok(());
    }
    writer.delete(writer.removal::<slug::Entity>()).await?;
    let inserted = writer.insert(row(address, now)).await;
    inserted.map(drop).map_err(or_taken)
}

/// Says which field it is when a table's key finds an address taken.
pub(super) fn or_taken(error: Error) -> Error {
    error.or_taken("slug", TAKEN)
}

/// The row that makes `address` lead to the organization it is inserted for.
pub(super) fn row(address: &str, now: DateTime<Utc>) -> slug::ActiveModel {
    slug::ActiveModel {
        slug: Set(address.to_owned()),
        created_at: Set(now),
        ..Default::default()
    }
}
