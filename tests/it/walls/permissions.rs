//! Who may do what: printed, so that a change of it is read by a person; and tried, role by role
//! and field by field, so that what is printed is what happens.

use std::{collections::BTreeMap, fmt::Write};

use domain::{BuiltInRole, Permission};
use serde_json::{Value, json};

use super::{
    canaries::Fingerprint,
    golden,
    samples::variables,
    sdl::{Field, Schema},
    stage::Stage,
};
use crate::harness::{Answer, App, Client, on_each_database};

/// How each object with guarded fields is come by: a field of the query, and the way down.
const WAYS: &[(&str, &str, &[&str])] = &[
    ("ApiKey", "apiKeys", &["nodes"]),
    ("Attendance", "event", &["attendances", "nodes"]),
    ("AttendanceChange", "attendanceChanges", &["changes"]),
    ("AuditEntry", "auditLog", &["nodes"]),
    ("Event", "event", &[]),
    ("Import", "import", &[]),
    ("Invitation", "invitations", &["nodes"]),
    ("ImportRow", "importRows", &["nodes"]),
    ("Member", "members", &["nodes"]),
    ("Organization", "organization", &[]),
    ("Patron", "patron", &[]),
    ("Team", "team", &[]),
    ("TeamMember", "team", &["members", "nodes"]),
];

/// Mutations that end the session or the membership that calls them, renew it, or change where it acts.
const OF_A_SESSION: &[&str] = &[
    "signOut",
    "confirmPassword",
    "changePassword",
    "deleteAccount",
    "createOrganization",
    "activateOrganization",
    "leaveOrganization",
    "acceptInvitation",
];

on_each_database!(
    a_mutation_asks_for_its_permission,
    a_query_asks_for_its_permissions
);

/// Role by permission, and permission by field.
#[test]
fn permissions_are_the_known_ones() {
    let mut text = String::from("Role by permission\n\n");
    let _ = write!(text, "{:<22}", "");
    for role in BuiltInRole::ALL {
        let _ = write!(text, "{:<11}", role.slug());
    }
    for permission in Permission::ALL {
        let _ = write!(text, "\n{:<22}", permission.as_str());
        for role in BuiltInRole::ALL {
            let mark = if role.permissions().has(*permission) {
                "yes"
            } else {
                "-"
            };
            let _ = write!(text, "{mark:<11}");
        }
    }
    text.push_str("\n\nPermission by field\n\n");
    let schema = Schema::read();
    for object in schema.objects() {
        let is_root = ["Query", "Mutation", "Subscription"].contains(&object);
        for field in schema.fields(object) {
            match field.permission {
                Some(permission) => {
                    assert!(
                        Permission::parse(&permission).is_some(),
                        "{object}.{} asks for {permission}",
                        field.name
                    );
                    let _ = writeln!(
                        text,
                        "{:<40}{permission}",
                        format!("{object}.{}", field.name)
                    );
                }
                // Said, so that forgetting it is seen.
                None if is_root => drop(writeln!(
                    text,
                    "{:<40}-",
                    format!("{object}.{}", field.name)
                )),
                None => {}
            }
        }
    }
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    golden::must_equal("permissions.txt", &(lines.join("\n") + "\n"));
}

async fn a_mutation_asks_for_its_permission(app: App) {
    let schema = Schema::read();
    let stage = Stage::build(&app, "stage").await;
    let fingerprint = Fingerprint::of(&app.database, &stage).await;
    let mut number = 0;
    for (role, client) in people(&app, &stage).await {
        for field in schema.fields("Mutation") {
            if OF_A_SESSION.contains(&&*field.name) {
                assert_eq!(field.permission, None);
                continue;
            }
            number += 1;
            let (_, ids) = stage.prepare(&app, &field.name).await;
            let before = fingerprint.take(&app.database).await;
            let answer = client
                .send(
                    &schema.document("Mutation", &field, 1),
                    variables(&schema, &field, &ids, number),
                )
                .await;
            let what = format!("{} as {}", field.name, role.slug());
            if lacks(role, &field) {
                denied(
                    &what,
                    &answer,
                    field.permission.as_deref().expect("one that is lacking"),
                );
                let after = fingerprint.take(&app.database).await;
                assert_eq!(after, before, "{what} was denied and wrote nevertheless");
            } else {
                assert_eq!(
                    answer.codes(),
                    Vec::<String>::new(),
                    "{what}: {:#}",
                    answer.body
                );
            }
        }
    }
    app.stop().await;
}

async fn a_query_asks_for_its_permissions(app: App) {
    let schema = Schema::read();
    let stage = Stage::build(&app, "stage").await;
    let mut denials = 0;
    for (role, client) in people(&app, &stage).await {
        for field in schema.fields("Query") {
            let answer = client
                .send(
                    &document(&schema, &field, &[], ""),
                    variables(&schema, &field, &stage.ids, 0),
                )
                .await;
            let what = format!("{} as {}", field.name, role.slug());
            match &field.permission {
                Some(permission) if lacks(role, &field) => denied(&what, &answer, permission),
                // A node needs the permission of the field that names the thing otherwise.
                _ if field.name.starts_with("node") => {}
                _ => assert_eq!(
                    answer.codes(),
                    Vec::<String>::new(),
                    "{what}: {:#}",
                    answer.body
                ),
            }
        }
        for object in schema
            .objects()
            .filter(|object| !["Query", "Mutation", "Subscription"].contains(object))
        {
            for guarded in schema
                .fields(object)
                .into_iter()
                .filter(|field| field.permission.is_some())
            {
                let Some((_, root, way)) = WAYS.iter().find(|(name, ..)| *name == object) else {
                    panic!("how does one come by {object}? Say so in WAYS");
                };
                let root = schema.field("Query", root);
                let above = above(&schema, &root, way);
                if above.iter().any(|field| lacks(role, field)) {
                    continue;
                }
                let below = if schema.fields(&guarded.result).is_empty() {
                    ""
                } else {
                    " { __typename }"
                };
                let asked = format!("{}{below}", guarded.name);
                let answer = client
                    .send(
                        &document(&schema, &root, way, &asked),
                        variables(&schema, &root, &stage.ids, 0),
                    )
                    .await;
                let what = format!("{object}.{} as {}", guarded.name, role.slug());
                if lacks(role, &guarded) {
                    denied(
                        &what,
                        &answer,
                        guarded.permission.as_deref().expect("it is guarded"),
                    );
                    denials += 1;
                } else {
                    assert_eq!(
                        answer.codes(),
                        Vec::<String>::new(),
                        "{what}: {:#}",
                        answer.body
                    );
                }
            }
        }
    }
    assert!(
        denials > 3,
        "only {denials} fields were denied: the roles were not tried"
    );
    app.stop().await;
}

/// A person of each role. The owner is the stage's own.
async fn people(app: &App, stage: &Stage) -> Vec<(BuiltInRole, Client)> {
    let mut people = vec![(BuiltInRole::Owner, stage.owner.clone())];
    for role in &BuiltInRole::ALL[1..] {
        people.push((*role, app.member(&stage.owner, role.slug()).await));
    }
    people
}

fn lacks(role: BuiltInRole, field: &Field) -> bool {
    let needed = field.permission.as_deref().and_then(Permission::parse);
    needed.is_some_and(|permission| !role.permissions().has(permission))
}

fn denied(what: &str, answer: &Answer, permission: &str) {
    let errors = answer.body["errors"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert!(!errors.is_empty(), "{what} is permitted: {:#}", answer.body);
    for error in errors {
        assert_eq!(
            error["extensions"],
            json!({ "code": "FORBIDDEN", "permission": permission }),
            "{what}: {:#}",
            answer.body
        );
    }
}

/// The fields on the way down, the first of them the query's own.
fn above(schema: &Schema, root: &Field, way: &[&str]) -> Vec<Field> {
    let mut fields = vec![root.clone()];
    for name in way {
        fields.push(schema.field(&fields[fields.len() - 1].result, name));
    }
    fields
}

/// A query for what is `asked` at the end of that way, and nothing else.
fn document(schema: &Schema, root: &Field, way: &[&str], asked: &str) -> String {
    let opened = way
        .iter()
        .fold(String::new(), |opened, name| opened + " { " + name);
    let fields = schema.fields(&root.result);
    let below = if fields.is_empty() {
        String::new()
    } else {
        format!(
            "{opened} {{ __typename {asked} }}{}",
            " }".repeat(way.len())
        )
    };
    format!("{}{below} }}", Schema::head("Query", root))
}

/// The permissions of the roles as the API tells them are those of the code.
#[tokio::test(flavor = "multi_thread")]
async fn roles_are_told_as_they_are() {
    let app = App::start(crate::harness::Backend::Sqlite)
        .await
        .expect("SQLite needs nothing");
    let owner = app.owner("roles").await;
    let data = owner.ok("{ roles { slug permissions } }", json!({})).await;
    let told: BTreeMap<&str, &Value> = data["roles"]
        .as_array()
        .expect("roles")
        .iter()
        .map(|role| (role["slug"].as_str().expect("a slug"), &role["permissions"]))
        .collect();
    for role in BuiltInRole::ALL {
        let permissions: Vec<&str> = role.permissions().iter().map(Permission::as_str).collect();
        assert_eq!(*told[role.slug()], json!(permissions), "{}", role.slug());
    }
    app.stop().await;
}
