//! The mutations and input types that the schema has.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::harness::Client;

/// What introspection tells of mutations.
pub struct Schema {
    /// Every mutation.
    pub mutations: BTreeSet<String>,
    inputs: BTreeMap<String, Vec<(String, Type)>>,
}

/// What a field of an input takes.
#[derive(Clone, Debug)]
pub struct Type {
    /// Its innermost type's name.
    pub name: String,
    /// Whether that is an enumeration.
    pub is_enumeration: bool,
    /// Whether it takes a list of them.
    pub is_list: bool,
}

impl Schema {
    /// The fields of an input type.
    pub fn fields(&self, name: &str) -> &[(String, Type)] {
        self.inputs.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Asks a running instance.
pub async fn read(client: &Client) -> Schema {
    let query = "{ __schema { mutationType { fields { name } } types { name inputFields { name
        type { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";
    let data = client.ok(query, json!({})).await;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().expect("a name").to_owned();
    let mutations = list(&data["__schema"]["mutationType"]["fields"]);
    let inputs = list(&data["__schema"]["types"]).into_iter().map(|input| {
        let fields = list(&input["inputFields"]);
        let fields = fields
            .iter()
            .map(|field| (text(&field["name"]), innermost(&field["type"])));
        (text(&input["name"]), fields.collect())
    });
    Schema {
        mutations: mutations.iter().map(|field| text(&field["name"])).collect(),
        inputs: inputs.collect(),
    }
}

fn innermost(mut wrapped: &Value) -> Type {
    let mut is_list = false;
    while !wrapped["ofType"].is_null() {
        is_list |= wrapped["kind"] == "LIST";
        wrapped = &wrapped["ofType"];
    }
    Type {
        name: wrapped["name"].as_str().expect("a name").to_owned(),
        is_enumeration: wrapped["kind"] == "ENUM",
        is_list,
    }
}
