//! A mail as it is sent: the words of its kind, filled in, as text and as HTML.

use serde_json::{Map, Value};

use super::{
    Kind, Locale,
    words::{self, Words},
};
use crate::secret::Token;

/// A mail as it is sent. It may hold a token: `Debug` is not derived, so that it reaches no log.
#[derive(Clone)]
pub struct Message {
    /// The mail's id and which try it is: the next has another token.
    pub id: String,
    /// What it says.
    pub kind: Kind,
    /// The address it goes to.
    pub recipient: String,
    /// One line.
    pub subject: String,
    /// The whole as text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// Where its link leads to.
    pub link: Option<String>,
    /// Its token.
    pub token: Option<String>,
}

/// What a message is made of, besides the words of its kind.
pub(crate) struct Parts<'a> {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) recipient: String,
    pub(crate) locale: Locale,
    /// Whom it greets; may be empty.
    pub(crate) name: &'a str,
    /// The words of the mail itself.
    pub(crate) data: &'a Map<String, Value>,
    pub(crate) token: Option<Token>,
    /// Where browsers reach us.
    pub(crate) public_url: &'a str,
}

impl Message {
    /// Fills the words of a kind in.
    pub(crate) fn new(parts: Parts<'_>) -> Self {
        let words = words::words(parts.kind, parts.locale);
        let token = parts.token.as_ref().map(Token::reveal);
        let link = token.as_ref().zip(parts.kind.fragment());
        let link =
            link.map(|(token, fragment)| format!("{}/#{fragment}={token}", parts.public_url));
        Self {
            text: text(&words, &parts, link.as_deref(), token.as_deref()),
            html: html(&words, &parts, link.as_deref(), token.as_deref()),
            id: parts.id,
            kind: parts.kind,
            recipient: parts.recipient,
            subject: words.subject.to_owned(),
            link,
            token,
        }
    }
}

fn text(words: &Words, parts: &Parts<'_>, link: Option<&str>, token: Option<&str>) -> String {
    let plain = |text: &str| fill(text, parts, str::to_owned);
    let mut paragraphs = vec![plain(greeting(parts)), plain(words.before)];
    if let (Some(link), Some(token)) = (link, token) {
        paragraphs.push(format!("{}:\n{link}", words.link));
        paragraphs.push(format!("{}\n{token}", words::token(parts.locale)));
    }
    paragraphs.push(plain(words.after));
    paragraphs.join("\n\n") + "\n"
}

fn html(words: &Words, parts: &Parts<'_>, link: Option<&str>, token: Option<&str>) -> String {
    let paragraph = |text: &str| format!("<p>{}</p>\n", fill(&escape(text), parts, escape));
    let mut body = vec![paragraph(greeting(parts)), paragraph(words.before)];
    if let (Some(link), Some(token)) = (link, token) {
        let (name, before) = (escape(words.link), escape(words::token(parts.locale)));
        body.push(format!("<p><a href=\"{}\">{name}</a></p>\n", escape(link)));
        body.push(format!("<p>{before}<br><code>{token}</code></p>\n"));
    }
    body.push(paragraph(words.after));
    let body = body.concat();
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><title>{}</title></head>\n\
         <body style=\"font-family: sans-serif; line-height: 1.5; max-width: 36em\">\n{body}</body>\n</html>\n",
        parts.locale.as_str(),
        escape(words.subject),
    )
}

fn greeting(parts: &Parts<'_>) -> &'static str {
    let (named, nameless) = words::greeting(parts.locale);
    if parts.name.is_empty() {
        nameless
    } else {
        named
    }
}

/// Puts a word for each `{name}`, in one pass: what is put in is not looked at again.
fn fill(text: &str, parts: &Parts<'_>, write: impl Fn(&str) -> String) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled += before;
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let word = match name {
            "name" => parts.name,
            _ => parts
                .data
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default(),
        };
        filled += &write(word);
        rest = after;
    }
    filled + rest
}

/// A text in which HTML sees nothing but text, also between quotes.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: Kind, locale: Locale, name: &str, data: &Value) -> Message {
        Message::new(Parts {
            id: "1".to_owned(),
            kind,
            recipient: "ada@example.org".to_owned(),
            locale,
            name,
            data: data.as_object().expect("an object"),
            token: kind.fragment().map(|_| Token::random().expect("a token")),
            public_url: "https://rollcall.example.org",
        })
    }

    #[test]
    fn every_kind_has_its_words_in_every_language() {
        for kind in Kind::ALL {
            let data = serde_json::json!({ "email": "new@example.org", "organization": "Jazz" });
            let [english, german] =
                [Locale::En, Locale::De].map(|locale| message(*kind, locale, "Ada", &data));
            assert_ne!(english.subject, german.subject);
            assert!(
                english.text.starts_with("Hello Ada,\n\n")
                    && german.text.starts_with("Guten Tag Ada,\n\n")
            );
            for message in [english, german] {
                assert_eq!(message.link.is_some(), kind.fragment().is_some());
                for part in [message.link, message.token].into_iter().flatten() {
                    assert!(message.text.contains(&part) && message.html.contains(&part));
                }
                assert!(!message.text.contains(['{', '}']) && !message.text.contains("\n\n\n"));
            }
        }
    }

    #[test]
    fn what_people_chose_is_text_and_nothing_else() {
        let name = "<b onclick='x'>\"Ada\" & {email}</b>";
        let data = serde_json::json!({ "email": "<script>alert(1)</script>{name}@example.org" });
        let message = message(Kind::EmailChanged, Locale::En, name, &data);
        assert!(message.text.contains(name) && message.text.contains("<script>"));
        assert!(
            !message.html.contains("<b onclick") && !message.html.contains("<script"),
            "{}",
            message.html
        );
        assert!(
            message
                .html
                .contains("&lt;b onclick=&#39;x&#39;&gt;&quot;Ada&quot; &amp; {email}&lt;/b&gt;")
        );
    }
}
