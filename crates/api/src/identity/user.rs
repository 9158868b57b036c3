//! People's accounts, as they and fellow members may see them.

use std::sync::Arc;

use async_graphql::{Enum, ID};
use domain::{
    Scope,
    identity::user::{self, Person, UserId},
    mail,
};

use crate::{
    fields,
    loader::{Loaded, Relation},
};

/// A person's account.
#[derive(Clone)]
pub struct User(Arc<Person>);

/// A language that mails are written in.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "mail::Locale")]
pub enum Locale {
    /// English.
    En,
    /// German.
    De,
}

/// A fellow member's account by its id.
pub struct UserById;

fields! {
    /// A person's account.
    User in user::table;
    columns {
        /// Global id.
        id: ID = id;
        /// The name they sign in with.
        username: &str = username;
        /// Their address.
        email: &str = email;
        /// Given name.
        first_name: &str = first_name;
        /// Family name; may be empty.
        last_name: &str = last_name;
        /// Where a picture of them is; null without one.
        avatar_url: Option<&str> = avatar_url;
    }
    computed {}
    guarded {}
    one {}
    many {}
    needs {}
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
