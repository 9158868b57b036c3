//! Rows of an import's file.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Json, Object};
use domain::{
    attendance::imports::import::{self, Verdict},
    page::PageRequest,
    permission::{ImportsRead, PatronsRead},
};
use futures_util::future::BoxFuture;

use crate::{
    connection::Connection,
    error::Result,
    id,
    operation::Operation,
    patrons::patron::{Patron, PatronById},
    requires::Requires,
    selection::{Rows, Selection},
};

/// One row of an import's file, and what becomes of it.
#[derive(Clone)]
pub struct ImportRow(Arc<import::ImportRow>);

/// What the dry run found a row to be.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Verdict")]
pub enum ImportVerdict {
    /// A new patron.
    Create,
    /// A known patron.
    Link,
    /// A new patron who resembles a known one.
    Suggest,
    /// Nothing to do.
    Skip,
    /// Cannot be read.
    Error,
}

/// Queries about rows of imports.
#[derive(Default)]
pub struct ImportRowQuery;

#[Object]
impl ImportRowQuery {
    /// The rows of an import in the order of its file; none for one that is not there.
    #[graphql(directive = Requires::apply(ImportsRead))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of a connection, and a filter"
    )]
    async fn import_rows(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which import.")] import_id: ID,
        #[graphql(desc = "How many, from the front: 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the back: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only those with this verdict.")] verdict: Option<ImportVerdict>,
    ) -> Result<Connection<ImportRow>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let operation = Operation::of(context);
        let (reader, id) = (
            operation.reader().await?,
            id::decode(&import_id, "importId")?,
        );
        let page = import::rows(&reader, id, verdict.map(Into::into), &request).await?;
        Ok(Connection::prefetched(page, operation, &Selection::of(context)).await)
    }
}

/// One row of an import's file, and what becomes of it.
#[Object]
impl ImportRow {
    /// Line of the file, from 1.
    fn line(&self) -> i32 {
        self.0.line
    }

    /// What the dry run found it to be.
    fn verdict(&self) -> ImportVerdict {
        self.0.verdict.into()
    }

    /// Why it is skipped or wrong, as a code.
    fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The same for people.
    fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// The column that is wrong.
    fn column(&self) -> Option<&str> {
        self.0.column.as_deref()
    }

    /// What was read of it: the person, and what it says about coming. Empty for a row that could
    /// not be read.
    fn content(&self) -> Json<&serde_json::Value> {
        Json(&self.0.content)
    }

    /// The patron that it meets, resembles or made.
    #[graphql(directive = Requires::apply(PatronsRead))]
    async fn patron(&self, context: &Context<'_>) -> Option<Result<Patron>> {
        Operation::of(context)
            .load::<PatronById>(self.0.patron_id?)
            .await
            .transpose()
    }

    /// Whether it was written.
    fn committed(&self) -> bool {
        self.0.committed
    }
}

impl From<import::ImportRow> for ImportRow {
    fn from(row: import::ImportRow) -> Self {
        Self(Arc::new(row))
    }
}

impl Rows for ImportRow {
    fn prefetch<'a>(
        rows: Vec<Self>,
        operation: &'a Operation,
        selected: Selection<'a>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let patrons = selected.field("patron");
            if patrons.is_asked() {
                let ids = rows.iter().filter_map(|row| row.0.patron_id).collect();
                Patron::prefetch(
                    operation.load_all::<PatronById>(ids).await,
                    operation,
                    patrons,
                )
                .await;
            }
        })
    }
}
