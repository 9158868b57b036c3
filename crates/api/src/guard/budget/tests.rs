use async_graphql::{Request, ServerError, Variables};
use serde_json::json;

use super::super::admit;
use super::*;

fn weigh(query: &str, variables: serde_json::Value) -> Result<Cost, ServerError> {
    let request = Request::new(query).variables(Variables::from_json(variables));
    admit(request).map(|operation| operation.cost)
}

fn cost(query: &str) -> (u64, u64, u64) {
    let cost = weigh(query, json!({})).expect("the document is accepted");
    (cost.complexity, cost.nodes, cost.depth)
}

fn code(query: &str) -> String {
    let error = weigh(query, json!({})).expect_err("the document is refused");
    let extensions = error.extensions.expect("the error has extensions");
    match extensions.get("code") {
        Some(Value::String(code)) => code.clone(),
        other => panic!("no code: {other:?}"),
    }
}

#[test]
fn pages_multiply_down_the_tree() {
    assert_eq!(cost("{ a b { c } }"), (3, 0, 2));
    assert_eq!(
        cost("{ events(first: 10) { nodes { id title } } }"),
        (31, 10, 3)
    );
    assert_eq!(cost("{ events { edges { node { id } } } }"), (61, 20, 4));
    assert_eq!(
        cost("{ events(last: 2) { nodes { attendances(first: 3) { nodes { id } } } } }"),
        (17, 8, 5)
    );
    assert_eq!(
        cost("{ events(first: 2, last: 3) { nodes { id } } }"),
        (11, 5, 3)
    );
    assert_eq!(cost(r#"{ nodes(ids: ["a", "b"]) { id } }"#), (3, 2, 2));
    assert_eq!(cost("{ changes { changes { type } } }"), (41, 20, 3));
}

#[test]
fn page_sizes_come_from_variables_and_their_defaults() {
    let query = "query Q($n: Int = 7, $ids: [ID!]) { events(first: $n) { nodes { id } } nodes(ids: $ids) { id } }";
    let nodes = |variables| weigh(query, variables).map(|cost| cost.nodes);
    assert_eq!(nodes(json!({ "ids": ["a"] })), Ok(8));
    assert_eq!(nodes(json!({ "n": 3, "ids": ["a", "b"] })), Ok(5));
    // Null is "not asked for", so the default page counts.
    assert_eq!(nodes(json!({ "n": null })), Ok(20));
    assert!(nodes(json!({ "n": 60_000 })).is_err());
    assert!(nodes(json!({ "n": u64::MAX })).is_err());
}

#[test]
fn fragments_count_as_if_they_were_written_out() {
    let plain = "{ events(first: 10) { nodes { id title } } }";
    let spread = "{ ...Q } fragment E on Event { ... { id title } } \
        fragment N on EventConnection { nodes { ...E } } \
        fragment Q on Query { events(first: 10) { ...N } }";
    assert_eq!(cost(plain), cost(spread));
}

#[test]
fn limits_are_exact() {
    let repeat = |text: &str, times: u64| text.repeat(usize::try_from(times).expect("small"));
    let nested = |levels| format!("{{ {} a {} }}", repeat("a {", levels), repeat("}", levels));
    let inline = |levels| {
        format!(
            "{{ {} a {} }}",
            repeat("... {", levels),
            repeat("}", levels)
        )
    };
    let aliases = |count| format!("{{ a {{ {} }} }}", repeat("x: __typename ", count));
    let first = |size| format!("{{ events(first: {size}) {{ nodes {{ id }} }} }}");
    let operations = |count| {
        let operations = (0..count).map(|n| format!("query Q{n} {{ a }} "));
        operations.collect::<Vec<_>>().concat()
    };
    let accepted = [
        nested(MAX_DEPTH - 1),
        inline(MAX_LEVELS - 1),
        aliases(MAX_ALIASES),
        format!("{{ {} }}", repeat("a ", MAX_ROOT_FIELDS)),
        first(MAX_NODES),
    ];
    for query in accepted {
        assert!(weigh(&query, json!({})).is_ok(), "{query}");
    }
    assert_eq!(code(&nested(MAX_DEPTH)), "DOCUMENT_TOO_DEEP");
    assert_eq!(code(&inline(MAX_LEVELS)), "DOCUMENT_TOO_DEEP");
    assert_eq!(code(&aliases(MAX_ALIASES + 1)), "TOO_MANY_ALIASES");
    assert_eq!(
        code(&format!("{{ {} }}", repeat("a ", MAX_ROOT_FIELDS + 1))),
        "TOO_MANY_ROOT_FIELDS"
    );
    assert_eq!(code(&first(MAX_NODES + 1)), "QUERY_TOO_COMPLEX");
    assert_eq!(
        code("{ a(first: 40000) { b c d e f g h } }"),
        "QUERY_TOO_COMPLEX"
    );
    let named = Request::new(operations(MAX_OPERATIONS + 1)).operation_name("Q0");
    assert!(admit(named).is_err());
    assert!(admit(Request::new(operations(MAX_OPERATIONS)).operation_name("Q0")).is_ok());
}

#[test]
fn chained_fragments_are_weighed_once() {
    let link = |n| format!("fragment F{n} on Query {{ ...F{m} ...F{m} }} ", m = n + 1);
    let chain = (0..25).map(link).collect::<Vec<_>>().concat();
    let query = format!("{{ ...F0 }} {chain} fragment F25 on Query {{ a {{ b }} }}");
    let started = std::time::Instant::now();
    assert_eq!(code(&query), "QUERY_TOO_COMPLEX");
    assert!(started.elapsed() < std::time::Duration::from_millis(100));
}

#[test]
fn what_does_not_run_is_bounded_too() {
    assert_eq!(
        code("{ a } fragment F on Query { b { ...F } }"),
        "FRAGMENT_CYCLE"
    );
    assert_eq!(
        code("{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }"),
        "FRAGMENT_CYCLE"
    );
    let aliases = "x: a ".repeat(101);
    let request = Request::new(format!("query A {{ a }} query B {{ b {{ {aliases} }} }}"));
    assert!(admit(request.operation_name("A")).is_err());
}

/// What GraphiQL and code generators send, with the nine `ofType` of current tools.
fn introspection() -> String {
    let of_type = format!(
        "{}kind name{}",
        "kind name ofType { ".repeat(9),
        " }".repeat(9)
    );
    format!(
        "query IntrospectionQuery {{ __schema {{ description queryType {{ name kind }} \
        mutationType {{ name kind }} subscriptionType {{ name kind }} types {{ ...FullType }} \
        directives {{ name description isRepeatable locations \
        args(includeDeprecated: true) {{ ...InputValue }} }} }} }} \
        fragment FullType on __Type {{ kind name description specifiedByURL isOneOf \
        fields(includeDeprecated: true) {{ name description args(includeDeprecated: true) \
        {{ ...InputValue }} type {{ ...TypeRef }} isDeprecated deprecationReason }} \
        inputFields(includeDeprecated: true) {{ ...InputValue }} interfaces {{ ...TypeRef }} \
        enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }} \
        possibleTypes {{ ...TypeRef }} }} \
        fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} \
        defaultValue isDeprecated deprecationReason }} \
        fragment TypeRef on __Type {{ {of_type} }}"
    )
}

#[test]
fn introspection_has_limits_of_its_own() {
    let (complexity, nodes, depth) = cost(&introspection());
    assert!(complexity < 500, "{complexity}");
    assert_eq!((nodes, depth), (0, 1));
    let fields = |levels: usize| {
        let open = "fields { type { ".repeat(levels);
        format!(
            "{{ __schema {{ types {{ {open} name {} }} }} }}",
            "} }".repeat(levels)
        )
    };
    assert!(weigh(&fields(2), json!({})).is_ok());
    assert_eq!(code(&fields(3)), "QUERY_TOO_COMPLEX");
    let of_type = format!(
        "{{ __schema {{ types {{ {} a {} }} }} }}",
        "ofType {".repeat(19),
        "}".repeat(19)
    );
    assert_eq!(code(&of_type), "DOCUMENT_TOO_DEEP");
}
