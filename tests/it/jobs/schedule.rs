//! Once a period, however many instances there are, and whatever becomes of them.

use std::time::Duration;

use chrono::TimeDelta;
use domain::jobs::Scheduler;
use tokio_util::sync::CancellationToken;

use super::{IDLE, Instance, TASKS, instant, words};
use crate::harness::{App, on_each_database};

on_each_database!(at crate::jobs::long_ago();
    two_instances_do_each_task_once,
    who_died_at_it_is_followed_by_another,
    a_stop_hands_over_what_is_left,
    an_instance_does_what_is_due_by_itself,
);

const DAY: TimeDelta = TimeDelta::days(1);

async fn two_instances_do_each_task_once(app: App) {
    let app = app.with(&[IDLE]).await;
    let (one, two) = (Instance::of(&app).await, Instance::of(&app).await);
    tokio::join!(one.work(), two.work());
    let tasks = i64::try_from(TASKS).expect("a small number");
    let planned = "SELECT count(*) FROM schedules";
    assert_eq!(app.database.number(planned).await, tasks);
    for _ in 0..20 {
        app.clock.set(app.clock.now() + DAY);
        let (done, also_done) = tokio::join!(one.work(), two.work());
        assert_eq!(done + also_done, TASKS);
        let free = "SELECT count(*) FROM schedules WHERE holder IS NULL AND leased_until IS NULL";
        assert_eq!(app.database.number(free).await, tasks);
    }
    one.db.close().await;
    two.db.close().await;
    app.stop().await;
}

async fn who_died_at_it_is_followed_by_another(app: App) {
    let app = app.with(&[IDLE]).await;
    let instance = Instance::of(&app).await;
    instance.work().await;
    app.clock.set(app.clock.now() + DAY);
    let (id, _) = words(&app.database);
    let until = instant(&app.database, app.clock.now() + TimeDelta::minutes(5));
    let taken =
        format!("UPDATE schedules SET holder = {id}, leased_until = {until} WHERE task = 'mails'");
    app.database.look(&taken).await;
    assert_eq!(instance.work().await, TASKS - 1);
    app.clock.set(app.clock.now() + TimeDelta::minutes(5));
    assert_eq!(instance.work().await, 0, "it may still be at it");
    app.clock.set(app.clock.now() + TimeDelta::microseconds(1));
    assert_eq!(instance.work().await, 1);
    instance.db.close().await;
    app.stop().await;
}

/// Puts so many mails there that were sent long ago.
async fn put_mails(app: &App, count: usize) {
    let (id, nothing) = words(&app.database);
    let past = instant(&app.database, app.clock.now() - DAY * 100);
    let sql = format!(
        "INSERT INTO mails (id, kind, recipient, data, created_at, run_at, attempts, sent_at)
         WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {count})
         SELECT {id}, 'password_changed', 'ada', {nothing}, {past}, {past}, 1, {past} FROM series"
    );
    app.database.look(&sql).await;
}

const MAILS: &str = "SELECT count(*) FROM mails";

async fn a_stop_hands_over_what_is_left(app: App) {
    let app = app.with(&[IDLE]).await;
    let instance = Instance::of(&app).await;
    put_mails(&app, 30_000).await;
    instance.work().await;
    app.clock.set(app.clock.now() + DAY);
    let stop = CancellationToken::new();
    let stopped = tokio::spawn(Scheduler::new(&instance.db).run(stop.clone()));
    while app.database.number(MAILS).await == 30_000 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stop.cancel();
    stopped.await.expect("no panic");
    let free = "SELECT count(*) FROM schedules WHERE holder IS NOT NULL";
    assert_eq!(app.database.number(free).await, 0);
    let left = app.database.number(MAILS).await;
    println!("{left} mails were left");
    instance.work().await;
    assert_eq!(app.database.number(MAILS).await, 0);
    instance.db.close().await;
    app.stop().await;
}

/// What a test does here by hand, `serve` does.
async fn an_instance_does_what_is_due_by_itself(app: App) {
    let app = app.with(&[IDLE]).await;
    let instance = Instance::of(&app).await;
    put_mails(&app, 1).await;
    instance.work().await;
    instance.db.close().await;
    app.clock.set(app.clock.now() + DAY);
    let app = app.with(&[]).await;
    while app.database.number(MAILS).await > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.stop().await;
}
