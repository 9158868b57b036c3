//! Looking ahead: what a list's rows will be asked for, loaded for all of them before they are.
//!
//! A resolver that gives several rows calls [`Rows::prefetch`] with what the request selects below
//! them. Each level loads each relation once and goes on with what it found, so that the fields
//! below answer from the loaders at once: k levels cost k statements.

use async_graphql::{Context, SelectionField, Value};
use domain::page::PageRequest;
use futures_util::future::BoxFuture;

use crate::{fields::is_named, loader::Nested, operation::Operation};

/// A kind of row that has relations below it.
pub trait Rows: Sized + Clone + Send + Sync + 'static {
    /// Loads what `selected` asks for below `rows`. What cannot be loaded, or not be seen, is told
    /// by the fields that need it.
    fn prefetch<'a>(
        rows: Vec<Self>,
        operation: &'a Operation,
        selected: Selection<'a>,
    ) -> BoxFuture<'a, ()>;
}

/// Does the same for lists below each of `parents`: the pages that are asked for, and their rows.
pub async fn prefetch_pages<L>(
    parents: Vec<L::Parent>,
    operation: &Operation,
    selected: Selection<'_>,
) where
    L: Nested,
    L::Node: Rows,
{
    let pages = selected.pages();
    let of_parent = |parent| pages.iter().map(move |page| (parent, page.clone()));
    let keys = parents.into_iter().flat_map(of_parent).collect();
    let connections = operation.load_all::<L>(keys).await;
    let rows = connections
        .iter()
        .flat_map(|connection| connection.rows().cloned());
    L::Node::prefetch(rows.collect(), operation, selected.items()).await;
}

/// What a request selects at one place, with aliases and fragments merged.
#[derive(Clone)]
pub struct Selection<'a>(Vec<SelectionField<'a>>);

impl<'a> Selection<'a> {
    /// What is selected below the field that is being resolved.
    pub fn of(context: &'a Context<'a>) -> Self {
        Self(vec![context.field()])
    }

    /// The fields selected below, in their order.
    pub fn below(&self) -> impl Iterator<Item = SelectionField<'a>> {
        self.0.iter().flat_map(SelectionField::selection_set)
    }

    /// What is selected below the field `name`, which may be its resolver's.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        let below = self.below();
        Self(below.filter(|field| is_named(field.name(), name)).collect())
    }

    /// What is selected below the items of these connections.
    #[must_use]
    pub fn items(&self) -> Self {
        let mut items = self.field("edges").field("node").0;
        items.extend(self.field("nodes").0);
        Self(items)
    }

    /// Whether a field of this name is selected.
    pub fn has(&self, name: &str) -> bool {
        self.field(name).is_asked()
    }

    /// Whether anything stands here at all.
    pub fn is_asked(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether one field stands here, under one name.
    pub fn is_single(&self) -> bool {
        self.0.len() == 1
    }

    /// The pages that these connections ask for, one for each alias with arguments of its own.
    pub fn pages(&self) -> Vec<PageRequest> {
        let mut pages: Vec<PageRequest> = Vec::new();
        for field in &self.0 {
            let page = page(field);
            if !pages.contains(&page) {
                pages.push(page);
            }
        }
        pages
    }
}

/// The page that a connection asks for.
#[must_use]
pub fn page(field: &SelectionField<'_>) -> PageRequest {
    let mut page = PageRequest::default();
    // Arguments that do not resolve are refused when the field itself is.
    for (name, value) in field.arguments().unwrap_or_default() {
        match (name.as_str(), value) {
            ("first", Value::Number(number)) => page.first = integer(&number),
            ("last", Value::Number(number)) => page.last = integer(&number),
            ("after", Value::String(cursor)) => page.after = Some(cursor),
            ("before", Value::String(cursor)) => page.before = Some(cursor),
            _ => {}
        }
    }
    page
}

impl<'a> From<SelectionField<'a>> for Selection<'a> {
    fn from(field: SelectionField<'a>) -> Self {
        Self(vec![field])
    }
}

fn integer(number: &async_graphql::Number) -> Option<i32> {
    number
        .as_i64()
        .and_then(|number| i32::try_from(number).ok())
}
