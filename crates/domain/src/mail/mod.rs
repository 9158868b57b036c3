//! Mails. What is to be said is written down with the change that causes it, in its transaction:
//! [`crate::Writer::mail`], [`crate::scope::Own::mail`], [`crate::scope::SystemTransaction::mail`].
//! `jobs::Mailer` finds the words, makes the token if one belongs into it, and sends it.

mod locale;
mod message;
mod words;

use chrono::TimeDelta;
use entity::identity::user::UserId;
use serde_json::{Map, Value};

pub use locale::Locale;
pub(crate) use message::Parts;
pub use message::{Message, escape};

/// A mail that could not be sent for so long is not sent any more.
pub(crate) const UNSENT: TimeDelta = TimeDelta::days(90);

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// What a mail says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[doc = $doc])+ $name,)+ }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// As it is stored.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

kinds! {
    /// The token that proves the address of an account.
    VerifyEmail = "verify_email",
    /// The token that lets another password be chosen, if the address is an account's.
    ResetPassword = "reset_password",
    /// The token that makes the recipient's address an account's.
    ChangeEmail = "change_email",
    /// To the address so far: another, `email`, is to take its place.
    EmailChangeRequested = "email_change_requested",
    /// To both addresses: `email` is the account's now.
    EmailChanged = "email_changed",
    /// The account has another password.
    PasswordChanged = "password_changed",
    /// The account has another second factor.
    SecondFactorAdded = "second_factor_added",
    /// A second factor was taken from the account.
    SecondFactorRemoved = "second_factor_removed",
    /// The account has other recovery codes.
    RecoveryCodesReplaced = "recovery_codes_replaced",
    /// One of them was used; so many, `left`, are.
    RecoveryCodeUsed = "recovery_code_used",
    /// The account is closed.
    AccountClosed = "account_closed",
    /// The account can be signed in to with another one, at `provider`.
    AccountLinked = "account_linked",
    /// It cannot any more.
    AccountUnlinked = "account_unlinked",
    /// The token that makes the recipient a member of `organization`.
    Invitation = "invitation",
}

/// A mail to be sent once what causes it is permanent.
#[derive(Clone, Debug)]
pub struct Mail {
    pub(crate) kind: Kind,
    pub(crate) recipient: String,
    pub(crate) user: Option<UserId>,
    pub(crate) data: Map<String, Value>,
}

impl Kind {
    /// The kind that is stored as `text`; none for one of a newer release.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }

    /// What its link leads to, below the public address; none without a token. It is the fragment,
    /// which no server and no proxy on the way gets to see.
    #[must_use]
    pub(crate) fn fragment(self) -> Option<&'static str> {
        match self {
            Self::VerifyEmail => Some("verify-email"),
            Self::ResetPassword => Some("reset-password"),
            Self::ChangeEmail => Some("confirm-email-change"),
            Self::Invitation => Some("accept-invitation"),
            Self::EmailChangeRequested
            | Self::EmailChanged
            | Self::PasswordChanged
            | Self::SecondFactorAdded
            | Self::SecondFactorRemoved
            | Self::RecoveryCodesReplaced
            | Self::RecoveryCodeUsed
            | Self::AccountClosed
            | Self::AccountLinked
            | Self::AccountUnlinked => None,
        }
    }
}

impl Mail {
    /// A mail to an address that is checked.
    #[must_use]
    pub fn new(kind: Kind, recipient: impl Into<String>) -> Self {
        Self {
            kind,
            recipient: recipient.into(),
            user: None,
            data: Map::new(),
        }
    }

    /// The same about a person, in their language.
    #[must_use]
    pub fn about(self, user: UserId) -> Self {
        Self {
            user: Some(user),
            ..self
        }
    }

    /// The same with a word for its text, or the id of the row that its token belongs to. Never a
    /// secret: it is stored as it is.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.data.insert(name.to_owned(), value.into());
        self
    }
}
