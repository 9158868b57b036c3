//! Who acts, and from where.

use std::sync::Arc;

use entity::{
    identity::{session::SessionId, user::UserId},
    organizations::api_key::ApiKeyId,
};

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in person.
    User {
        /// Who.
        user: UserId,
        /// Through which session.
        session: SessionId,
    },
    /// A machine, by an API key.
    Key {
        /// Which.
        key: ApiKeyId,
    },
    /// Rollcall itself.
    System,
}

impl Actor {
    /// The person, if it is one.
    #[must_use]
    pub fn user(self) -> Option<UserId> {
        match self {
            Self::User { user, .. } => Some(user),
            Self::Key { .. } | Self::System => None,
        }
    }

    /// The API key, if it is one.
    #[must_use]
    pub fn key(self) -> Option<ApiKeyId> {
        match self {
            Self::Key { key } => Some(key),
            Self::User { .. } | Self::System => None,
        }
    }
}

/// Where a request came from, for the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Network address.
    pub address: Option<String>,
    /// The client's own name, cut to 255 characters.
    pub user_agent: Option<String>,
}

/// Who does something, and from where.
#[derive(Clone, Debug)]
pub struct Author {
    pub(super) actor: Actor,
    pub(super) origin: Arc<Origin>,
}

impl Author {
    /// The person, if it is one.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.actor.user()
    }

    /// Who.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.actor
    }
}
