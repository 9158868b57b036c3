//! Entries of the loyalty ledger.

use std::sync::Arc;

use async_graphql::{Enum, ID};
use domain::{
    Scope,
    loyalty::ledger::{self, EntryId},
    page::{Page, PageRequest},
    patrons::patron::PatronId,
};

use crate::{
    fields,
    loader::{Loaded, Nested, Pages, Relation},
    long::Long,
    time::Time,
};

/// One movement of a patron's points. Entries are added, never changed.
#[derive(Clone)]
pub struct LoyaltyEntry(Arc<ledger::Entry>);

/// An entry by its id.
pub struct EntryById;

/// A patron's entries.
pub struct EntriesOfPatron;

/// What moved points.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "ledger::Kind")]
pub enum LoyaltyEntryKind {
    /// An award.
    Earn,
    /// A reward.
    Redeem,
    /// Time.
    Expire,
    /// The undoing of an award.
    Reverse,
    /// A person's correction.
    Adjust,
    /// A merge of two patrons.
    Transfer,
}

fields! {
    /// One movement of a patron's points. Entries are added, never changed.
    LoyaltyEntry in ledger::table;
    columns {
        /// Global id.
        id: ID = id;
        /// What moved the points.
        kind: LoyaltyEntryKind = kind;
        /// How many, with their sign.
        points: Long = points;
        /// Why, for people.
        reason: &str = reason;
        /// When it was booked.
        created_at: Time = created_at;
    }
    computed {}
    guarded {}
    one {}
    many {}
    needs {}
}

impl From<ledger::Entry> for LoyaltyEntry {
    fn from(row: ledger::Entry) -> Self {
        Self(Arc::new(row))
    }
}

impl Relation for EntryById {
    type Key = EntryId;
    type Value = LoyaltyEntry;

    async fn load(scope: Scope, keys: Vec<EntryId>) -> Loaded<Self> {
        let rows = ledger::load(&scope.reader()?, &keys).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, Ok(row.into())))
            .collect())
    }
}

impl Nested for EntriesOfPatron {
    type Parent = PatronId;
    type Row = ledger::Entry;
    type Node = LoyaltyEntry;

    async fn first(scope: &Scope, parents: &[PatronId], size: u64) -> domain::Result<Pages<Self>> {
        ledger::first_of_each(&scope.reader()?, parents, size).await
    }

    async fn list(
        scope: &Scope,
        parent: PatronId,
        request: &PageRequest,
    ) -> domain::Result<Page<ledger::Entry>> {
        ledger::list(&scope.reader()?, parent, request).await
    }
}
