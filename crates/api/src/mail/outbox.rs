//! Mails kept in this process's memory and shown at `/outbox`: for who tries Rollcall out. Whoever reaches
//! that page can use their tokens.

use std::{
    collections::VecDeque,
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    extract::State,
    http::header,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use domain::mail::{Message, escape};
use serde_json::json;

/// Mails kept at most.
const MOST: usize = 200;
/// What the page may do: show itself.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The newest mails.
#[derive(Clone, Default)]
pub struct Outbox(Arc<Mutex<VecDeque<Message>>>);

impl Outbox {
    /// Keeps a mail, and says so in the log without its token.
    pub fn keep(&self, message: Message) {
        tracing::info!(
            mail.kind = message.kind.as_str(),
            recipient = message.recipient,
            "mail.kept"
        );
        let mut messages = self.lock();
        messages.truncate(MOST - 1);
        messages.push_front(message);
    }

    /// No code panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Message>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `/outbox` for people and `/outbox.json` for scripts.
pub fn router(outbox: Outbox) -> Router {
    Router::new()
        .route("/outbox", get(page))
        .route("/outbox.json", get(list))
        .with_state(outbox)
}

async fn page(State(outbox): State<Outbox>) -> Response {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Outbox</title>\n\
         <style>body { font-family: sans-serif; margin: 2em auto; max-width: 48em } \
         article { border-top: 1px solid #999 } pre { white-space: pre-wrap; overflow-wrap: anywhere }</style></head>\n\
         <body>\n<h1>Outbox</h1>\n<p>Mails that would have been sent, newest first.</p>\n",
    );
    for message in outbox.lock().iter() {
        let (subject, recipient) = (escape(&message.subject), escape(&message.recipient));
        let text = escape(&message.text);
        // Writing to a string cannot fail.
        let _ = writeln!(
            page,
            "<article>\n<h2>{subject}</h2>\n<p>To {recipient}</p>\n<pre>{text}</pre>"
        );
        if let Some(link) = &message.link {
            let link = escape(link);
            let _ = writeln!(page, "<p><a href=\"{link}\">{link}</a></p>");
        }
        page += "</article>\n";
    }
    page += "</body>\n</html>\n";
    guarded(Html(page))
}

async fn list(State(outbox): State<Outbox>) -> Response {
    let messages = outbox.lock();
    let mails = messages.iter().map(|message| {
        json!({
            "id": message.id, "kind": message.kind.as_str(), "recipient": message.recipient,
            "subject": message.subject, "text": message.text, "html": message.html,
            "link": message.link, "token": message.token,
        })
    });
    let mails = mails.collect::<serde_json::Value>().to_string();
    guarded(([(header::CONTENT_TYPE, "application/json")], mails))
}

fn guarded(content: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, content).into_response()
}
