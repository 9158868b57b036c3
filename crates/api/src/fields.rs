//! What the fields of a row are, declared once: for the executor, for the loaders that look ahead,
//! and for the statement that answers in their place.

use async_graphql::ID;
use chrono::{DateTime, Utc};
use domain::{
    Permission,
    scope::{Form, Listing, Table},
};

use crate::{
    audit::entry::{AuditActorKind, AuditResult},
    events::event::CapacityPolicy,
    id::{self, Global},
    long::Long,
    loyalty::entry::LoyaltyEntryKind,
    time::Time,
    written::Below,
};

/// A kind of row whose fields are declared with [`fields!`](crate::fields!).
pub trait Fields: async_graphql::OutputType {
    /// The table of its rows.
    fn table() -> Table;

    /// The field of this name; none for one that only the executor can answer.
    fn field(name: &str) -> Option<Field>;
}

/// What a field is.
pub enum Field {
    /// A column, or an expression over the row, and the permission it needs besides its row's.
    Column(&'static str, Form, Option<Permission>),
    /// The row of a table that a column names.
    One(fn() -> Table, &'static str, Below),
    /// A list below the row.
    Many(fn() -> Listing, Below),
}

/// A stored value as it is shown.
pub trait Shown<'a, Stored> {
    /// Its JSON, where the database writes it.
    const FORM: Form;

    /// The same value, where the executor does.
    fn shown(stored: &'a Stored) -> Self;
}

impl<'a> Shown<'a, String> for &'a str {
    const FORM: Form = Form::Text;

    fn shown(stored: &'a String) -> Self {
        stored
    }
}

impl<'a, Stored, S: Shown<'a, Stored>> Shown<'a, Option<Stored>> for Option<S> {
    const FORM: Form = S::FORM;

    fn shown(stored: &'a Option<Stored>) -> Self {
        stored.as_ref().map(S::shown)
    }
}

impl<G: Global> Shown<'_, G> for ID {
    const FORM: Form = Form::Id(G::TAG);

    fn shown(stored: &G) -> Self {
        id::encode(*stored)
    }
}

/// In hexadecimal digits.
impl Shown<'_, Vec<u8>> for String {
    const FORM: Form = Form::Hexadecimal;

    fn shown(stored: &Vec<u8>) -> Self {
        stored.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// `$stored` is shown as `$shown`, which it converts into.
macro_rules! shown {
    ($($stored:ty => $shown:ty, $form:ident;)*) => {$(
        impl Shown<'_, $stored> for $shown {
            const FORM: Form = Form::$form;

            fn shown(stored: &$stored) -> Self {
                (*stored).into()
            }
        }
    )*};
}

/// Of what no person does for so long.
impl Shown<'_, i64> for i32 {
    const FORM: Form = Form::Number;

    fn shown(stored: &i64) -> Self {
        Self::try_from(*stored).unwrap_or(Self::MAX)
    }
}

shown! {
    i32 => i32, Number;
    i64 => Long, Number;
    bool => bool, Boolean;
    DateTime<Utc> => Time, Time;
    domain::events::event::CapacityPolicy => CapacityPolicy, Name;
    domain::loyalty::ledger::Kind => LoyaltyEntryKind, Name;
    domain::audit::entry::ActorKind => AuditActorKind, Name;
    domain::audit::entry::Outcome => AuditResult, Name;
}

/// The form in which a column is shown.
pub fn form<'a, Row: 'a, Stored: 'a, S: Shown<'a, Stored>>(_: fn(&'a Row) -> &'a Stored) -> Form {
    S::FORM
}

/// Whether a name of the schema is that of a resolver.
#[must_use]
pub fn is_named(name: &str, resolver: &str) -> bool {
    let mut letters = name.chars();
    let mut capital = false;
    for letter in resolver.chars() {
        if letter == '_' {
            capital = true;
            continue;
        }
        let expected = if capital {
            letter.to_ascii_uppercase()
        } else {
            letter
        };
        if letters.next() != Some(expected) {
            return false;
        }
        capital = false;
    }
    letters.next().is_none()
}

/// Declares the fields of a kind of row, whose type holds the row itself.
///
/// | section | a line |
/// |---|---|
/// | `columns` | `name: Shown = column;` |
/// | `computed` | `name: Shown = value of the row and the present, "expression" as Form;` |
/// | `guarded` | `name: Shown = value of the row, "column or expression" as Form, Permission;`: null and an error without the permission |
/// | `one` | `name: Node = Relation by column, Permission;`: the row that a column names |
/// | `many` | `name: Node = Nested, listing, Permission;`: a list below the row |
/// | `needs` | `name: Relation by key of the row;`: what a resolver below loads |
///
/// What follows the sections are resolvers of their own, which only the executor answers.
#[macro_export]
macro_rules! fields {
    (
        $(#[$about:meta])*
        $node:ident in $table:path;
        columns { $( $(#[$column_about:meta])* $column:ident: $column_shown:ty = $stored:ident; )* }
        computed { $( $(#[$computed_about:meta])* $computed:ident: $computed_shown:ty = $computed_value:expr, $computed_text:expr, $computed_form:ident; )* }
        guarded { $( $(#[$guarded_about:meta])* $guarded:ident: $guarded_shown:ty = $value:expr, $text:expr, $form:ident, $guard:ident; )* }
        one { $( $(#[$one_about:meta])* $one:ident: $one_node:ident = $relation:ident by $key:ident, $one_permission:ident; )* }
        many { $( $(#[$many_about:meta])* $many:ident: $many_node:ident = $nested:ident, $listing:path, $many_permission:ident; )* }
        needs { $( $need:ident: $needed:ident by $need_key:expr; )* }
        $($resolvers:tt)*
    ) => {
        $(#[$about])*
        #[async_graphql::Object]
        impl $node {
            $(
                $(#[$column_about])*
                pub async fn $column(&self) -> $column_shown {
                    $crate::fields::Shown::shown(&self.0.$stored)
                }
            )*
            $(
                $(#[$computed_about])*
                async fn $computed(&self, context: &async_graphql::Context<'_>) -> $computed_shown {
                    let now = $crate::operation::Operation::of(context).clock().now();
                    let value = $computed_value;
                    value(&*self.0, now)
                }
            )*
            $(
                $(#[$guarded_about])*
                #[graphql(directive = $crate::requires::Requires::apply($guard))]
                async fn $guarded(&self, context: &async_graphql::Context<'_>) -> Option<$crate::error::Result<$guarded_shown>> {
                    let reader = $crate::operation::Operation::of(context).reader::<$guard>().await;
                    let value = $value;
                    $crate::error::nullable(reader.map(|_| value(&*self.0)))
                }
            )*
            $(
                $(#[$one_about])*
                #[graphql(directive = $crate::requires::Requires::apply($one_permission))]
                async fn $one(&self, context: &async_graphql::Context<'_>) -> Option<$crate::error::Result<$one_node>> {
                    let key: Option<_> = self.0.$key.into();
                    let operation = $crate::operation::Operation::of(context);
                    operation.load::<$relation>(key?).await.transpose()
                }
            )*
            $(
                $(#[$many_about])*
                #[graphql(directive = $crate::requires::Requires::apply($many_permission))]
                async fn $many(
                    &self,
                    context: &async_graphql::Context<'_>,
                    #[graphql(desc = "How many, from the front: 1 to 100.")] first: Option<i32>,
                    #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
                    #[graphql(desc = "How many, from the back: 1 to 100.")] last: Option<i32>,
                    #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
                ) -> Option<$crate::error::Result<$crate::connection::Connection<$many_node>>> {
                    let request = domain::page::PageRequest { first, after, last, before };
                    let operation = $crate::operation::Operation::of(context);
                    operation.load::<$nested>((self.0.id, request)).await.transpose()
                }
            )*
            $($resolvers)*
        }

        impl $crate::fields::Fields for $node {
            fn table() -> domain::scope::Table {
                $table()
            }

            fn field(name: &str) -> Option<$crate::fields::Field> {
                use $crate::fields::{Field, form, is_named};
                $(
                    if is_named(name, stringify!($column)) {
                        let form = form::<$node, _, $column_shown>(|node| &node.0.$stored);
                        return Some(Field::Column(stringify!($stored), form, None));
                    }
                )*
                $(
                    if is_named(name, stringify!($computed)) {
                        let form = domain::scope::Form::$computed_form;
                        return Some(Field::Column($computed_text, form, None));
                    }
                )*
                $(
                    if is_named(name, stringify!($guarded)) {
                        let form = domain::scope::Form::$form;
                        let permission = <$guard as domain::Grant>::PERMISSION;
                        return Some(Field::Column($text, form, Some(permission)));
                    }
                )*
                $(
                    if is_named(name, stringify!($one)) {
                        let below = $crate::written::shape::<$one_node>;
                        return Some(Field::One(<$one_node>::table, stringify!($key), below));
                    }
                )*
                $(
                    if is_named(name, stringify!($many)) {
                        let below = $crate::written::connection::<$many_node>;
                        return Some(Field::Many($listing, below));
                    }
                )*
                None
            }
        }

        impl $crate::selection::Rows for $node {
            fn prefetch<'a>(
                rows: Vec<Self>,
                operation: &'a $crate::operation::Operation,
                selected: $crate::selection::Selection<'a>,
            ) -> futures_util::future::BoxFuture<'a, ()> {
                Box::pin(async move {
                    let _ = (&rows, operation, &selected);
                    $(
                        if selected.field(stringify!($need)).is_asked() {
                            let key = $need_key;
                            let keys = rows.iter().map(|row| key(&*row.0)).collect();
                            operation.load_all::<$needed>(keys).await;
                        }
                    )*
                    $(
                        let below = selected.field(stringify!($one));
                        if below.is_asked() {
                            let keys = rows.iter().filter_map(|row| row.0.$key.into()).collect();
                            let found = operation.load_all::<$relation>(keys).await;
                            <$one_node as $crate::selection::Rows>::prefetch(found, operation, below).await;
                        }
                    )*
                    $(
                        let below = selected.field(stringify!($many));
                        let ids = rows.iter().map(|row| row.0.id).collect();
                        $crate::selection::prefetch_pages::<$nested>(ids, operation, below).await;
                    )*
                })
            }
        }
    };
}
