//! Who is there is not told by how long an answer takes.
//!
//! No time is asserted: requests of two kinds alternate, and a rank test (Mann-Whitney) says whether
//! one kind tends to take longer. Whatever else the machine does meets both.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{App, mail::OUTBOX, on_each_database, people::PASSWORD};

on_each_database!(
    a_known_login_takes_as_long_as_an_unknown_one,
    a_known_address_takes_as_long_as_an_unknown_one,
);

const ROUNDS: usize = 40;
/// Standard deviations: by chance, one run of a million is further apart.
const FAR: f64 = 5.0;

async fn a_known_login_takes_as_long_as_an_unknown_one(app: App) {
    for name in ["ada", "bo_"] {
        let input = json!({ "username": name, "email": format!("{name}@example.org"), "password": PASSWORD, "firstName": "Ada" });
        app.anonymous().done("signUp", "__typename", input).await;
    }
    // An account whose people sign in by other means.
    app.database
        .look("UPDATE users SET password_hash = '!' WHERE username = 'bo_'")
        .await;
    let too_long = "x".repeat(2000);
    let kinds = [
        "ada@example.org",
        "nobody@example.org",
        "bo_@example.org",
        &too_long,
    ];
    let mut times: [Vec<Duration>; 4] = Default::default();
    let client = app.anonymous();
    for round in 0..ROUNDS {
        // In turn from the front and from the back, so that none always follows the same one.
        for turn in 0..kinds.len() {
            let kind = if round % 2 == 0 {
                turn
            } else {
                kinds.len() - 1 - turn
            };
            let input = json!({ "login": kinds[kind], "password": "Wrong-horse-7" });
            let began = Instant::now();
            let refused = client.refused("signIn", input).await;
            times[kind].push(began.elapsed());
            assert_eq!(refused, ["BAD_CREDENTIALS input.password"]);
        }
    }
    let [known, unknown, passwordless, impossible] = &times;
    for other in [unknown, passwordless] {
        let apart = apart(known, other);
        assert!(apart.abs() < FAR, "{apart} standard deviations apart");
    }
    // The test can fail: a login that is nobody's whoever there is takes no hash.
    assert!(apart(known, impossible) > FAR);
    app.stop().await;
}

async fn a_known_address_takes_as_long_as_an_unknown_one(app: App) {
    let input = json!({ "username": "ada", "email": "ada@example.org", "password": PASSWORD, "firstName": "Ada" });
    app.anonymous().done("signUp", "__typename", input).await;
    // Who sends finds out who is there, meanwhile.
    let app = app.with(&[OUTBOX]).await;
    let mut times: [Vec<Duration>; 3] = Default::default();
    let client = app.anonymous();
    for round in 0..ROUNDS {
        for turn in 0..times.len() {
            let kind = if round % 2 == 0 {
                turn
            } else {
                times.len() - 1 - turn
            };
            let address = ["ada@example.org", "eve@example.org", "nowhere"][kind];
            let began = Instant::now();
            let answer = client.mutate(
                "requestPasswordReset",
                "__typename",
                json!({ "email": address }),
            );
            answer.await;
            times[kind].push(began.elapsed());
            app.mailed().await;
        }
    }
    let [known, unknown, impossible] = &times;
    let far = apart(known, unknown);
    assert!(far.abs() < FAR, "{far} standard deviations apart");
    // The test can fail: what is no address is written nowhere.
    assert!(apart(known, impossible) > FAR);
    app.stop().await;
}

/// By how many standard deviations the first kind takes longer more often than by chance.
fn apart(ones: &[Duration], others: &[Duration]) -> f64 {
    let longer = ones
        .iter()
        .map(|one| others.iter().filter(|other| one > *other).count())
        .sum::<usize>();
    let [longer, ones, others] = [longer, ones.len(), others.len()]
        .map(|count| f64::from(u32::try_from(count).expect("few")));
    let deviation = (ones * others * (ones + others + 1.0) / 12.0).sqrt();
    (longer - ones * others / 2.0) / deviation
}
