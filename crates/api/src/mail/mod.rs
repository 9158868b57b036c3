//! The ways that mails take: to an SMTP server, or into this process's memory.

pub mod outbox;
mod smtp;

use domain::{jobs, mail::Message};
use lettre::message::Mailbox;

pub use outbox::Outbox;
pub use smtp::Smtp;

/// Where mails go, as configured.
#[derive(Clone, Debug)]
pub enum Settings {
    /// To the server of this URL.
    Smtp {
        /// `smtp://` or `smtps://`, with name and password where the server wants them.
        url: String,
        /// Whom they come from.
        from: Mailbox,
    },
    /// Into this process's memory, for who tries it out.
    Outbox,
}

/// The way in use.
#[derive(Clone)]
pub enum Transport {
    /// To a server.
    Smtp(Box<Smtp>),
    /// Into memory.
    Outbox(Outbox),
}

impl Settings {
    /// Opens the way. Nothing is connected yet.
    ///
    /// # Errors
    /// What is wrong with the URL, without repeating it.
    pub fn open(&self) -> Result<Transport, String> {
        Ok(match self {
            Self::Smtp { url, from } => Transport::Smtp(Box::new(Smtp::new(url, from.clone())?)),
            Self::Outbox => Transport::Outbox(Outbox::default()),
        })
    }

    /// For people, and without a password.
    #[must_use]
    pub fn in_words(&self) -> &'static str {
        match self {
            Self::Smtp { .. } => "SMTP",
            Self::Outbox => "kept in memory, shown at /outbox",
        }
    }
}

impl jobs::Transport for Transport {
    async fn send(&self, message: Message) -> Result<(), String> {
        match self {
            Self::Smtp(smtp) => smtp.send(message).await,
            Self::Outbox(outbox) => {
                outbox.keep(message);
                Ok(())
            }
        }
    }
}
