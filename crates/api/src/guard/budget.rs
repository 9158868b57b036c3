//! What a parsed document costs: one pass, in which every fragment is weighed once.
//!
//! The library's own limits expand a fragment again at every spread, so chained fragments cost it
//! exponential time. A document that passes here expands to at most [`MAX_SELECTIONS`] fields, which
//! makes the library's walks harmless.

use std::collections::HashMap;
use std::convert::Infallible;

use async_graphql::parser::Pos;
use async_graphql::parser::types::{
    ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet, VariableDefinition,
};
use async_graphql::{Name, Positioned, ServerError, Value, Variables};

use super::error;
use super::weight::Weight;

/// Operations in a document, of which one runs.
pub const MAX_OPERATIONS: usize = 10;
/// Fields of an operation once its fragments are expanded.
pub const MAX_SELECTIONS: u64 = 5_000;
/// Aliases of an operation, those of `__typename` included, once its fragments are expanded.
pub const MAX_ALIASES: u64 = 100;
/// Fields of an operation's first level.
pub const MAX_ROOT_FIELDS: u64 = 20;
/// Fields below one another.
pub const MAX_DEPTH: u64 = 15;
/// Fields below `__schema` or `__type`; the standard introspection query has 15.
pub const MAX_INTROSPECTION_DEPTH: u64 = 20;
/// Selection sets below one another, fragments included: the library's own limit.
pub const MAX_LEVELS: u64 = 32;
/// Items of all pages that an operation may ask for.
pub const MAX_NODES: u64 = 50_000;
/// Fields an answer may hold: each selected field counts once per item of the pages around it.
pub const MAX_COMPLEXITY: u64 = 250_000;
/// Fields that introspection may hold, by assumed list sizes. The standard query weighs about half
/// of it; three `fields` lists inside one another below `types` are refused.
pub const MAX_INTROSPECTION: u64 = 500_000;
/// The size of a page when `first` and `last` are left out.
pub const DEFAULT_PAGE: u64 = 20;

/// What an operation may cost at most, known before it runs. Introspection counts each of its
/// fields once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Fields the answer may hold.
    pub complexity: u64,
    /// Items of all pages.
    pub nodes: u64,
    /// Fields below one another.
    pub depth: u64,
    /// Fields of the first level.
    pub fields: u64,
}

/// Weighs a document and returns the cost of the operation that runs.
///
/// # Errors
/// The code of the first limit that any of its operations breaks, or `FRAGMENT_CYCLE`.
pub fn measure(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<Cost, ServerError> {
    if document.operations.iter().len() > MAX_OPERATIONS {
        return Err(error(
            "DOCUMENT_TOO_LARGE",
            format!("The document has more than {MAX_OPERATIONS} operations."),
            None,
        ));
    }
    let mut scale = Scale {
        document,
        variables,
        definitions: &operation.variable_definitions,
        fragments: HashMap::new(),
    };
    // Whatever does not run is still validated by the library, and must be harmless there.
    for (name, fragment) in &document.fragments {
        within_levels(scale.fragment(name, fragment.pos, 0)?, fragment.pos)?;
    }
    for (_, other) in document.operations.iter() {
        let weight = scale.set(&other.node.selection_set.node, other.pos, 1)?;
        within_shape(weight, other.pos)?;
    }
    let position = operation.selection_set.pos;
    let weight = scale.set(&operation.selection_set.node, position, 1)?;
    within_cost(weight, position)
}

/// Weighs selections, and remembers what each fragment weighed.
struct Scale<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    definitions: &'a [Positioned<VariableDefinition>],
    /// `None` while a fragment is being weighed: meeting it then is a cycle.
    fragments: HashMap<&'a str, Option<Weight>>,
}

impl<'a> Scale<'a> {
    fn set(&mut self, set: &'a SelectionSet, at: Pos, level: u64) -> Result<Weight, ServerError> {
        let mut weight = Weight::default();
        if set.items.is_empty() {
            return Ok(weight);
        }
        // The recursion is bounded here, before the sum below is known.
        if level > MAX_LEVELS {
            return Err(too_deep("selection sets", MAX_LEVELS, at));
        }
        for selection in &set.items {
            let at = selection.pos;
            weight = weight
                + match &selection.node {
                    Selection::Field(field) => self.field(&field.node, at, level)?,
                    Selection::InlineFragment(fragment) => {
                        self.set(&fragment.node.selection_set.node, at, level + 1)?
                    }
                    Selection::FragmentSpread(spread) => {
                        self.fragment(&spread.node.fragment_name.node, at, level)?
                    }
                };
        }
        weight.levels += 1;
        Ok(weight)
    }

    fn field(&mut self, field: &'a Field, at: Pos, level: u64) -> Result<Weight, ServerError> {
        let inner = self.set(&field.selection_set.node, at, level + 1)?;
        let aliased = field.alias.is_some();
        let name = field.name.node.as_str();
        Ok(if matches!(name, "__schema" | "__type") {
            inner.under_introspection(aliased)
        } else {
            inner.under_field(name, self.page(field, inner.paged), aliased)
        })
    }

    fn fragment(&mut self, name: &'a Name, at: Pos, level: u64) -> Result<Weight, ServerError> {
        match self.fragments.get(name.as_str()) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => {
                return Err(error(
                    "FRAGMENT_CYCLE",
                    format!("Fragment `{name}` contains itself."),
                    Some(at),
                ));
            }
            None => {}
        }
        // A missing fragment weighs nothing: validation reports it.
        let mut weight = Weight::default();
        if let Some(fragment) = self.document.fragments.get(name) {
            self.fragments.insert(name, None);
            weight = self.set(&fragment.node.selection_set.node, at, level + 1)?;
        }
        self.fragments.insert(name, Some(weight));
        Ok(weight)
    }

    /// How many items a field answers with, when it is a list whose size the request decides.
    fn page(&self, field: &'a Field, paged: bool) -> Option<u64> {
        // Both together are refused later; until then both count.
        let asked = ["first", "last"].map(|name| self.argument(field, name));
        let asked = asked.into_iter().flatten().reduce(u64::saturating_add);
        let page = asked.or_else(|| self.argument(field, "ids"));
        page.or(paged.then_some(DEFAULT_PAGE))
            .map(|size| size.max(1))
    }

    /// The number that an argument is, or the length of the list that it is.
    fn argument(&self, field: &'a Field, name: &str) -> Option<u64> {
        let value = field.get_argument(name)?.node.clone();
        // A variable is replaced by its size, never by its value, which may be as large as a body.
        let known = |name: Name| Ok::<_, Infallible>(Value::from(self.variable(&name)));
        value.into_const_with(known).ok().as_ref().and_then(size)
    }

    fn variable(&self, name: &Name) -> Option<u64> {
        let default = || {
            let mut definitions = self.definitions.iter().map(|definition| &definition.node);
            let definition = definitions.find(|definition| definition.name.node == *name)?;
            definition.default_value()
        };
        self.variables.get(name).or_else(default).and_then(size)
    }
}

fn size(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::List(list) => Some(list.len() as u64),
        _ => None,
    }
}

/// Limits that hold for everything the library walks through.
fn within_shape(weight: Weight, at: Pos) -> Result<(), ServerError> {
    within_levels(weight, at)?;
    let limits = [
        (weight.aliases, MAX_ALIASES, "TOO_MANY_ALIASES", "aliases"),
        (
            weight.fields,
            MAX_ROOT_FIELDS,
            "TOO_MANY_ROOT_FIELDS",
            "root fields",
        ),
        (
            weight.introspection,
            MAX_INTROSPECTION,
            "QUERY_TOO_COMPLEX",
            "fields of the schema",
        ),
    ];
    for (count, limit, code, what) in limits {
        if count > limit {
            return Err(over(code, what, count, limit, at));
        }
    }
    if weight.depth > MAX_DEPTH {
        return Err(too_deep("fields", MAX_DEPTH, at));
    }
    if weight.introspection_depth > MAX_INTROSPECTION_DEPTH {
        return Err(too_deep(
            "introspection fields",
            MAX_INTROSPECTION_DEPTH,
            at,
        ));
    }
    Ok(())
}

fn within_levels(weight: Weight, at: Pos) -> Result<(), ServerError> {
    if weight.levels > MAX_LEVELS {
        return Err(too_deep("selection sets", MAX_LEVELS, at));
    }
    if weight.selections > MAX_SELECTIONS {
        let count = weight.selections;
        return Err(over(
            "QUERY_TOO_COMPLEX",
            "selected fields",
            count,
            MAX_SELECTIONS,
            at,
        ));
    }
    Ok(())
}

fn within_cost(weight: Weight, at: Pos) -> Result<Cost, ServerError> {
    if weight.nodes > MAX_NODES {
        return Err(over(
            "QUERY_TOO_COMPLEX",
            "items",
            weight.nodes,
            MAX_NODES,
            at,
        ));
    }
    if weight.complexity > MAX_COMPLEXITY {
        let count = weight.complexity;
        return Err(over(
            "QUERY_TOO_COMPLEX",
            "answered fields",
            count,
            MAX_COMPLEXITY,
            at,
        ));
    }
    Ok(Cost {
        complexity: weight.complexity,
        nodes: weight.nodes,
        depth: weight.depth,
        fields: weight.fields,
    })
}

fn over(code: &str, what: &str, count: u64, limit: u64, at: Pos) -> ServerError {
    let message = format!("The operation has {count} {what}; at most {limit} are allowed.");
    error(code, message, Some(at))
}

fn too_deep(what: &str, limit: u64, at: Pos) -> ServerError {
    let message = format!("The document nests {what} deeper than {limit}.");
    error("DOCUMENT_TOO_DEEP", message, Some(at))
}

#[cfg(test)]
mod tests;
