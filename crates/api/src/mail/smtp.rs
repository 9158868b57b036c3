//! Mails by SMTP (RFC 5321).

use std::time::Duration;

use domain::mail::Message;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};

/// The server answers each command within this time.
const PATIENCE: Duration = Duration::from_secs(20);

/// The way to a server.
#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// A way to the server of `url`. With `smtp://` it is encrypted if the server can, and must be where
    /// a password is sent, unless `?tls=` says `required`, `opportunistic` or `none`.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub fn new(url: &str, from: Mailbox) -> Result<Self, String> {
        let has_password = url.contains('@');
        let url = match url.strip_suffix("?tls=none") {
            Some(plain) => plain.to_owned(),
            None if url.contains('?') || !url.starts_with("smtp://") => url.to_owned(),
            None if has_password => format!("{url}?tls=required"),
            None => format!("{url}?tls=opportunistic"),
        };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url)
            .map_err(|_| "is not like smtp://user:password@host:port".to_owned())?;
        Ok(Self {
            transport: transport.timeout(Some(PATIENCE)).build(),
            from,
        })
    }

    /// Hands a mail over.
    ///
    /// # Errors
    /// The address is none, or why the server did not take it.
    pub async fn send(&self, message: Message) -> Result<(), String> {
        let message = self.write(message)?;
        let sent = self.transport.send(message).await;
        sent.map(drop).map_err(|error| in_words(&error))
    }

    /// A mail as it travels. No word of a person's is in its headers, only the address, which is parsed:
    /// a line break in it makes it none.
    fn write(&self, message: Message) -> Result<lettre::Message, String> {
        let recipient: Address = message
            .recipient
            .parse()
            .map_err(|error| format!("the recipient is no address: {error}"))?;
        let domain = self.from.email.domain();
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, recipient))
            .subject(message.subject)
            .message_id(Some(format!("<{}@{domain}>", message.id)))
            // RFC 3834: nobody's absence is to answer it.
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(
                message.text,
                message.html,
            ))
            .map_err(|error| error.to_string())
    }
}

/// An error with what caused it, which says more.
fn in_words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let words: Vec<String> = causes.map(ToString::to_string).collect();
    words.join(": ")
}
