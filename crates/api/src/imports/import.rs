//! Imports.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Scope,
    attendance::imports::import::{self, ImportId},
    page::PageRequest,
    permission::{EventsRead, ImportsRead},
};
use futures_util::future::BoxFuture;

use super::preset::{ImportColumn, ImportEncoding, ImportPreset, columns};
use crate::{
    connection::Connection,
    error::{Result, nullable},
    events::event::{Event, EventById},
    id,
    loader::{Loaded, Relation},
    operation::Operation,
    requires::Requires,
    selection::{Rows, Selection},
};

/// A file of people, and perhaps of their attendance, on its way in.
#[derive(Clone)]
pub struct Import(Arc<import::Import>);

/// An import by its id.
pub struct ImportById;

/// Where an import stands.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "import::Status")]
pub enum ImportStatus {
    /// The dry run is under way.
    Reading,
    /// The dry run is done; nothing was changed yet.
    Previewed,
    /// Rows are being written.
    Committing,
    /// Every row was written.
    Committed,
    /// It could not be read; nothing was changed.
    Failed,
}

/// What the dry run found a file to be.
#[derive(SimpleObject)]
pub struct ImportedFile {
    /// How its bytes are text.
    encoding: ImportEncoding,
    /// What separates its columns.
    separator: String,
    /// Its columns.
    columns: Vec<String>,
    /// The kind of file it was read as.
    preset: ImportPreset,
    /// The likeliest kind.
    detected_preset: ImportPreset,
    /// How likely that is, from 0 to 1.
    confidence: f32,
    /// Which column was read as what.
    mapping: Vec<ImportColumn>,
}

/// Queries about imports.
#[derive(Default)]
pub struct ImportQuery;

#[Object]
impl ImportQuery {
    /// An import by its id.
    #[graphql(directive = Requires::apply(ImportsRead))]
    async fn import(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its global id.")] id: ID,
    ) -> Option<Result<Import>> {
        match nullable(id::decode(&id, "id"))? {
            Ok(id) => Operation::of(context)
                .load::<ImportById>(id)
                .await
                .transpose(),
            Err(fault) => Some(Err(fault)),
        }
    }

    /// The organization's imports, newest first.
    #[graphql(directive = Requires::apply(ImportsRead))]
    async fn imports(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from the front: 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the back: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Import>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let operation = Operation::of(context);
        let page = import::list(&operation.reader().await?, &request).await?;
        Ok(Connection::prefetched(page, operation, &Selection::of(context)).await)
    }
}

/// A file of people, and perhaps of their attendance, on its way in.
#[Object]
impl Import {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Its file's name.
    fn file_name(&self) -> &str {
        &self.0.file_name
    }

    /// The event that its attendance belongs to; null when only people are brought in.
    #[graphql(directive = Requires::apply(EventsRead))]
    async fn event(&self, context: &Context<'_>) -> Option<Result<Event>> {
        Operation::of(context)
            .load::<EventById>(self.0.event_id?)
            .await
            .transpose()
    }

    /// Where it stands.
    fn status(&self) -> ImportStatus {
        self.0.status.into()
    }

    /// Why it failed, for people.
    fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// What the dry run found the file to be; null before it is done.
    fn file(&self) -> Option<Result<ImportedFile>> {
        let found = import::reading(&self.0)
            .map(|reading| reading.found)
            .transpose()?;
        Some(found.map(ImportedFile::from).map_err(Into::into))
    }

    /// Data rows found so far.
    fn rows_total(&self) -> i32 {
        self.0.rows_total
    }

    /// Rows written so far.
    fn rows_done(&self) -> i32 {
        self.0.rows_done
    }

    /// Rows that make a patron.
    fn to_create(&self) -> i32 {
        self.0.to_create
    }

    /// Rows that meet a known patron.
    fn to_link(&self) -> i32 {
        self.0.to_link
    }

    /// Rows that resemble a known patron.
    fn to_suggest(&self) -> i32 {
        self.0.to_suggest
    }

    /// Rows that are passed over.
    fn to_skip(&self) -> i32 {
        self.0.to_skip
    }

    /// Rows that cannot be read.
    fn with_error(&self) -> i32 {
        self.0.with_error
    }

    /// When it was started.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it last went on.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// When its last row was written.
    fn committed_at(&self) -> Option<DateTime<Utc>> {
        self.0.committed_at
    }
}

impl From<import::Import> for Import {
    fn from(row: import::Import) -> Self {
        Self(Arc::new(row))
    }
}

impl From<import::Found> for ImportedFile {
    fn from(found: import::Found) -> Self {
        Self {
            encoding: found.encoding.into(),
            separator: found.separator.to_string(),
            columns: found.columns,
            preset: found.preset.into(),
            detected_preset: found.detection.preset.into(),
            confidence: found.detection.confidence,
            mapping: columns(found.mapping),
        }
    }
}

impl Relation for ImportById {
    type Key = ImportId;
    type Value = Import;

    async fn load(scope: Scope, keys: Vec<ImportId>) -> Loaded<Self> {
        let rows = import::load(&scope.reader()?, &keys).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, Ok(row.into())))
            .collect())
    }
}

impl Rows for Import {
    fn prefetch<'a>(
        rows: Vec<Self>,
        operation: &'a Operation,
        selected: Selection<'a>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let events = selected.field("event");
            if events.is_asked() {
                let ids = rows.iter().filter_map(|import| import.0.event_id).collect();
                Event::prefetch(
                    operation.load_all::<EventById>(ids).await,
                    operation,
                    events,
                )
                .await;
            }
        })
    }
}
