//! Whether a document asks for one thing twice.

use std::collections::HashSet;

use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};

/// Whether one of the operation's answers, or of the objects in a mutation's payloads, is selected
/// more than once under one name. The library resolves each selection by itself and merges what they
/// gave, which takes more than their JSON.
#[must_use]
pub fn is_repeated(document: &ExecutableDocument, operation: &OperationDefinition) -> bool {
    let answers = fields(document, &operation.selection_set.node);
    if is_any_repeated(&answers) {
        return true;
    }
    operation.ty == OperationType::Mutation
        && answers.iter().any(|answer| {
            let mut objects = fields(document, &answer.selection_set.node);
            objects.retain(|field| !field.selection_set.node.items.is_empty());
            is_any_repeated(&objects)
        })
}

fn is_any_repeated(fields: &[&Field]) -> bool {
    let mut names = HashSet::new();
    fields
        .iter()
        .any(|field| !names.insert(&field.response_key().node))
}

/// The fields of a set, those in fragments too. The document was weighed: it has no cycles, and
/// expands to few.
fn fields<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet) -> Vec<&'a Field> {
    let below = |selection: &'a Positioned<Selection>| match &selection.node {
        Selection::Field(field) => vec![&field.node],
        Selection::InlineFragment(fragment) => fields(document, &fragment.node.selection_set.node),
        Selection::FragmentSpread(spread) => {
            let name: &Name = &spread.node.fragment_name.node;
            let fragment = document.fragments.get(name);
            fragment.map_or_else(Vec::new, |fragment| {
                fields(document, &fragment.node.selection_set.node)
            })
        }
    };
    set.items.iter().flat_map(below).collect()
}
