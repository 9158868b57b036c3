//! Connections as the Relay specification has them, made of the domain's pages.

use std::{borrow::Cow, sync::Arc};

use async_graphql::{Object, OutputType, SimpleObject, TypeName, connection::PageInfo};
use domain::page::Page;

use crate::{
    operation::Operation,
    selection::{Rows, Selection},
};

/// Rows counted for a connection's `totalCount` at most.
pub const MOST_COUNTED: u64 = 10_000;

/// A page of a list.
pub struct Connection<N>(Arc<Page<N>>);

/// A page of a list that can also be counted.
pub struct CountedConnection<N> {
    /// The page.
    pub page: Connection<N>,
    /// How many there are in all, if that was asked for.
    pub total: Option<u64>,
}

/// One item of a page, with the cursor that stands for its place.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub struct Edge<'a, N: OutputType> {
    /// The item.
    node: &'a N,
    /// Its place in the list, for `after` and `before`.
    cursor: &'a str,
}

impl<N> Connection<N> {
    /// The items of the page, in the list's order.
    pub fn rows(&self) -> impl Iterator<Item = &N> {
        self.0.rows.iter().map(|(_, row)| row)
    }

    fn items(&self) -> Vec<Edge<'_, N>>
    where
        N: OutputType,
    {
        let rows = self.0.rows.iter();
        rows.map(|(cursor, node)| Edge { node, cursor }).collect()
    }

    fn info(&self) -> PageInfo {
        let cursor = |row: Option<&(String, N)>| row.map(|(cursor, _)| cursor.clone());
        PageInfo {
            has_previous_page: self.0.has_previous,
            has_next_page: self.0.has_next,
            start_cursor: cursor(self.0.rows.first()),
            end_cursor: cursor(self.0.rows.last()),
        }
    }
}

impl<N: Rows> Connection<N> {
    /// A page whose items have what the request selects below them.
    pub async fn prefetched<Row>(
        page: Page<Row>,
        operation: &Operation,
        selected: &Selection<'_>,
    ) -> Self
    where
        N: From<Row>,
    {
        let page = Self::from(page);
        N::prefetch(page.rows().cloned().collect(), operation, selected.items()).await;
        page
    }
}

impl<N: Rows> CountedConnection<N> {
    /// A page whose items have what the request selects below them.
    pub async fn prefetched(
        page: Connection<N>,
        total: Option<u64>,
        operation: &Operation,
        selected: &Selection<'_>,
    ) -> Self {
        N::prefetch(page.rows().cloned().collect(), operation, selected.items()).await;
        Self { page, total }
    }
}

impl<N> Clone for Connection<N> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<N: From<Row>, Row> From<Page<Row>> for Connection<N> {
    fn from(page: Page<Row>) -> Self {
        let rows = page
            .rows
            .into_iter()
            .map(|(cursor, row)| (cursor, row.into()));
        Self(Arc::new(Page {
            rows: rows.collect(),
            has_previous: page.has_previous,
            has_next: page.has_next,
        }))
    }
}

impl<N: OutputType> TypeName for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", N::type_name()).into()
    }
}

impl<N: OutputType> TypeName for CountedConnection<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", N::type_name()).into()
    }
}

impl<N: OutputType> TypeName for Edge<'_, N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", N::type_name()).into()
    }
}

/// A page of a list.
#[Object(name_type)]
impl<N: OutputType> Connection<N> {
    /// The items of the page with their cursors.
    fn edges(&self) -> Vec<Edge<'_, N>> {
        self.items()
    }

    /// The items of the page.
    fn nodes(&self) -> Vec<&N> {
        self.rows().collect()
    }

    /// Where the page stands in the list.
    fn page_info(&self) -> PageInfo {
        self.info()
    }
}

/// A page of a list.
#[Object(name_type)]
impl<N: OutputType> CountedConnection<N> {
    /// The items of the page with their cursors.
    fn edges(&self) -> Vec<Edge<'_, N>> {
        self.page.items()
    }

    /// The items of the page.
    fn nodes(&self) -> Vec<&N> {
        self.page.rows().collect()
    }

    /// Where the page stands in the list.
    fn page_info(&self) -> PageInfo {
        self.page.info()
    }

    /// How many items the whole list has, counted up to 10,000.
    fn total_count(&self) -> i32 {
        self.total
            .and_then(|total| i32::try_from(total).ok())
            .unwrap_or_default()
    }
}
