//! Who may not follow, and from where nobody can.

use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::{FOLLOW, PATIENCE, PULL};
use crate::harness::{
    App, Client,
    listener::now,
    on_each_database,
    socket::{Heard, Subscription},
};

on_each_database!(
    cursors_of_elsewhere_are_refused,
    who_may_not_read_may_not_follow,
    one_field_is_followed_wherever_it_stands
);

async fn cursors_of_elsewhere_are_refused(app: App) {
    let (owner, stranger) = (app.owner("here").await, app.owner("elsewhere").await);
    let foreign = now(&stranger, &stranger.event("Jazz night", json!({})).await).await;
    let event = owner.event("Jazz night", json!({})).await;
    let of_a_list = owner
        .ok("{ events { pageInfo { endCursor } } }", json!({}))
        .await;
    let of_a_list = of_a_list["events"]["pageInfo"]["endCursor"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    for cursor in ["", "0", "nonsense", "AAAA", "{}", &foreign, &of_a_list] {
        assert_eq!(
            both(&owner, json!({ "after": cursor })).await,
            ["INVALID", "INVALID"],
            "{cursor}"
        );
    }
    // The control: its own is taken.
    let own = now(&owner, &event).await;
    assert_eq!(both(&owner, json!({ "after": own })).await, ["", ""]);
    app.stop().await;
}

async fn who_may_not_read_may_not_follow(app: App) {
    let owner = app.owner("rights").await;
    let nothing = json!({});
    assert_eq!(
        both(&app.anonymous(), nothing.clone()).await,
        ["UNAUTHENTICATED", "UNAUTHENTICATED"]
    );
    assert_eq!(
        both(&app.member(&owner, "member").await, nothing.clone()).await,
        ["FORBIDDEN", "FORBIDDEN"]
    );
    assert_eq!(
        both(&app.sign_up("nobody").await, nothing.clone()).await,
        ["NO_ORGANIZATION", "NO_ORGANIZATION"]
    );
    for role in ["viewer", "checkin", "organizer", "admin"] {
        assert_eq!(
            both(&app.member(&owner, role).await, nothing.clone()).await,
            ["", ""],
            "{role}"
        );
    }
    // A credential that does not hold does not even get a socket.
    let mut refused =
        Subscription::open(&app.anonymous().with_token("nonsense"), FOLLOW, nothing).await;
    assert_eq!(refused.next(PATIENCE).await, Heard::Closed(4403));
    // Nor does one that is no string, or an organization that is none: left out, another might be
    // followed than was meant.
    let token = format!("Bearer {}", owner.token.as_deref().expect("a token"));
    for introduction in [
        json!({ "Authorization": 7 }),
        json!({ "Authorization": token, "rollcall-organization": ["rights"] }),
    ] {
        let address = owner.url.trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.expect("the server");
        let operation = json!({ "query": FOLLOW });
        let socket = Subscription::introduced(stream, &owner, &introduction, &operation).await;
        let heard = socket.expect("a socket").next(PATIENCE).await;
        assert_eq!(heard, Heard::Closed(4403), "{introduction}");
    }
    app.stop().await;
}

/// The executor looks for a subscription's field at the root alone, and takes several for several.
async fn one_field_is_followed_wherever_it_stands(app: App) {
    let owner = app.owner("root").await;
    for query in [
        "subscription { ...F } fragment F on Subscription { attendanceChanged { cursor caughtUp } }",
        "subscription { ... { ... on Subscription { attendanceChanged { cursor caughtUp } } } }",
        "subscription { attendanceChanged { cursor } ...F } fragment F on Subscription { attendanceChanged { caughtUp } }",
    ] {
        let mut subscription = Subscription::open(&owner, query, json!({})).await;
        let Heard::Next(payload) = subscription.next(PATIENCE).await else {
            panic!("{query}");
        };
        let told = &payload["data"]["attendanceChanged"];
        assert!(told["cursor"].is_string(), "{payload}");
        assert_eq!(told["caughtUp"], true, "{payload}");
    }
    for query in [
        "subscription { a: attendanceChanged { cursor } b: attendanceChanged { cursor } }",
        "subscription { attendanceChanged { cursor } attendanceChanged(after: \"0\") { cursor } }",
        "subscription { attendanceChanged @skip(if: true) { cursor } }",
        "subscription($x: Boolean = true) { ... @include(if: $x) { attendanceChanged { cursor } } }",
        "subscription { __typename }",
    ] {
        let mut subscription = Subscription::open(&owner, query, json!({})).await;
        let Heard::Error(errors) = subscription.next(PATIENCE).await else {
            panic!("{query}");
        };
        let code = &errors[0]["extensions"]["code"];
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{query}");
    }
    app.stop().await;
}

/// The code with which following and pulling are refused; nothing where they are not.
async fn both(client: &Client, variables: Value) -> [String; 2] {
    let mut subscription = Subscription::open(client, FOLLOW, variables.clone()).await;
    let followed = match subscription.next(PATIENCE).await {
        Heard::Error(errors) => errors[0]["extensions"]["code"]
            .as_str()
            .expect("a code")
            .to_owned(),
        Heard::Next(payload) if payload.get("errors").is_none() => String::new(),
        other => panic!("{other:?}"),
    };
    let pulled = client.send(PULL, variables).await.codes().pop();
    [followed, pulled.unwrap_or_default()]
}
