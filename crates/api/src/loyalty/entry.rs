//! Entries of the loyalty ledger.

use std::sync::Arc;

use async_graphql::{Enum, ID, Object};
use chrono::{DateTime, Utc};
use domain::{
    Scope,
    loyalty::ledger::{self, EntryId},
    page::{Page, PageRequest},
    patrons::patron::PatronId,
};
use futures_util::future::BoxFuture;

use crate::{
    id,
    loader::{Loaded, Nested, Pages, Relation},
    long::Long,
    operation::Operation,
    selection::{Rows, Selection},
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

/// One movement of a patron's points. Entries are added, never changed.
#[Object]
impl LoyaltyEntry {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// What moved the points.
    fn kind(&self) -> LoyaltyEntryKind {
        self.0.kind.into()
    }

    /// How many, with their sign.
    fn points(&self) -> Long {
        Long(self.0.points)
    }

    /// Why, for people.
    fn reason(&self) -> &str {
        &self.0.reason
    }

    /// When it was booked.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
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

impl Rows for LoyaltyEntry {
    fn prefetch<'a>(_: Vec<Self>, _: &'a Operation, _: Selection<'a>) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}
