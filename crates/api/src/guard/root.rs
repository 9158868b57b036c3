//! The one root field of a subscription (GraphQL, September 2025, section 5.2.4.1). The executor
//! looks for it nowhere but at the root itself, and would take several for several subscriptions.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition,
    OperationType, Selection,
};
use async_graphql::{Name, Positioned, ServerError};

use super::error;

/// The root's type.
const ROOT: &str = "Subscription";

/// Brings the root fields of the document's subscriptions out of their fragments, and makes one of
/// those that are one. What may not stand there stays, for [`check`].
pub fn flatten(document: &mut ExecutableDocument) {
    let ExecutableDocument {
        operations,
        fragments,
    } = document;
    let operations: Vec<_> = match operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    };
    let mut emptied = HashSet::new();
    for operation in operations {
        if operation.node.ty != OperationType::Subscription {
            continue;
        }
        let mut root = Root {
            fragments,
            spread: HashSet::new(),
            items: Vec::new(),
        };
        let items = &mut operation.node.selection_set.node.items;
        root.take(std::mem::take(items));
        *items = root.items;
        emptied.extend(root.spread);
    }
    fragments.retain(|name, _| !emptied.contains(name));
}

/// Refuses a subscription without its one field.
///
/// # Errors
/// `GRAPHQL_VALIDATION_FAILED`.
pub fn check(operation: &OperationDefinition) -> Result<(), ServerError> {
    if operation.ty != OperationType::Subscription {
        return Ok(());
    }
    let set = &operation.selection_set;
    if let [one] = &*set.node.items
        && let Selection::Field(field) = &one.node
        && !field.node.name.node.starts_with("__")
        && field.node.directives.is_empty()
    {
        return Ok(());
    }
    let message = "A subscription selects one field, without directives. Subscribe several times, or select more below it.";
    Err(error("GRAPHQL_VALIDATION_FAILED", message, Some(set.pos)))
}

struct Root<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// Fragments whose fields were taken: once, so that a cycle ends.
    spread: HashSet<Name>,
    items: Vec<Positioned<Selection>>,
}

impl Root<'_> {
    fn take(&mut self, items: Vec<Positioned<Selection>>) {
        for item in items {
            match item.node {
                Selection::Field(field) => self.add(field, item.pos),
                Selection::InlineFragment(inline)
                    if inline.node.directives.is_empty()
                        && inline
                            .node
                            .type_condition
                            .as_ref()
                            .is_none_or(|condition| condition.node.on.node == ROOT) =>
                {
                    self.take(inline.node.selection_set.node.items);
                }
                Selection::FragmentSpread(spread)
                    if spread.node.directives.is_empty()
                        && self.fragment(&spread.node.fragment_name.node).is_some() =>
                {
                    let name = spread.node.fragment_name.node;
                    let fields = self
                        .fragment(&name)
                        .map(|fragment| fragment.selection_set.node.items.clone());
                    if self.spread.insert(name) {
                        self.take(fields.unwrap_or_default());
                    }
                }
                other => self.items.push(Positioned::new(other, item.pos)),
            }
        }
    }

    /// The fragment of this name, if it can stand at the root.
    fn fragment(&self, name: &Name) -> Option<&FragmentDefinition> {
        let fragment = &self.fragments.get(name)?.node;
        let fits = fragment.directives.is_empty() && fragment.type_condition.node.on.node == ROOT;
        fits.then_some(fragment)
    }

    /// Adds a field, or what it selects to the same field that is there already.
    fn add(&mut self, field: Positioned<Field>, position: async_graphql::Pos) {
        let known = self.items.iter_mut().find_map(|item| match &mut item.node {
            Selection::Field(known) if is_same(&known.node, &field.node) => Some(known),
            _ => None,
        });
        match known {
            Some(known) => {
                let items = field.node.selection_set.node.items;
                known.node.selection_set.node.items.extend(items);
            }
            None => self
                .items
                .push(Positioned::new(Selection::Field(field), position)),
        }
    }
}

fn is_same(one: &Field, other: &Field) -> bool {
    let arguments = |field: &Field| {
        let arguments = field.arguments.iter();
        let arguments = arguments.map(|(name, value)| (name.node.clone(), value.node.clone()));
        arguments.collect::<HashMap<_, _>>()
    };
    one.response_key().node == other.response_key().node
        && one.name.node == other.name.node
        && one.directives.is_empty()
        && other.directives.is_empty()
        && arguments(one) == arguments(other)
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn flat(text: &str) -> (ExecutableDocument, Result<(), ServerError>) {
        let mut document = parse_query(text).expect("a document");
        flatten(&mut document);
        let (_, operation) = document.operations.iter().next().expect("an operation");
        let checked = check(&operation.node);
        (document, checked)
    }

    #[test]
    fn one_field_is_found_wherever_it_stands() {
        for (text, selected) in [
            ("subscription { a { b } }", 1),
            (
                "subscription { ...F } fragment F on Subscription { a { b } }",
                1,
            ),
            (
                "subscription { ... { ... on Subscription { a { b } } } }",
                1,
            ),
            (
                "subscription { a(x: 1) { b } ...F ...F } fragment F on Subscription { a(x: 1) { c d } ...F }",
                3,
            ),
        ] {
            let (document, checked) = flat(text);
            assert!(checked.is_ok() && document.fragments.is_empty(), "{text}");
            let (_, operation) = document.operations.iter().next().expect("an operation");
            let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else {
                panic!("a field");
            };
            assert_eq!(
                field.node.selection_set.node.items.len(),
                selected,
                "{text}"
            );
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "subscription { a b }",
            "subscription { a c: a }",
            "subscription { a(x: 1) { b } a(x: 2) { b } }",
            "subscription { a ...F } fragment F on Subscription { b }",
            "subscription { a @skip(if: true) }",
            "subscription { ...F @include(if: false) } fragment F on Subscription { a }",
            "subscription { ... @include(if: true) { a } }",
            "subscription { ...F } fragment F on Query { a }",
            "subscription { ...Missing }",
            "subscription { __typename }",
        ] {
            assert!(flat(text).1.is_err(), "{text}");
        }
        assert!(flat("{ a b }").1.is_ok());
    }
}
