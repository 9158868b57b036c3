//! Another tenant's id is no id: whatever field it is given to, the answer is the one that an id
//! gets which never was. Found by introspection, so that a new field or argument is met, or has to
//! be given a sample.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    canaries::{CANARY, Fingerprint, release, seen},
    samples::{put, variables},
    sdl::Schema,
    stage::{Ids, Stage, nothing},
};
use crate::harness::{
    Answer, App, on_each_database,
    socket::{Heard, Subscription},
};

/// A stream that says nothing for so long is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// Fields that act on an account, not in an organization: there is nothing of a tenant in them, and
/// running them as often as the others would sign the caller out.
const OF_AN_ACCOUNT: &[&str] = &[
    "signIn",
    "signUp",
    "signOut",
    "confirmPassword",
    "changePassword",
    "revokeOtherSessions",
    "verifyEmail",
    "requestEmailVerification",
    "requestPasswordReset",
    "resetPassword",
    "requestEmailChange",
    "confirmEmailChange",
    "updateProfile",
    "changeUsername",
    "deleteAccount",
    "beginProviderSignIn",
    "beginProviderLink",
    "completeProviderSignIn",
    "beginTotp",
    "confirmTotp",
    "disableTotp",
    "regenerateRecoveryCodes",
    "completeSignIn",
    "confirmSecondFactor",
    "createOrganization",
];

on_each_database!(
    foreign_ids_name_nothing,
    own_ids_name_something,
    foreign_organizations_are_not_there,
    foreign_changes_are_not_heard,
);

async fn foreign_ids_name_nothing(app: App) {
    let (schema, ours, theirs) = stages(&app).await;
    let fingerprint = Fingerprint::of(&app.database, &theirs).await;
    let before = fingerprint.take(&app.database).await;
    let mut attempts = 0;
    for root in ["Query", "Mutation"] {
        for field in schema.fields(root) {
            let document = schema.document(root, &field, 2);
            let places = schema.id_places(&field);
            for (number, (tag, foreign)) in theirs
                .ids
                .iter()
                .filter(|(tag, _)| !"@#!".contains(**tag))
                .enumerate()
            {
                let sample = variables(&schema, &field, &ours.ids, number);
                let never = nothing(*tag);
                // One place after the other, then all of them at once.
                let each = places.iter().map(std::slice::from_ref);
                for places in each.chain((places.len() > 1).then_some(&places[..])) {
                    let [with_foreign, with_never] = [foreign, &never].map(|id| {
                        let mut variables = sample.clone();
                        for place in places {
                            put(&mut variables, place, id);
                        }
                        variables
                    });
                    let answer = ours.owner.send(&document, with_foreign).await;
                    let expected = ours.owner.send(&document, with_never).await;
                    same(
                        &format!("{} with a foreign {tag} at {places:?}", field.name),
                        &answer,
                        &expected,
                    );
                    attempts += 1;
                }
            }
        }
    }
    assert!(
        attempts > 200,
        "only {attempts} attempts: the schema was not walked"
    );
    assert_eq!(
        fingerprint.take(&app.database).await,
        before,
        "the other organization was changed"
    );
    app.stop().await;
}

/// The control: the same fields with ids of their own answer something else, and the canaries are
/// there to be seen by whom they belong to.
async fn own_ids_name_something(app: App) {
    let (schema, ours, theirs) = stages(&app).await;
    let mut found = Vec::new();
    for field in schema.fields("Query") {
        let document = schema.document("Query", &field, 2);
        let answer = theirs
            .owner
            .send(&document, variables(&schema, &field, &theirs.ids, 0))
            .await;
        assert_eq!(
            answer.codes(),
            Vec::<String>::new(),
            "{document}\n{:#}",
            answer.body
        );
        found.extend(seen(&answer.body.to_string()));
        let answer = ours
            .owner
            .send(&document, variables(&schema, &field, &ours.ids, 0))
            .await;
        free_of_canaries(&field.name, &answer);
    }
    found.sort_unstable();
    found.dedup();
    assert!(
        found.len() > 20,
        "the canaries are not to be seen at all: {found:?}"
    );
    for (number, field) in schema.fields("Mutation").into_iter().enumerate() {
        let document = schema.document("Mutation", &field, 2);
        let (caller, own) = ours.prepare(&app, &field.name).await;
        let with_own = variables(&schema, &field, &own, 1000 + number);
        let mut with_never = with_own.clone();
        let places = schema.id_places(&field);
        for place in &places {
            put(&mut with_never, place, &nothing('E'));
        }
        if !places.is_empty() {
            let refused = ours.owner.send(&document, with_never).await;
            let refused = refused.body.to_string();
            assert!(
                refused.contains("NOT_FOUND") || refused.contains("INVALID_ID"),
                "{} does not look at its ids",
                field.name
            );
        }
        let answer = caller.send(&document, with_own).await;
        let refusals = answer.refusals(&field.name);
        // Nobody has this account: its sample is for the fields' shape.
        if field.name != "signIn" {
            assert!(
                answer.codes().is_empty() && refusals.is_empty(),
                "{document}\n{:#}",
                answer.body
            );
        }
        free_of_canaries(&field.name, &answer);
    }
    app.stop().await;
}

/// Naming another's organization, or its cursors, is like naming none.
async fn foreign_organizations_are_not_there(app: App) {
    let (schema, ours, theirs) = stages(&app).await;
    let fingerprint = Fingerprint::of(&app.database, &theirs).await;
    let before = fingerprint.take(&app.database).await;
    let (foreign, never) = (
        ours.owner.acting_in(&theirs.slug),
        ours.owner.acting_in("never-was"),
    );
    for root in ["Query", "Mutation"] {
        for field in schema.fields(root) {
            if OF_AN_ACCOUNT.contains(&&*field.name)
                || field.name == "revokeSession"
                || field.name == "unlinkAccount"
                || field.name == "activateOrganization"
                || field.name == "leaveOrganization"
            {
                continue;
            }
            let document = schema.document(root, &field, 2);
            for ids in [&theirs.ids, &ours.ids] {
                let variables = variables(&schema, &field, ids, 0);
                let answer = foreign.send(&document, variables.clone()).await;
                let expected = never.send(&document, variables).await;
                same(
                    &format!("{} under a foreign header", field.name),
                    &answer,
                    &expected,
                );
            }
            cursors(&schema, root, &field.name, &ours, &theirs).await;
        }
    }
    assert_eq!(
        fingerprint.take(&app.database).await,
        before,
        "the other organization was changed"
    );
    app.stop().await;
}

async fn foreign_changes_are_not_heard(app: App) {
    let (schema, ours, theirs) = stages(&app).await;
    for field in schema.fields("Subscription") {
        let document = schema.document("Subscription", &field, 2);
        let first = async |place: &[String], value: &str| {
            let mut variables = variables(&schema, &field, &ours.ids, 0);
            put(&mut variables, place, value);
            let heard = Subscription::open(&ours.owner, &document, variables)
                .await
                .next(PATIENCE)
                .await;
            assert!(
                !format!("{heard:?}").contains(CANARY),
                "{} leaks: {heard:?}",
                field.name
            );
            heard
        };
        for place in schema.id_places(&field) {
            for (tag, foreign) in theirs.ids.iter().filter(|(tag, _)| !"@#!".contains(**tag)) {
                let heard = first(&place, foreign).await;
                assert_eq!(
                    heard,
                    first(&place, &nothing(*tag)).await,
                    "{} with a foreign {tag}",
                    field.name
                );
            }
        }
        let end = theirs
            .owner
            .ok("{ attendanceChanges { cursor } }", json!({}))
            .await;
        let cursor = end["attendanceChanges"]["cursor"]
            .as_str()
            .expect("a cursor");
        match first(&["after".to_owned()], cursor).await {
            Heard::Error(errors) => assert_eq!(errors[0]["extensions"]["code"], "INVALID"),
            other => panic!("{} takes a foreign cursor: {other:?}", field.name),
        }
        let mut everything = variables(&schema, &field, &ours.ids, 0);
        everything["eventId"] = Value::Null;
        let mut stream = Subscription::open(&ours.owner, &document, everything).await;
        assert!(
            matches!(stream.next(PATIENCE).await, Heard::Next(_)),
            "{} does not begin",
            field.name
        );
        // Theirs is committed first, so that it would be heard first.
        for stage in [&theirs, &ours] {
            let patron = stage.owner.patron("late").await;
            assert_eq!(
                stage.owner.check_in(&stage.ids[&'E'], &patron).await,
                "CHECKED_IN"
            );
        }
        let (changes, _) = stream.changes(&field.name, PATIENCE).await;
        assert_eq!(changes[0]["event"]["id"], ours.ids[&'E'], "{changes:#?}");
    }
    app.stop().await;
}

/// A list's cursors hold in their own organization only.
async fn cursors(schema: &Schema, root: &str, name: &str, ours: &Stage, theirs: &Stage) {
    let field = schema.field(root, name);
    let document = schema.document(root, &field, 2);
    for argument in field
        .arguments
        .iter()
        .filter(|input| ["after", "before"].contains(&&*input.name))
    {
        let of = |ids: &Ids, cursor: &Value| {
            let mut variables = variables(schema, &field, ids, 0);
            variables[&argument.name] = cursor.clone();
            if argument.name == "before" {
                variables["first"] = Value::Null;
            }
            variables
        };
        let own = theirs
            .owner
            .ok(&document, of(&theirs.ids, &Value::Null))
            .await;
        let place = if field.result.ends_with("Connection") {
            "/pageInfo/endCursor"
        } else {
            "/cursor"
        };
        let cursor = own[name].pointer(place).expect("a cursor").clone();
        assert!(cursor.is_string(), "{name} has no cursor to try");
        theirs.owner.ok(&document, of(&theirs.ids, &cursor)).await;
        let answer = ours.owner.send(&document, of(&ours.ids, &cursor)).await;
        assert_eq!(
            answer.codes(),
            ["INVALID"],
            "{name} takes a foreign cursor: {:#}",
            answer.body
        );
        free_of_canaries(name, &answer);
    }
}

async fn stages(app: &App) -> (Schema, Stage, Stage) {
    let theirs = Stage::build(app, CANARY).await;
    let ours = Stage::build(app, "plain").await;
    let columns = release(&app.database, &theirs).await;
    assert!(columns > 20, "only {columns} columns have a canary");
    (Schema::read(), ours, theirs)
}

fn same(what: &str, answer: &Answer, expected: &Answer) {
    // What is refused for its shape never came as far as the ids.
    let codes = answer.codes();
    let shape = |code: &String| {
        code.starts_with("TOO_MANY")
            || code.starts_with("DOCUMENT")
            || code.starts_with("GRAPHQL")
            || code == "QUERY_TOO_COMPLEX"
    };
    assert!(!codes.iter().any(shape), "{what}: {:#}", answer.body);
    free_of_canaries(what, answer);
    assert_eq!(
        masked(answer),
        masked(expected),
        "{what} is told apart from an id that never was:\n{:#}\n{:#}",
        answer.body,
        expected.body
    );
}

fn free_of_canaries(what: &str, answer: &Answer) {
    assert!(
        !answer.body.to_string().contains(CANARY),
        "{what} leaks {:?}:\n{:#}",
        seen(&answer.body.to_string()),
        answer.body
    );
}

/// The answer without what differs from request to request.
fn masked(answer: &Answer) -> (u16, String) {
    let mut body = answer.body.clone();
    for error in body["errors"].as_array_mut().into_iter().flatten() {
        if let Some(reference) = error.pointer_mut("/extensions/reference") {
            *reference = json!("masked");
        }
    }
    (answer.status, body.to_string())
}
