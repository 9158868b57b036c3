//! Invitations of many people at once.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::invitation::{email, token};
use crate::harness::{App, mail::OUTBOX, on_each_database};

on_each_database!(a_file_invites_many);

async fn a_file_invites_many(app: App) {
    let app = app.with(&[OUTBOX]).await;
    let owner = app.owner("jazz").await;
    let own = email(&owner).await;
    let file = format!(
        "Name,EMAIL,role\nAda,ada@example.org,\nBo,bo@example.org,organizer\nNo,nobody,\nAda,ADA@example.org,\nMe,{own},\nK,k@example.org,king\n"
    );
    let input = json!({ "content": STANDARD.encode(file), "role": "viewer" });
    let payload = owner
        .done(
            "importInvitations",
            "rows { line email invitation { role } error { code } }",
            input,
        )
        .await;
    let invited = |line: u64, email: &str, role: &str| json!({ "line": line, "email": email, "invitation": { "role": role }, "error": null });
    let wrong = |line: u64, email: &str, code: &str| json!({ "line": line, "email": email, "invitation": null, "error": { "code": code } });
    assert_eq!(
        payload["rows"],
        json!([
            invited(2, "ada@example.org", "viewer"),
            invited(3, "bo@example.org", "organizer"),
            wrong(4, "nobody", "INVALID"),
            wrong(5, "ADA@example.org", "TAKEN"),
            wrong(6, &own, "TAKEN"),
            wrong(7, "k@example.org", "NOT_FOUND"),
        ])
    );
    for address in ["ada@example.org", "bo@example.org"] {
        token(&app, address, 1).await;
    }
    let before = app.database.holdings().await;
    let many = "x@example.org\n".repeat(501);
    for (content, refusal) in [
        ("name\nAda\n".to_owned(), "UNREADABLE_FILE input.content"),
        (format!("email\n{many}"), "TOO_LONG input.content"),
    ] {
        let input = json!({ "content": STANDARD.encode(content), "role": "viewer" });
        assert_eq!(owner.refused("importInvitations", input).await, [refusal]);
    }
    assert_eq!(app.database.holdings().await, before);
    app.stop().await;
}
