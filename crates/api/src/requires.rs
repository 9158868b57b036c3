//! `@requires(permission:)`: which permission a field needs, for clients to see in the schema.

use std::borrow::Cow;

use async_graphql::{
    InputType, TypeDirective, Value,
    indexmap::IndexMap,
    registry::{
        __DirectiveLocation, MetaDirective, MetaDirectiveInvocation, MetaInputValue, Registry,
        location_traits::Directive_At_FIELD_DEFINITION,
    },
};
use domain::Grant;

/// The directive. It only tells: what refuses is `domain::Scope`, under the permission of the same
/// name in the signature of the function that the field calls.
pub struct Requires;

impl Requires {
    /// The directive with the permission that `P` stands for.
    pub fn apply<P: Grant>(_: P) -> MetaDirectiveInvocation {
        let permission = Value::from(P::PERMISSION.as_str());
        MetaDirectiveInvocation {
            name: Self.name().into_owned(),
            args: IndexMap::from_iter([("permission".to_owned(), permission)]),
        }
    }
}

impl Directive_At_FIELD_DEFINITION for Requires {}

impl TypeDirective for Requires {
    fn name(&self) -> Cow<'static, str> {
        "requires".into()
    }

    fn register(&self, registry: &mut Registry) {
        let mut permission =
            MetaInputValue::new("permission".to_owned(), String::create_type_info(registry));
        permission.description = Some("The permission, like `events:read`.".to_owned());
        registry.add_directive(MetaDirective {
            name: self.name().into_owned(),
            description: Some(
                "The field needs this permission in the request's organization; without it, it is \
                 null and there is an error with the code FORBIDDEN."
                    .to_owned(),
            ),
            locations: vec![__DirectiveLocation::FIELD_DEFINITION],
            args: IndexMap::from_iter([("permission".to_owned(), permission)]),
            is_repeatable: false,
            visible: None,
            composable: None,
        });
    }
}
