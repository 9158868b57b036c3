//! What clients generate code from is what the server answers: the schema in the repository, and
//! the catalogue of errors.

use std::{collections::BTreeSet, path::PathBuf};

use super::{golden, layering::sources};

#[test]
fn the_schema_in_the_repository_is_the_server_s() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schema.graphql");
    let file = std::fs::read_to_string(path).unwrap_or_default();
    // The command ends its output with a line break of its own.
    assert!(
        file.trim_end() == api::schema::sdl().trim_end(),
        "the schema changed; run: cargo run -- schema > schema.graphql"
    );
}

#[test]
fn the_catalogue_of_errors_is_the_known_one() {
    golden::must_equal("errors.txt", &api::error::catalogue());
}

/// Every code that the guard and HTTP write down is in the catalogue.
#[test]
fn every_code_is_in_the_catalogue() {
    let catalogue = api::error::catalogue();
    let mut unknown = BTreeSet::new();
    for (path, text) in sources("crates/api/src/guard")
        .into_iter()
        .chain(sources("crates/api/src/http"))
    {
        for code in codes(&text) {
            if !catalogue.contains(&format!("`{code}`")) {
                unknown.insert(format!("{code} ({path})"));
            }
        }
    }
    assert!(
        unknown.is_empty(),
        "not in api::error::TOP_LEVEL: {unknown:#?}"
    );
}

/// The literals that look like a code, and stand where one is given.
fn codes(text: &str) -> Vec<String> {
    let literals = text.split('"').skip(1).step_by(2);
    let code = |literal: &&str| {
        literal.len() > 4
            && literal
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    };
    literals.filter(code).map(str::to_owned).collect()
}
