//! The main job, once through.

use serde_json::json;

use crate::harness::{App, on_each_database};

on_each_database!(a_patron_is_checked_in_once);

async fn a_patron_is_checked_in_once(app: App) {
    let owner = app.owner("jazz").await;
    let event = owner.event("Jazz night", json!({})).await;
    let patron = owner.patron("Ada").await;
    assert_eq!(owner.check_in(&event, &patron).await, "CHECKED_IN");
    assert_eq!(owner.check_in(&event, &patron).await, "ALREADY_CHECKED_IN");
    let data = owner.ok("query($id: ID!) { event(id: $id) { checkedInCount insideCount attendances { nodes { state patron { name points tier } } } } }", json!({ "id": event })).await;
    assert_eq!(data["event"]["insideCount"], 1);
    assert_eq!(
        data["event"]["attendances"]["nodes"][0]["patron"]["points"],
        10
    );
    app.stop().await;
}
