//! The schema as it prints itself: what the walls walk over, so that a new field is met by them
//! without anybody listing it.

use std::{collections::BTreeMap, fmt::Write};

use async_graphql::{
    Value,
    parser::{
        parse_schema,
        types::{
            BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition,
        },
    },
};

/// All types, by name.
pub struct Schema(BTreeMap<String, TypeKind>);

/// A field of an object.
#[derive(Clone)]
pub struct Field {
    pub name: String,
    pub arguments: Vec<Input>,
    /// The type of what it gives, lists and nulls taken off.
    pub result: String,
    /// The permission that its `@requires` declares.
    pub permission: Option<String>,
}

/// An argument, or a field of an input object.
#[derive(Clone)]
pub struct Input {
    pub name: String,
    /// As it is written, like `[ID!]!`.
    pub written: String,
    /// Its type, lists and nulls taken off.
    pub kind: String,
    pub list: bool,
}

impl Schema {
    /// The schema of this build.
    pub fn read() -> Self {
        let document = parse_schema(api::schema::sdl()).expect("a schema");
        let types = document
            .definitions
            .into_iter()
            .filter_map(|definition| match definition {
                TypeSystemDefinition::Type(definition) => {
                    let definition = definition.node;
                    Some((definition.name.node.to_string(), definition.kind))
                }
                _ => None,
            });
        Self(types.collect())
    }

    /// The fields of an object or interface; none of anything else.
    pub fn fields(&self, object: &str) -> Vec<Field> {
        let fields = match self.0.get(object) {
            Some(TypeKind::Object(object)) => &object.fields,
            Some(TypeKind::Interface(interface)) => &interface.fields,
            _ => return Vec::new(),
        };
        fields.iter().map(|field| Field::new(&field.node)).collect()
    }

    /// A root field by its name.
    pub fn field(&self, root: &str, name: &str) -> Field {
        let mut fields = self.fields(root).into_iter();
        fields.find(|field| field.name == name).expect(name)
    }

    /// The fields of an input object; none of anything else.
    pub fn inputs(&self, name: &str) -> Option<Vec<Input>> {
        match self.0.get(name) {
            Some(TypeKind::InputObject(input)) => Some(
                input
                    .fields
                    .iter()
                    .map(|field| Input::new(&field.node))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The values of an enumeration; none of anything else.
    pub fn values(&self, name: &str) -> Option<Vec<String>> {
        match self.0.get(name) {
            Some(TypeKind::Enum(enumeration)) => {
                let values = enumeration.values.iter();
                Some(
                    values
                        .map(|value| value.node.value.node.to_string())
                        .collect(),
                )
            }
            _ => None,
        }
    }

    /// The objects and interfaces, the roots among them.
    pub fn objects(&self) -> impl Iterator<Item = &str> {
        let objects = self
            .0
            .iter()
            .filter(|(_, kind)| matches!(kind, TypeKind::Object(_) | TypeKind::Interface(_)));
        objects.map(|(name, _)| name.as_str())
    }

    /// The ways to every input of type `ID` below a field's arguments.
    pub fn id_places(&self, field: &Field) -> Vec<Vec<String>> {
        self.places(&field.arguments)
    }

    fn places(&self, inputs: &[Input]) -> Vec<Vec<String>> {
        let mut places = Vec::new();
        for input in inputs {
            if input.kind == "ID" {
                places.push(vec![input.name.clone()]);
            }
            for below in self
                .inputs(&input.kind)
                .map(|inputs| self.places(&inputs))
                .unwrap_or_default()
            {
                places.push([vec![input.name.clone()], below].concat());
            }
        }
        places
    }

    /// A document that asks one field for everything, `levels` objects deep; its variables have
    /// the arguments' names.
    pub fn document(&self, root: &str, field: &Field, levels: usize) -> String {
        format!(
            "{}{} }}",
            Self::head(root, field),
            self.selection(&field.result, levels)
        )
    }

    /// The beginning of that document, up to the field's selection.
    pub fn head(root: &str, field: &Field) -> String {
        let declared: Vec<String> = field
            .arguments
            .iter()
            .map(|input| format!("${}: {}", input.name, input.written))
            .collect();
        let given: Vec<String> = field
            .arguments
            .iter()
            .map(|input| format!("{0}: ${0}", input.name))
            .collect();
        let brackets = |inside: Vec<String>| {
            if inside.is_empty() {
                String::new()
            } else {
                format!("({})", inside.join(", "))
            }
        };
        format!(
            "{}{} {{ {}{}",
            root.to_lowercase(),
            brackets(declared),
            field.name,
            brackets(given),
        )
    }

    /// Everything below a value of this type, pages of two; nothing for a scalar.
    pub fn selection(&self, name: &str, levels: usize) -> String {
        let mut text = String::new();
        for field in self.fields(name) {
            let is_leaf = self.fields(&field.result).is_empty();
            let is_frame = matches!(
                field.name.as_str(),
                "edges" | "pageInfo" | "errors" | "error"
            );
            if levels == 0 && !is_leaf && !is_frame {
                continue;
            }
            let below = match field.name.as_str() {
                // A page's items are asked for by `nodes`; `edges` would ask for all of them again.
                "edges" => 0,
                "nodes" => levels,
                _ if field.result.ends_with("Connection") => levels,
                _ => levels.saturating_sub(1),
            };
            let below = self.selection(&field.result, below);
            let _ = write!(text, "{}{}{below} ", field.name, arguments(&field));
        }
        if matches!(self.0.get(name), Some(TypeKind::Interface(_))) && levels > 0 && name == "Node"
        {
            for object in self.implementors(name) {
                let _ = write!(
                    text,
                    "... on {object}{} ",
                    self.selection(object, levels - 1)
                );
            }
        }
        if text.is_empty() {
            text
        } else {
            format!(" {{ __typename {text}}}")
        }
    }

    fn implementors(&self, interface: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(move |(name, kind)| match kind {
            TypeKind::Object(object) => {
                let implements = object
                    .implements
                    .iter()
                    .any(|known| known.node == interface);
                implements.then_some(name.as_str())
            }
            _ => None,
        })
    }
}

impl Field {
    fn new(field: &FieldDefinition) -> Self {
        let requires = field
            .directives
            .iter()
            .find(|directive| directive.node.name.node == "requires");
        let permission =
            requires.and_then(
                |directive| match &directive.node.arguments.first()?.1.node {
                    Value::String(permission) => Some(permission.clone()),
                    _ => None,
                },
            );
        Self {
            name: field.name.node.to_string(),
            arguments: field
                .arguments
                .iter()
                .map(|input| Input::new(&input.node))
                .collect(),
            result: named(&field.ty.node).0,
            permission,
        }
    }
}

impl Input {
    fn new(input: &InputValueDefinition) -> Self {
        let (kind, list) = named(&input.ty.node);
        Self {
            name: input.name.node.to_string(),
            written: input.ty.node.to_string(),
            kind,
            list,
        }
    }
}

/// What a field inside of a document is given.
fn arguments(field: &Field) -> String {
    let given: Vec<&str> = field
        .arguments
        .iter()
        .filter_map(|input| match input.name.as_str() {
            "first" => Some("first: 2"),
            "after" | "before" | "last" | "filter" => None,
            "permission" => Some("permission: \"events:read\""),
            name => panic!("the argument {name} of {} has no sample", field.name),
        })
        .collect();
    if given.is_empty() {
        String::new()
    } else {
        format!("({})", given.join(", "))
    }
}

fn named(ty: &Type) -> (String, bool) {
    match &ty.base {
        BaseType::Named(name) => (name.to_string(), false),
        BaseType::List(item) => (named(item).0, true),
    }
}
