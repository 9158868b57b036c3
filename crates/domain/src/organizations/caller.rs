//! Who comes through the door: a person, or a machine.

use super::{api_key, member};
use crate::{Error, Result, Scope, Viewer, identity::session, scope::Bearer};

/// Who comes through the door.
#[derive(Clone)]
pub enum Caller {
    /// A signed-in person.
    Person(Viewer),
    /// A machine that shows an API key.
    Machine(Bearer),
}

impl Caller {
    /// The door into the organization that the request acts in, with what the caller may do there at
    /// this moment.
    ///
    /// # Errors
    /// Those of [`member::enter`] and [`api_key::enter`].
    pub async fn enter(&self) -> Result<Scope> {
        match self {
            Self::Person(viewer) => member::enter(viewer).await,
            Self::Machine(bearer) => api_key::enter(bearer).await,
        }
    }

    /// The same for what outlives its request: the credential is asked for again, too.
    ///
    /// # Errors
    /// As [`Caller::enter`], and [`Error::Unauthenticated`] where a session ended.
    pub async fn enter_again(&self) -> Result<Scope> {
        if let Self::Person(viewer) = self
            && !session::is_live(viewer).await?
        {
            return Err(Error::Unauthenticated);
        }
        self.enter().await
    }

    /// The person.
    ///
    /// # Errors
    /// [`Error::PersonRequired`] for a machine.
    pub fn person(&self) -> Result<&Viewer> {
        match self {
            Self::Person(viewer) => Ok(viewer),
            Self::Machine(_) => Err(Error::PersonRequired),
        }
    }
}
