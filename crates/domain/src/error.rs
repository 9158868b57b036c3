//! Why something was not done.
//!
//! | situation | variant |
//! |---|---|
//! | the caller can mend it: bad input, a conflict, a rule | [`Error::Refused`], with one [`Problem`] each |
//! | it is not there, is another tenant's, or may not be seen | [`Error::NotFound`] |
//! | no organization was chosen to act in | [`Error::NoOrganization`] |
//! | no valid credential | [`Error::Unauthenticated`] |
//! | a credential of a machine, where only a person will do | [`Error::PersonRequired`] |
//! | a credential without the permission | [`Error::Forbidden`] |
//! | a credential that would do with a second factor | [`Error::SecondFactorRequired`] |
//! | too much at once, or the database is away: trying again helps | [`Error::Unavailable`] |
//! | too many tries, by a rule of [`crate::limit`] | [`Error::Limited`] |
//! | a defect of ours | [`Error::Internal`], whose text is logged and never told |

use std::fmt;

use sea_orm::{DbErr, RuntimeErr, SqlErr};

use crate::Permission;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done; see the module for which variant is meant when.
#[derive(Clone, Debug)]
pub enum Error {
    /// The caller can mend it.
    Refused(Vec<Problem>),
    /// It is not there, as far as the caller may know.
    NotFound,
    /// The request names no organization, and its session has none.
    NoOrganization,
    /// No valid credential came with the request.
    Unauthenticated,
    /// Only a person can do this, and the credential is a machine's.
    PersonRequired,
    /// The credential lacks this permission.
    Forbidden(Permission),
    /// The organization wants a second factor for this permission, and the session has none.
    SecondFactorRequired(Permission),
    /// Trying again may help.
    Unavailable(&'static str),
    /// Too many tries.
    Limited {
        /// Seconds after which another is taken.
        after: u32,
    },
    /// A defect of ours: the text is for the log.
    Internal(String),
}

/// One thing wrong with what the caller asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of thing.
    pub code: Code,
    /// The input field it is about, in the wire's spelling; empty for the whole.
    pub field: &'static str,
    /// What was wrong and what to do, for people.
    pub message: String,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// Every kind of [`Problem`]: the closed catalogue clients may match on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// All of them, in the catalogue's order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code on the wire.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// What it means, for the catalogue.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// A value is malformed or out of its range.
    Invalid = "INVALID",
    /// A value is missing or blank.
    Required = "REQUIRED",
    /// A text is longer, or a list has more items, than allowed.
    TooLong = "TOO_LONG",
    /// An id is not one of ours, or names another kind of thing.
    InvalidId = "INVALID_ID",
    /// The thing an id names is not there.
    NotFound = "NOT_FOUND",
    /// Someone else has it already: a username, an e-mail address, a slug.
    Taken = "TAKEN",
    /// The login or the password is wrong.
    BadCredentials = "BAD_CREDENTIALS",
    /// The password does not satisfy the rule.
    WeakPassword = "WEAK_PASSWORD",
    /// An organization keeps its owner.
    LastOwner = "LAST_OWNER",
    /// No one grants, or takes away, what they do not hold themselves.
    AboveOwnRole = "ABOVE_OWN_ROLE",
    /// The event has no room for so many.
    CapacityReached = "CAPACITY_REACHED",
    /// The event is cancelled, closed, over, or not published.
    EventNotOpen = "EVENT_NOT_OPEN",
    /// There is nothing to undo or to cancel.
    NothingToUndo = "NOTHING_TO_UNDO",
    /// The same client-made id came before with other content.
    IdempotencyConflict = "IDEMPOTENCY_CONFLICT",
    /// The file cannot be read as what it claims to be.
    UnreadableFile = "UNREADABLE_FILE",
    /// The thing is not in the state that this needs.
    WrongState = "WRONG_STATE",
    /// The organization is suspended or cancelled and can only be read.
    OrganizationInactive = "ORGANIZATION_INACTIVE",
    /// The password was given too long ago for this: give it to `confirmPassword`, then try again.
    SessionNotFresh = "SESSION_NOT_FRESH",
    /// No second factor was given in this session: give it to `confirmSecondFactor`, then try again.
    SecondFactorRequired = "SECOND_FACTOR_REQUIRED",
    /// The token is unknown, was used, is too old, or was replaced by a newer one.
    InvalidToken = "INVALID_TOKEN",
    /// The same was asked for a moment ago: wait, then try again.
    TooSoon = "TOO_SOON",
    /// Whoever runs Rollcall has not configured what this needs.
    NotConfigured = "NOT_CONFIGURED",
    /// The outside provider did not prove who it is: begin again.
    ProviderFailed = "PROVIDER_FAILED",
    /// It is not proved that the e-mail address is theirs.
    EmailNotVerified = "EMAIL_NOT_VERIFIED",
    /// Without it they could not sign in any more.
    LastWayIn = "LAST_WAY_IN",
}

impl Problem {
    /// A problem with the input field `field`.
    pub fn new(code: Code, field: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            field,
            message: message.into(),
        }
    }
}

impl Error {
    /// A refusal for one reason.
    pub fn refused(code: Code, field: &'static str, message: impl Into<String>) -> Self {
        Self::Refused(vec![Problem::new(code, field, message)])
    }

    /// Says which input field it is about, and what to do, where a table's key found something taken
    /// that nobody had looked for, or that was taken a moment ago.
    #[must_use]
    pub(crate) fn or_taken(self, field: &'static str, message: &'static str) -> Self {
        if self.is_taken() {
            Self::refused(Code::Taken, field, message)
        } else {
            self
        }
    }

    /// Whether something is taken.
    #[must_use]
    pub(crate) fn is_taken(&self) -> bool {
        matches!(self, Self::Refused(problems) if problems.iter().any(|problem| problem.code == Code::Taken))
    }

    /// Whether the thing is not there, for this caller: absent where a thing may be absent.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound | Self::NoOrganization)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(problems) => {
                for (index, problem) in problems.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "; " };
                    write!(formatter, "{separator}{}", problem.message)?;
                }
                Ok(())
            }
            Self::NotFound => formatter.write_str("There is no such thing, or you may not see it."),
            Self::NoOrganization => formatter.write_str(
                "No organization is active: found one with createOrganization, choose one of yours \
                 with activateOrganization, or name one in the header Rollcall-Organization.",
            ),
            Self::Unauthenticated => formatter.write_str("Sign in, or send a valid credential."),
            Self::PersonRequired => formatter.write_str(
                "Only a person can do this: sign in, and send the session's token in place of the API key.",
            ),
            Self::Forbidden(permission) => {
                write!(
                    formatter,
                    "This needs the permission {}.",
                    permission.as_str()
                )
            }
            Self::SecondFactorRequired(permission) => write!(
                formatter,
                "The organization wants a second factor for {permission}: give it to \
                 confirmSecondFactor, or add one with beginTotp first.",
            ),
            Self::Unavailable(what) => write!(formatter, "{what} Try again in a moment."),
            Self::Limited { after } => write!(
                formatter,
                "There were too many tries. Try again in {after} s."
            ),
            Self::Internal(_) => formatter.write_str("Something went wrong on our side."),
        }
    }
}

impl std::error::Error for Error {}

impl From<DbErr> for Error {
    /// Connection trouble and lost races are [`Error::Unavailable`]; all else is a defect, because
    /// a statement that can break a rule of the database is preceded by the check that refuses it.
    ///
    /// A duplicate is the exception: the check was made, and somebody else was faster.
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(_)) = error.sql_err() {
            return Self::refused(
                Code::Taken,
                "",
                "Somebody else was just faster: this exists already.",
            );
        }
        match &error {
            DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => {
                Self::Unavailable("The database is busy.")
            }
            DbErr::Exec(RuntimeErr::SqlxError(inner))
            | DbErr::Query(RuntimeErr::SqlxError(inner)) => {
                if is_transient(inner) {
                    tracing::warn!(error = %inner, "database.transient");
                    Self::Unavailable("The database could not finish this.")
                } else {
                    Self::Internal(error.to_string())
                }
            }
            _ => Self::Internal(error.to_string()),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_transient(&error) {
            tracing::warn!(%error, "database.transient");
            Self::Unavailable("The database is not reachable.")
        } else {
            Self::Internal(error.to_string())
        }
    }
}

/// Whether the same request may succeed a moment later: connection loss, a full pool, a deadlock,
/// a serialization failure, a timeout or a restart of the server (PostgreSQL error classes 08, 40,
/// 53, 55 and 57), a busy SQLite file.
fn is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(database) => database.code().is_some_and(|code| {
            matches!(code.get(..2), Some("08" | "40" | "53" | "55" | "57"))
                || matches!(&*code, "5" | "6" | "517")
        }),
        _ => false,
    }
}
