//! The repository's own shape: who may know whom, how long a file may be, and what may be built in.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// What a crate never imports.
const NEVER: &[(&str, &[&str])] = &[
    (
        "entity",
        &[
            "domain",
            "api",
            "web",
            "tokio",
            "axum",
            "async-graphql",
            "redis",
            "sqlx",
        ],
    ),
    (
        "domain",
        &["api", "web", "axum", "async-graphql", "http", "lettre"],
    ),
    ("api", &["sea-orm", "sqlx", "redis", "entity", "migration"]),
    ("web", &["entity", "domain", "api", "migration", "tests"]),
    ("migration", &["entity", "domain", "api", "web"]),
    ("tests", &["sea-orm", "entity", "migration"]),
];
/// The folders of the domain, from the ground up; those of one step do not know each other.
const LADDER: &[&[&str]] = &[
    &["identity"],
    &["organizations"],
    &["events", "patrons"],
    &["loyalty"],
    &["attendance"],
    &["live", "audit"],
    &["jobs"],
    &["demo"],
];
/// Where Rollcall acts as itself, and why: the reason that each place gives. This list only shrinks.
const SYSTEM: &[(&str, &str)] = &[
    ("crates/api/src/command/audit.rs", "prove the audit log"),
    (
        "crates/api/src/command/import.rs",
        "import a file for the operator",
    ),
    (
        "crates/api/src/operation.rs",
        "act for who is not signed in",
    ),
    ("crates/api/src/service.rs", "authenticate a request"),
    ("crates/api/src/service.rs", "begin a query"),
    (
        "crates/api/src/service.rs",
        "hand a sign-in over to its page",
    ),
    ("crates/domain/src/demo/mod.rs", "load the demo"),
    ("crates/domain/src/demo/mod.rs", "refresh the demo"),
    (
        "crates/domain/src/identity/account_log.rs",
        "note what an account was refused",
    ),
    ("crates/domain/src/jobs/mailer.rs", "send mails"),
    ("crates/domain/src/jobs/schedule.rs", "do what is due"),
    ("crates/domain/src/jobs/worker.rs", "carry out a job"),
    (
        "crates/domain/src/live/follower.rs",
        "follow an organization's changes",
    ),
    (
        "crates/domain/src/organizations/acceptance.rs",
        "accept an invitation",
    ),
    (
        "crates/domain/src/organizations/member.rs",
        "leave an organization",
    ),
    (
        "crates/domain/src/organizations/organization.rs",
        "found an organization",
    ),
];
/// Licenses under which a dependency may be built into a product that is not open.
const LICENSES: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "0BSD",
    "Zlib",
    "Unicode-3.0",
    "Unlicense",
    "CC0-1.0",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
];
/// Crates that bind to the system's own cryptography, which is another on each machine.
const BANNED: &[&str] = &["openssl", "openssl-sys", "native-tls"];
/// Lines of a file at most.
const LONGEST: usize = 400;

#[test]
fn each_crate_knows_only_what_it_may() {
    let metadata = metadata();
    for (name, never) in NEVER {
        let packages = metadata["packages"].as_array().expect("packages").iter();
        let package = packages
            .filter(|package| package["source"].is_null())
            .find(|package| package["name"] == *name);
        let dependencies = package.expect(name)["dependencies"]
            .as_array()
            .expect("dependencies");
        for dependency in dependencies {
            let dependency = dependency["name"].as_str().expect("a name");
            assert!(
                !never.contains(&dependency),
                "{name} depends on {dependency}"
            );
        }
    }
    for (path, text) in sources("crates/entity/src") {
        assert!(!code(&text).contains("async fn"), "{path} runs something");
    }
}

#[test]
fn the_domain_s_folders_know_only_those_below() {
    let files = sources("crates/domain/src");
    assert!(files.len() > 40, "the domain was not found");
    for (path, text) in files {
        let folder = path
            .trim_start_matches("crates/domain/src/")
            .split(['/', '.'])
            .next()
            .expect("a folder");
        assert_eq!(upward(folder, &text), Vec::<String>::new(), "{path}");
    }
    // The check can fail.
    assert_eq!(
        upward(
            "events",
            "use crate::{Result, attendance::{scan, live::x}, patrons};"
        ),
        ["attendance", "patrons"]
    );
    assert_eq!(
        upward("scope", "fn f() { crate::identity::user::own() }"),
        ["identity"]
    );
    assert_eq!(
        upward(
            "attendance",
            "// crate::live::feed\nuse crate::{events::event, Code};"
        ),
        Vec::<String>::new()
    );
}

#[test]
fn a_file_is_short_and_named_after_what_it_holds() {
    for folder in ["crates", "migration", "tests/it"] {
        for (path, text) in sources(folder) {
            let lines = text.lines().count();
            assert!(
                lines <= LONGEST,
                "{path} has {lines} lines: split it by verb"
            );
            let vague = |part: &str| {
                ["util", "utils", "helper", "helpers", "common", "types"].contains(&part)
            };
            assert!(
                !path.split(['/', '.']).any(vague),
                "{path} is named after nothing"
            );
        }
    }
}

#[test]
fn rollcall_acts_as_itself_where_it_says_why() {
    let mut found = Vec::new();
    for (path, text) in sources("crates") {
        for call in code(&text).split("System::new(").skip(1) {
            let reason = call.split('"').nth(1).unwrap_or_default();
            found.push((path.clone(), reason.to_owned()));
        }
    }
    found.sort();
    let expected: Vec<_> = SYSTEM
        .iter()
        .map(|(path, reason)| ((*path).to_owned(), (*reason).to_owned()))
        .collect();
    assert_eq!(
        found, expected,
        "say in SYSTEM why neither a viewer nor a scope will do"
    );
}

#[test]
fn one_file_knows_which_database_it_is_on() {
    for (path, text) in sources("crates") {
        // The transaction is told when it is made, and passes it on.
        let permitted = ["scope/dialect/", "scope/transaction.rs"]
            .iter()
            .any(|file| path.contains(file));
        assert!(
            permitted || !code(&text).contains("DbBackend::"),
            "{path} asks which database it is on"
        );
        assert!(
            path.contains("/scope/") || !text.contains("get_database_backend"),
            "{path} asks which database it is on"
        );
    }
}

#[test]
fn what_is_built_in_may_be() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let mut faults = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let license = package["license"].as_str().unwrap_or("none");
        if !is_permitted(license) {
            faults.push(format!("{name} is under {license}"));
        }
        if BANNED.contains(&name) {
            faults.push(format!("{name} is banned"));
        }
        match package["source"].as_str() {
            None => {}
            Some(source)
                if source.starts_with("registry+https://github.com/rust-lang/crates.io-index") => {}
            Some(source) => faults.push(format!("{name} comes from {source}")),
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    // Several versions of one crate are no fault; they are named for whoever wants to mend it.
    let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        *versions.entry(name).or_default() += 1;
    }
    versions.retain(|_, count| *count > 1);
    println!(
        "in several versions: {}",
        versions.into_keys().collect::<Vec<_>>().join(" ")
    );
    // The check can fail.
    assert!(
        is_permitted("MIT OR GPL-3.0")
            && is_permitted("(MIT OR LGPL-2.1) AND ISC")
            && is_permitted("MIT/Apache-2.0")
    );
    assert!(!is_permitted("GPL-3.0") && !is_permitted("MIT AND GPL-3.0") && !is_permitted("none"));
}

/// The `.rs` files below a folder of the repository, by their path in it.
pub fn sources(folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![repository().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                if !path.ends_with("node_modules") && !path.ends_with("target") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path
                    .strip_prefix(repository())
                    .expect("below")
                    .to_string_lossy()
                    .into_owned();
                files.push((name, std::fs::read_to_string(&path).expect("text")));
            }
        }
    }
    files.sort();
    files
}

fn repository() -> &'static Path {
    static REPOSITORY: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    REPOSITORY.get_or_init(|| {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("a parent")
            .to_owned()
    })
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(repository())
        .output()
        .expect("cargo");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The text without its comments.
fn code(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The folders that a file in `folder` imports and may not. Files beside the folders are the
/// ground, and may import none of them.
fn upward(folder: &str, text: &str) -> Vec<String> {
    let step = |name: &str| LADDER.iter().position(|step| step.contains(&name));
    let own = step(folder);
    let text = code(text);
    // Modules that are declared, not imported.
    if folder == "lib" {
        return Vec::new();
    }
    let imported = text.split("crate::").skip(1).flat_map(first_names);
    imported
        .filter(|name| {
            name != folder && step(name).is_some_and(|other| own.is_none_or(|own| other >= own))
        })
        .collect()
}

/// The first names of a path, or of each of the paths in braces.
fn first_names(text: &str) -> Vec<String> {
    let name = |text: &str| {
        let text = text.trim_start();
        text.chars()
            .take_while(|character| character.is_alphanumeric() || *character == '_')
            .collect::<String>()
    };
    let Some(inside) = text.strip_prefix('{') else {
        return vec![name(text)];
    };
    let (mut depth, mut names) = (0, vec![name(inside)]);
    for (place, character) in inside.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(&inside[place + 1..])),
            _ => {}
        }
    }
    names
}

/// Whether an SPDX expression offers a license of ours: AND binds closer than OR.
fn is_permitted(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    split(&expression, " OR ").iter().any(|choice| {
        split(choice, " AND ").iter().all(|part| {
            let part = part.trim();
            match part
                .strip_prefix('(')
                .and_then(|part| part.strip_suffix(')'))
            {
                Some(inside) => is_permitted(inside),
                None => LICENSES.contains(&part),
            }
        })
    })
}

/// The parts between `separator`s that stand in no brackets.
fn split<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (place, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 && place >= start && text[place..].starts_with(separator) => {
                parts.push(&text[start..place]);
                start = place + separator.len();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}
