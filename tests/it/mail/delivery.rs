//! How mails get there: to a server, once, also after it was away; or to be looked at.

use std::{collections::BTreeSet, time::Duration};

use chrono::TimeDelta;
use serde_json::json;

use super::{account, address, join, posting};
use crate::harness::{
    App, Backend,
    evening::at,
    mail::{FROM, MailServer},
    on_each_database,
    people::PASSWORD,
};

on_each_database!(at crate::harness::evening::at(12, 0);
    a_server_gets_what_was_committed,
    a_mail_waits_for_a_server_that_is_away,
    two_instances_send_each_mail_once,
    a_line_break_in_an_address_sends_nothing,
    what_people_chose_is_text_on_the_page,
    the_outbox_keeps_the_newest,
    without_a_way_mails_wait,
);

/// Puts so many mails into the outbox that are about nobody.
async fn put(app: &App, count: usize, recipient: &str) {
    let (id, nothing) = match app.database.backend() {
        Backend::Sqlite => ("randomblob(16)", "'{}'"),
        Backend::Postgres => ("gen_random_uuid()", "'{}'::jsonb"),
    };
    let now = at(12, 0).to_rfc3339();
    let time = match app.database.backend() {
        Backend::Sqlite => format!("'{now}'"),
        Backend::Postgres => format!("'{now}'::timestamptz"),
    };
    let sql = format!(
        "INSERT INTO mails (id, kind, recipient, data, created_at, run_at, attempts)
         WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {count})
         SELECT {id}, 'password_changed', '{recipient}', {nothing}, {time}, {time}, 0 FROM series"
    );
    app.database.look(&sql).await;
}

/// The headers of a mail's text.
fn headers(content: &str) -> Vec<&str> {
    content
        .lines()
        .take_while(|line| !line.is_empty())
        .collect()
}

async fn a_server_gets_what_was_committed(app: App) {
    let mut server = MailServer::away();
    if !server.up().await {
        return;
    }
    let app = app
        .with(&[("ROLLCALL_SMTP_URL", &server.url()), FROM])
        .await;
    let ada = join(&app, "ada").await;
    let mails = server.mails(1).await;
    assert_eq!(mails[0]["recipients"], json!([address("ada")]));
    // As quoted-printable (RFC 2045, 6.7) has it, or as it is.
    let content = mails[0]["content"].as_str().expect("a text");
    let content = content.replace("=\r\n", "").replace("=3D", "=");
    let headers = headers(&content);
    for header in [
        "From: Rollcall <rollcall@example.org>",
        "To: ada@example.org",
        "Subject: Confirm your address",
        "Auto-Submitted: auto-generated",
    ] {
        assert!(headers.contains(&header), "{headers:#?}");
    }
    let link = format!("{}/#verify-email=", app.url);
    let token = content.split(&link).nth(1).expect("a link");
    let token: String = token
        .chars()
        .take_while(|character| !character.is_whitespace())
        .collect();
    for part in ["text/plain", "text/html"] {
        assert!(
            content.contains(&format!("Content-Type: {part}; charset=utf-8")),
            "{content}"
        );
    }
    ada.done("verifyEmail", "__typename", json!({ "token": token }))
        .await;
    assert!(account(&ada).await.1);
    // A change that is refused says nothing to anybody.
    let twin = json!({ "username": "ada", "email": "other@example.org", "password": PASSWORD, "firstName": "Ada" });
    ada.refused("signUp", twin).await;
    app.mailed().await;
    assert_eq!(server.mails(1).await.len(), 1);
    app.stop().await;
}

async fn a_mail_waits_for_a_server_that_is_away(app: App) {
    let mut server = MailServer::away();
    let app = app
        .with(&[("ROLLCALL_SMTP_URL", &server.url()), FROM])
        .await;
    join(&app, "ada").await;
    let ask = json!({ "email": address("ada") });
    app.anonymous()
        .done("requestPasswordReset", "__typename", ask)
        .await;
    let failed = "SELECT count(*) FROM mails WHERE failure IS NOT NULL AND attempts = 1";
    while app.database.number(failed).await < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if !server.up().await {
        return;
    }
    app.clock.set(at(12, 0) + TimeDelta::seconds(10));
    let mails = server.mails(2).await;
    app.mailed().await;
    let tried = app
        .database
        .look("SELECT CAST(attempts AS text) FROM mails WHERE failure IS NULL");
    assert_eq!((mails.len(), tried.await), (2, vec!["2".to_owned(); 2]));
    app.stop().await;
}

async fn two_instances_send_each_mail_once(app: App) {
    let mut server = MailServer::away();
    if !server.up().await {
        return;
    }
    let variables = [("ROLLCALL_SMTP_URL", &*server.url()), FROM];
    let app = app.with(&variables).await;
    let other = app.beside(&variables).await;
    put(&app, 100, "ada@example.org").await;
    app.mailed().await;
    let mails = server.mails(100).await;
    let ids: BTreeSet<&str> = mails
        .iter()
        .flat_map(|mail| headers(mail["content"].as_str().expect("a text")))
        .filter(|line| line.starts_with("Message-ID: "))
        .collect();
    assert_eq!((mails.len(), ids.len()), (100, 100));
    other.stop().await;
    app.stop().await;
}

async fn a_line_break_in_an_address_sends_nothing(app: App) {
    let mut server = MailServer::away();
    if !server.up().await {
        return;
    }
    let app = app
        .with(&[("ROLLCALL_SMTP_URL", &server.url()), FROM])
        .await;
    // Past every check of ours.
    for recipient in [
        "ada@example.org\r\nBcc: eve@example.org",
        "ada@example.org\nBcc: eve@example.org",
        "ada@example.org>\r\nRCPT TO:<eve@example.org",
        "ada@example.org, eve@example.org",
    ] {
        put(&app, 1, recipient).await;
    }
    let refused = "SELECT count(*) FROM mails WHERE failure LIKE '%no address%'";
    while app.database.number(refused).await < 4 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    put(&app, 1, "ada@example.org").await;
    let mails = server.mails(1).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["recipients"], json!(["ada@example.org"]));
    app.stop().await;
}

async fn what_people_chose_is_text_on_the_page(app: App) {
    let app = posting(app).await;
    let name = "<b title='x'>Ada</b> & \"Co\" {email}";
    let input = json!({ "username": "ada", "email": address("ada"), "password": PASSWORD, "firstName": name });
    app.anonymous().done("signUp", "__typename", input).await;
    let mail = app.mail("verify_email", &address("ada"), 1).await;
    assert!(mail["text"].as_str().expect("a text").contains(name));
    let page = reqwest::get(format!("{}/outbox", app.url))
        .await
        .expect("an answer");
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .expect("a text");
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert_eq!(page.headers()["cache-control"], "no-store");
    let page = page.text().await.expect("text");
    let link = mail["link"].as_str().expect("a link");
    assert!(page.contains(&format!("<a href=\"{link}\">")), "{page}");
    for html in [page.as_str(), mail["html"].as_str().expect("HTML")] {
        assert!(
            !html.contains("<b title") && html.contains("&lt;b title=&#39;x&#39;&gt;Ada"),
            "{html}"
        );
    }
    app.stop().await;
}

async fn the_outbox_keeps_the_newest(app: App) {
    let app = posting(app).await;
    put(&app, 205, "old@example.org").await;
    app.mailed().await;
    join(&app, "ada").await;
    app.mail("verify_email", &address("ada"), 1).await;
    let mails = app.outbox().await;
    assert_eq!(mails.len(), 200);
    assert_eq!(mails[0]["recipient"], address("ada"));
    app.stop().await;
}

async fn without_a_way_mails_wait(app: App) {
    join(&app, "ada").await;
    for path in ["/outbox", "/outbox.json"] {
        let answer = reqwest::get(format!("{}{path}", app.url)).await;
        assert_eq!(answer.expect("an answer").status(), 404);
    }
    let waiting = "SELECT count(*) FROM mails WHERE attempts = 0 AND sent_at IS NULL";
    assert_eq!(app.database.number(waiting).await, 1);
    let app = posting(app).await;
    app.mail("verify_email", &address("ada"), 1).await;
    app.stop().await;
}
