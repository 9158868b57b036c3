//! More people than seats.

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::tally;
use crate::harness::{
    Answer, App, Backend, Client, TestDatabase,
    door::{CHECK_IN, at_once},
    on_each_database,
};

on_each_database!(
    as_many_register_as_there_are_seats,
    as_many_walk_in_as_there_are_seats,
    without_the_policy_everybody_gets_in,
    registering_and_cancelling_at_once_leaves_the_counts_right,
);

const PEOPLE: usize = 200;
const SEATS: usize = 50;
const REGISTER: &str = "mutation($input: RegisterInput!) { register(input: $input) { attendance { seats } errors { message code } } }";
const CANCEL: &str = "mutation($input: CancelRegistrationInput!) { cancelRegistration(input: $input) { attendance { seats } errors { message code } } }";
const COUNTS: &str =
    "query($id: ID!) { event(id: $id) { registeredCount checkedInCount insideCount } }";

async fn as_many_register_as_there_are_seats(app: App) {
    let owner = app.owner("seats").await;
    let event = full_event(&owner, "SEATS").await;
    let answers = everybody(&owner, REGISTER, &event).await;
    let ends = tally(answers.iter().map(|answer| answer.refusals("register")));
    let full = vec!["CAPACITY_REACHED".to_owned()];
    assert_eq!(ends, [(vec![], SEATS), (full, PEOPLE - SEATS)].into());
    let data = owner.ok(COUNTS, json!({ "id": event })).await;
    assert_eq!(data["event"]["registeredCount"], SEATS);
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn as_many_walk_in_as_there_are_seats(app: App) {
    let owner = app.owner("walk").await;
    let event = full_event(&owner, "SEATS").await;
    let answers = everybody(&owner, CHECK_IN, &event).await;
    assert_eq!(
        outcomes(&answers),
        [
            ("CAPACITY_REACHED".to_owned(), PEOPLE - SEATS),
            ("CHECKED_IN".to_owned(), SEATS)
        ]
        .into()
    );
    let data = owner.ok(COUNTS, json!({ "id": event })).await;
    assert_eq!(
        data["event"],
        json!({ "registeredCount": 0, "checkedInCount": SEATS, "insideCount": SEATS })
    );
    app.database.must_be_consistent().await;
    app.stop().await;
}

/// The control of the two above: it is the policy that turned people away, and nothing else.
async fn without_the_policy_everybody_gets_in(app: App) {
    let owner = app.owner("open").await;
    let event = full_event(&owner, "ADVISORY").await;
    let answers = everybody(&owner, CHECK_IN, &event).await;
    assert_eq!(
        outcomes(&answers),
        [("CHECKED_IN".to_owned(), PEOPLE)].into()
    );
    app.database.must_be_consistent().await;
    app.stop().await;
}

async fn registering_and_cancelling_at_once_leaves_the_counts_right(app: App) {
    let owner = app.owner("regret").await;
    let input = json!({ "capacity": 5, "capacityPolicy": "SEATS" });
    let event = owner.event("Small room", input).await;
    let patrons = owner.patrons(8).await;
    let answers = at_once((0..160).map(|number| {
        let (client, patron) = (owner.clone(), patrons[number % patrons.len()].clone());
        let (operation, field) = if number % 3 == 0 {
            (CANCEL, "cancelRegistration")
        } else {
            (REGISTER, "register")
        };
        let input = json!({ "input": { "eventId": event, "patronId": patron } });
        async move { (client.send(operation, input).await, field) }
    }))
    .await;
    for (answer, field) in &answers {
        assert!(answer.body.get("errors").is_none(), "{:#}", answer.body);
        for code in answer.refusals(field) {
            assert!(
                ["CAPACITY_REACHED", "NOTHING_TO_UNDO"].contains(&&*code),
                "{code}"
            );
        }
    }
    let taken = app.database.number("SELECT seats_taken FROM events").await;
    assert!((0..=5).contains(&taken), "{taken} of 5 seats are taken");
    app.database.must_be_consistent().await;
    app.stop().await;
}

/// Why the statement that takes a seat has to ask in the same breath whether there is one: sessions
/// that look first and take afterwards sell the last seat to everybody who looked. SQLite has one
/// writer and no such race, so this is shown on PostgreSQL alone.
#[tokio::test(flavor = "multi_thread")]
async fn looking_first_and_taking_afterwards_oversells() {
    let Some(database) = TestDatabase::create(Backend::Postgres).await else {
        return;
    };
    let mut connection = PgConnection::connect(&database.url())
        .await
        .expect("the database");
    run(
        &mut connection,
        "CREATE TABLE halls (seats_taken integer NOT NULL, capacity integer NOT NULL)",
    )
    .await;
    for (condition, sold) in [("", 9), (" AND seats_taken + 1 <= capacity", 1)] {
        run(&mut connection, "TRUNCATE halls").await;
        run(&mut connection, "INSERT INTO halls VALUES (0, 1)").await;
        let looked = std::sync::Arc::new(tokio::sync::Barrier::new(9));
        at_once((0..9).map(|_| {
            let (url, looked) = (database.url(), looked.clone());
            async move {
                let mut session = PgConnection::connect(&url).await.expect("the database");
                run(&mut session, "BEGIN").await;
                assert_eq!(
                    run(
                        &mut session,
                        "SELECT 1 FROM halls WHERE seats_taken < capacity"
                    )
                    .await,
                    1
                );
                looked.wait().await;
                run(
                    &mut session,
                    &format!(
                        "UPDATE halls SET seats_taken = seats_taken + 1 WHERE true{condition}"
                    ),
                )
                .await;
                run(&mut session, "COMMIT").await;
            }
        }))
        .await;
        assert_eq!(database.number("SELECT seats_taken FROM halls").await, sold);
    }
}

/// Runs a statement and says how many rows it met.
async fn run(connection: &mut PgConnection, sql: &str) -> u64 {
    let done = sqlx::Executor::execute(connection, AssertSqlSafe(sql.to_owned()));
    done.await.expect(sql).rows_affected()
}

async fn full_event(owner: &Client, policy: &str) -> String {
    let input = json!({ "capacity": SEATS, "capacityPolicy": policy, "attendancePoints": 1 });
    owner.event("Jazz night", input).await
}

/// What each of [`PEOPLE`] is told when all ask at once.
async fn everybody(owner: &Client, operation: &'static str, event: &str) -> Vec<Answer> {
    let patrons = owner.patrons(PEOPLE).await;
    let clients: Vec<_> = (0..8).map(|_| owner.again()).collect();
    let answers = at_once(patrons.into_iter().enumerate().map(|(number, patron)| {
        let client = clients[number % clients.len()].clone();
        let input = json!({ "input": { "eventId": event, "patronId": patron } });
        async move { client.send(operation, input).await }
    }))
    .await;
    for answer in &answers {
        assert!(answer.body.get("errors").is_none(), "{:#}", answer.body);
    }
    answers
}

fn outcomes(answers: &[Answer]) -> std::collections::BTreeMap<String, usize> {
    let outcome = |answer: &Answer| {
        answer.body["data"]["checkIn"]["outcome"]
            .as_str()
            .map(str::to_owned)
    };
    tally(answers.iter().filter_map(outcome))
}
