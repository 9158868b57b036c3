//! Answers that the database writes: a selection of declared fields becomes one statement, and its
//! JSON goes to the client as it is. Whatever else is selected, the executor walks through.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, Name, OutputType, Positioned, SelectionField, ServerResult, Value,
    indexmap, parser::types::Field as AstField, registry::Registry,
};
use domain::{
    Scope,
    scope::{Part, Place, Shape},
};
use uuid::Uuid;

use crate::{
    error::Result,
    fields::{Field, Fields},
    operation::Operation,
    selection::{Selection, page},
};

/// What a field gives: something to walk through, or its JSON.
pub enum Answer<T> {
    /// The executor resolves what is selected below.
    Walked(T),
    /// The database did.
    Written(String),
}

/// The shape of what is selected below a field, where all of it is declared.
pub type Below = fn(&Selection<'_>) -> Option<Shape>;

/// The row with this id, if all that is selected of it can be written; then null where there is none
/// or `removed`, a column, has a value.
pub async fn row<N: Fields>(
    operation: &Operation,
    selected: &Selection<'_>,
    id: impl Into<Uuid>,
    removed: Option<&'static str>,
) -> Option<Option<Result<Answer<N>>>> {
    let shape = selected.is_single().then(|| shape::<N>(selected))?;
    let (scope, shape) = writable::<N>(operation, shape).await?;
    let written = scope
        .written_row(N::table(), id.into(), removed, &shape)
        .await;
    Some(
        written
            .map_err(Into::into)
            .transpose()
            .map(|row| row.map(Answer::Written)),
    )
}

/// The shape of a connection of `N`, if all that is selected of it can be written.
pub async fn page_shape<N: Fields>(
    operation: &Operation,
    selected: &Selection<'_>,
) -> Option<Shape> {
    let shape = connection::<N>(selected);
    writable::<N>(operation, shape)
        .await
        .map(|(_, shape)| shape)
}

async fn writable<N: Fields>(
    operation: &Operation,
    shape: Option<Shape>,
) -> Option<(Scope, Shape)> {
    let scope = operation.scope().await.ok()?;
    let is_writable = |shape: &Shape| {
        operation.writes() && scope.can(N::table().permission()) && scope.can_write(shape)
    };
    let shape = shape.filter(is_writable);
    let way = if shape.is_some() { "written" } else { "walked" };
    metrics::counter!("rollcall_answers_total", "way" => way).increment(1);
    Some((scope, shape?))
}

/// The shape of a row.
#[must_use]
pub fn shape<N: Fields>(selected: &Selection<'_>) -> Option<Shape> {
    object(selected, &N::type_name(), part::<N>)
}

/// The shape of a page of rows.
#[must_use]
pub fn connection<N: Fields>(selected: &Selection<'_>) -> Option<Shape> {
    let mut has_rows = false;
    let connection = object(
        selected,
        &format!("{}Connection", N::type_name()),
        |field| {
            has_rows |= field.name() != "pageInfo";
            Some(match field.name() {
                "nodes" => Part::Rows(shape::<N>(&(*field).into())?),
                "edges" => Part::Rows(edge::<N>(&(*field).into())?),
                "pageInfo" => Part::Object(page_info(&(*field).into())?),
                _ => return None,
            })
        },
    );
    connection.filter(|_| has_rows)
}

fn edge<N: Fields>(selected: &Selection<'_>) -> Option<Shape> {
    object(selected, &format!("{}Edge", N::type_name()), |field| {
        Some(match field.name() {
            "node" => Part::Object(shape::<N>(&(*field).into())?),
            "cursor" => Part::Place(Place::Cursor),
            _ => return None,
        })
    })
}

fn page_info(selected: &Selection<'_>) -> Option<Shape> {
    object(selected, "PageInfo", |field| {
        Some(Part::Place(match field.name() {
            "hasPreviousPage" => Place::HasPrevious,
            "hasNextPage" => Place::HasNext,
            "startCursor" => Place::Start,
            "endCursor" => Place::End,
            _ => return None,
        }))
    })
}

/// The shape of an object of type `name`, field by field.
fn object(
    selected: &Selection<'_>,
    name: &str,
    mut part: impl FnMut(&SelectionField<'_>) -> Option<Part>,
) -> Option<Shape> {
    let mut shape = Shape::default();
    for field in selected.below() {
        let part = match field.name() {
            "__typename" => Part::Constant(format!("\"{name}\"")),
            _ => part(&field)?,
        };
        shape.add(key(&field), part);
    }
    Some(shape)
}

fn part<N: Fields>(field: &SelectionField<'_>) -> Option<Part> {
    let selected = Selection::from(*field);
    Some(match N::field(field.name())? {
        Field::Column(text, form, permission) => Part::Column(text, form, permission),
        Field::One(table, column, below) => Part::One(table(), column, below(&selected)?),
        Field::Many(listing, below) => {
            let walk = page(field).walk(0).ok()?;
            // A cursor is checked with its own list, which each row has one of.
            if walk.from.is_some() {
                return None;
            }
            Part::Many(listing(), walk, below(&selected)?)
        }
    })
}

fn key<'a>(field: &SelectionField<'a>) -> &'a str {
    field.alias().unwrap_or_else(|| field.name())
}

impl<T: OutputType> OutputType for Answer<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<AstField>,
    ) -> ServerResult<Value> {
        match self {
            Self::Walked(value) => value.resolve(context, field).await,
            Self::Written(json) => Ok(written(json.clone())),
        }
    }
}

/// The key under which the library and serde_json hand JSON through as it is.
pub const RAW: &str = "$serde_json::private::RawValue";

/// JSON that is not written again.
pub fn written(json: String) -> Value {
    Value::Object(indexmap::indexmap! {
        Name::new(RAW) => Value::String(json),
    })
}
