//! People's accounts, as they and fellow members may see them.

use std::sync::Arc;

use async_graphql::{ID, Object};
use domain::{
    Scope,
    identity::user::{self, Person, UserId},
};
use futures_util::future::BoxFuture;

use crate::{
    id,
    loader::{Loaded, Relation},
    operation::Operation,
    selection::{Rows, Selection},
};

/// A person's account.
#[derive(Clone)]
pub struct User(Arc<Person>);

/// A fellow member's account by its id.
pub struct UserById;

/// A person's account.
#[Object]
impl User {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// The name they sign in with.
    fn username(&self) -> &str {
        &self.0.username
    }

    /// Their address.
    fn email(&self) -> &str {
        &self.0.email
    }

    /// Given name.
    fn first_name(&self) -> &str {
        &self.0.first_name
    }

    /// Family name; may be empty.
    fn last_name(&self) -> &str {
        &self.0.last_name
    }
}

impl From<Person> for User {
    fn from(person: Person) -> Self {
        Self(Arc::new(person))
    }
}

impl Relation for UserById {
    type Key = UserId;
    type Value = User;

    async fn load(scope: Scope, keys: Vec<UserId>) -> Loaded<Self> {
        let people = user::load(&scope.reader()?, &keys).await?;
        Ok(people
            .into_iter()
            .map(|person| (person.id, Ok(person.into())))
            .collect())
    }
}

impl Rows for User {
    fn prefetch<'a>(_: Vec<Self>, _: &'a Operation, _: Selection<'a>) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}
