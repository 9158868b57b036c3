//! The ledger. Entries are added, never changed; the balance on the patron is kept with them.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use entity::{loyalty::entry, patrons::patron::PatronId};
use sea_orm::{ColumnTrait, QueryFilter, Set};
use uuid::Uuid;

pub use entity::loyalty::entry::{EntryId, Kind, Model as Entry};

use crate::{
    Reader, Result, Writer,
    page::{Key, Page, PageRequest},
    permission::LoyaltyRead,
    scope::{Listing, Sort, Table},
};

/// Characters of a reason at most.
const REASON: usize = 200;

/// An award to make, or to take back, for one cause.
#[derive(Clone, Debug)]
pub(crate) struct Award {
    /// Whose.
    pub patron: PatronId,
    /// How many. What is taken back is what was given, whatever it would be today.
    pub points: i32,
    /// Whether it is taken back.
    pub reversed: bool,
    /// Why, for people.
    pub reason: String,
    /// What caused it.
    pub source: Uuid,
    /// Which award for that cause: each pays once and is taken back once.
    pub generation: i32,
}

/// A patron's entries, newest first.
pub async fn list(
    reader: &Reader<LoyaltyRead>,
    patron: PatronId,
    request: &PageRequest,
) -> Result<Page<Entry>> {
    let select = reader
        .find::<entry::Entity>()
        .filter(entry::Column::PatronId.eq(patron.uuid()));
    reader
        .page(select, sort(patron), request, |entry| {
            (Key::Time(entry.created_at), entry.id.uuid())
        })
        .await
}

/// The first page of the entries of each of `patrons`, with one statement.
pub async fn first_of_each(
    reader: &Reader<LoyaltyRead>,
    patrons: &[PatronId],
    size: u64,
) -> Result<Vec<(PatronId, Page<Entry>)>> {
    let ids: Vec<Uuid> = patrons.iter().map(|id| id.uuid()).collect();
    reader
        .first_pages::<entry::Entity>(
            &ids,
            entry::Column::PatronId,
            |id| sort(PatronId::from(id)),
            size,
            |entry| entry.patron_id.uuid(),
            |entry| (Key::Time(entry.created_at), entry.id.uuid()),
        )
        .await
        .map(|pages| {
            pages
                .into_iter()
                .map(|(id, page)| (id.into(), page))
                .collect()
        })
}

/// Those of `entries` that are the organization's.
pub async fn load(reader: &Reader<LoyaltyRead>, entries: &[EntryId]) -> Result<Vec<Entry>> {
    let among = reader
        .any(
            entry::Column::Id,
            entries.iter().map(|id| id.uuid()).collect(),
        )
        .await?;
    reader
        .all(reader.find::<entry::Entity>().filter(among))
        .await
}

/// Books awards within a running unit of work, whose caller holds the patrons' locks.
pub(crate) async fn book<P>(
    writer: &Writer<P>,
    awards: Vec<Award>,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut given = given(writer, &awards).await?;
    let mut balances: BTreeMap<PatronId, i64> = BTreeMap::new();
    let mut entries = Vec::with_capacity(awards.len());
    for award in awards {
        let cause = (award.source, award.generation);
        let points = if award.reversed {
            -given.remove(&cause).unwrap_or(0)
        } else {
            i64::from(award.points)
        };
        if points == 0 {
            continue;
        }
        if !award.reversed {
            given.insert(cause, points);
        }
        *balances.entry(award.patron).or_default() += points;
        entries.push(entry::ActiveModel {
            id: Set(EntryId::random()),
            patron_id: Set(award.patron),
            kind: Set(if award.reversed {
                Kind::Reverse
            } else {
                Kind::Earn
            }),
            points: Set(points),
            reason: Set(award.reason.chars().take(REASON).collect()),
            source_id: Set(award.source),
            generation: Set(award.generation),
            created_at: Set(now),
            ..Default::default()
        });
    }
    if entries.is_empty() {
        return Ok(());
    }
    writer.insert_all(entries).await?;
    let deltas: Vec<_> = balances
        .into_iter()
        .map(|(patron, points)| (patron.uuid(), [points]))
        .collect();
    writer
        .add_all(
            "UPDATE patrons SET points = points + delta.a, qualifying_points = qualifying_points + delta.a
             FROM {deltas $2} WHERE organization_id = $1 AND patrons.id = delta.id",
            &deltas,
            Vec::new(),
        )
        .await?;
    Ok(())
}

/// What was given for the causes of which something is taken back.
async fn given<P>(writer: &Writer<P>, awards: &[Award]) -> Result<HashMap<(Uuid, i32), i64>> {
    let reversed = awards.iter().filter(|award| award.reversed);
    let sources: Vec<Uuid> = reversed.map(|award| award.source).collect();
    if sources.is_empty() {
        return Ok(HashMap::new());
    }
    let select = writer
        .find::<entry::Entity>()
        .filter(writer.any(entry::Column::SourceId, sources).await?)
        .filter(entry::Column::Kind.eq(Kind::Earn));
    let entries = writer.all(select).await?.into_iter();
    Ok(entries
        .map(|entry| ((entry.source_id, entry.generation), entry.points))
        .collect())
}

/// The table of entries.
#[must_use]
pub fn table() -> Table {
    Table::of::<entry::Entity, LoyaltyRead>()
}

/// The entries below a patron.
#[must_use]
pub fn of_patron() -> Listing {
    Listing::of::<entry::Entity, LoyaltyRead>(entry::Column::PatronId, &sort(Uuid::nil().into()))
}

fn sort(patron: PatronId) -> Sort<entry::Entity> {
    Sort {
        column: entry::Column::CreatedAt,
        id: entry::Column::Id,
        descending: true,
        list: "loyalty of".to_owned(),
        of: Some(patron.uuid()),
    }
}
