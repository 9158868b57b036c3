//! Two instances on one PostgreSQL, woken by a Redis that goes away and comes back.

use serde_json::json;
use tokio::sync::watch;

use crate::harness::{
    Backend, TestDatabase,
    listener::{Listener, assert_same, logged, now},
    process::Process,
    services::RedisServer,
};

#[tokio::test(flavor = "multi_thread")]
async fn losing_redis_loses_nothing() {
    let Some(mut redis) = RedisServer::start().await else {
        return;
    };
    let Some(database) = TestDatabase::create(Backend::Postgres).await else {
        return;
    };
    let variables = [
        ("DATABASE_URL", &*database.url()),
        ("REDIS_URL", &*redis.url()),
    ];
    let (here, there) = (Process::start(&variables), Process::start(&variables));
    let owner = here.anonymous().founder("redis").await;
    let event = owner.event("Jazz night", json!({})).await;
    let patrons = owner.patrons(30).await;
    let (_address, elsewhere) = watch::channel(there.url.clone());
    let mut listener = Listener::start(&owner, &elsewhere, now(&owner, &event).await);

    for (number, patron) in patrons.iter().enumerate() {
        match number {
            10 => redis.kill(),
            20 => assert!(redis.up().await, "Redis starts again"),
            _ => {}
        }
        assert_eq!(owner.check_in(&event, patron).await, "CHECKED_IN");
        let data = owner
            .at(&there.url)
            .ok(
                "query($id: ID!) { event(id: $id) { insideCount } }",
                json!({ "id": event }),
            )
            .await;
        assert_eq!(
            data["event"]["insideCount"],
            number + 1,
            "a read at the other instance"
        );
        if number % 10 == 9 {
            // With Redis and without, what happened here is heard there.
            let newest = *logged(&database).await.last().expect("a change");
            listener.reached(newest).await;
        }
    }
    let logged = logged(&database).await;
    assert_same(
        &listener.until(*logged.last().expect("a change")).await,
        &logged,
    );
}
