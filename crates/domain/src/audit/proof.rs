//! Proving that the audit log is as it was written.

use entity::{audit::entry, live::counter};
use sea_orm::{ColumnTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect};

use super::entry::Entry;
use crate::{Reader, Result, permission::AuditRead, scope::chain};

/// Entries that are read at a time.
const SIZE: u64 = 1000;

/// How far an organization's chain holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Entries that hold, from the first that is kept on.
    pub held: i64,
    /// The first that does not, by its number, and why.
    pub fault: Option<(i64, Fault)>,
    /// Entries from before there was a chain, of which nothing is proved.
    pub unproved: i64,
    /// The number and the hash of the last entry that holds: whoever keeps them elsewhere can tell
    /// later that not even the whole chain was made anew.
    pub end: Option<(i64, Vec<u8>)>,
}

/// What is wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not what was written, or follows another entry than it did.
    Changed,
    /// Its actor, address or client is not what was written, and was not erased either.
    PersonalDataChanged,
    /// It is not there.
    Missing,
    /// It was added beside the application.
    Added,
}

/// Those that have no place in the chain.
#[derive(FromQueryResult)]
struct Outside {
    count: i64,
    last_sequence: Option<i64>,
}

/// Walks the organization's chain from the first entry that is kept to the last.
///
/// # Errors
/// The database is away.
pub async fn verify(reader: &Reader<AuditRead>) -> Result<Proof> {
    let counter = reader.required(reader.find::<counter::Entity>()).await?;
    let mut walk = Walk {
        number: counter.purged_entry,
        hash: counter.purged_hash.clone(),
        held: 0,
    };
    let (mut from, mut first_sequence, mut fault) = (i64::MIN, None, None);
    while fault.is_none() {
        let entries = after(reader, from).await?;
        let Some(last) = entries.last() else { break };
        from = last.number.unwrap_or(i64::MAX);
        first_sequence = first_sequence.or(entries.first().map(|entry| entry.sequence));
        fault = entries.iter().find_map(|entry| walk.step(entry).err());
    }
    let outside = outside(reader).await?;
    if fault.is_none() {
        fault = walk.end(&counter);
    }
    // Those from before the chain have numbers of changes from before it.
    let is_forged = outside.last_sequence >= first_sequence && first_sequence.is_some();
    if fault.is_none() && is_forged {
        fault = Some((0, Fault::Added));
    }
    Ok(Proof {
        held: walk.held,
        fault,
        unproved: outside.count,
        end: walk.hash.map(|hash| (walk.number, hash)),
    })
}

/// The last entry that holds, and how many did.
struct Walk {
    number: i64,
    hash: Option<Vec<u8>>,
    held: i64,
}

impl Walk {
    fn step(&mut self, entry: &Entry) -> Result<(), (i64, Fault)> {
        let expected = self.number + 1;
        let number = entry.number.unwrap_or_default();
        if number != expected {
            return Err(if number < expected {
                (number, Fault::Added)
            } else {
                (expected, Fault::Missing)
            });
        }
        if !chain::holds(entry, self.hash.as_deref()) {
            return Err((number, Fault::Changed));
        }
        if !chain::personal_data_holds(entry) {
            return Err((number, Fault::PersonalDataChanged));
        }
        self.number = number;
        self.hash.clone_from(&entry.hash);
        self.held += 1;
        Ok(())
    }

    /// Whether the last entry is the one that the counter knows.
    fn end(&self, counter: &counter::Model) -> Option<(i64, Fault)> {
        if self.number < counter.last_entry {
            return Some((self.number + 1, Fault::Missing));
        }
        if self.number > counter.last_entry {
            return Some((counter.last_entry + 1, Fault::Added));
        }
        (self.hash != counter.last_hash).then_some((self.number, Fault::Changed))
    }
}

async fn after(reader: &Reader<AuditRead>, number: i64) -> Result<Vec<Entry>> {
    let entries = reader
        .find::<entry::Entity>()
        .filter(entry::Column::Number.gt(number))
        .order_by_asc(entry::Column::Number)
        .limit(SIZE);
    reader.all(entries).await
}

async fn outside(reader: &Reader<AuditRead>) -> Result<Outside> {
    let outside = reader.rows(
        "SELECT count(*) AS count, max(sequence) AS last_sequence FROM audit_logs
         WHERE organization_id = $1 AND number IS NULL",
        vec![],
    );
    let outside = outside.await?.into_iter().next();
    Ok(outside.unwrap_or(Outside {
        count: 0,
        last_sequence: None,
    }))
}
