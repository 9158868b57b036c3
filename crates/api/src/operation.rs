//! What one operation carries: who asks, in which organization, and what was loaded so far.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::Context;
use domain::{
    Clock, Db, Error, Grant, Limits, Reader, Result, Scope, System, Viewer, Writer,
    attendance::queue::Queue,
    identity::Passwords,
    organizations::{caller::Caller, organization::OrganizationId},
    scope::Origin,
};
use tokio::sync::OnceCell;

use crate::{
    error,
    identity::provider::Providers,
    loader::{Loader, Loaders, Relation},
};

/// What the operations of a process share.
#[derive(Clone)]
pub struct Shared {
    /// The database.
    pub db: Db,
    /// Hashes and verifies passwords.
    pub passwords: Passwords,
    /// Counts what may not be tried too often.
    pub limits: Limits,
    /// Records single scans.
    pub scans: Queue,
    /// Outside providers.
    pub providers: Providers,
}

/// One operation. It lives in the request's data; resolvers find it with [`Operation::of`].
pub struct Operation {
    shared: Shared,
    origin: Origin,
    secure: bool,
    browser: Option<String>,
    /// Whether the database may write what the operation answers: see [`crate::written`].
    writes: bool,
    /// Nobody, until somebody signs in. Mutations run one after another, so that each acts as the
    /// one before it left things.
    door: Mutex<Option<Arc<Door>>>,
    /// Statements run behind doors that were left.
    statements: Mutex<u32>,
}

/// Who asks, and the organization that they act in once it is needed.
struct Door {
    caller: Caller,
    scope: OnceCell<Result<Scope>>,
    loaders: Mutex<Option<Loaders>>,
}

impl Operation {
    /// An operation of somebody who entered an organization or could not, or of nobody.
    pub fn new(
        shared: Shared,
        origin: Origin,
        (secure, browser): (bool, Option<String>),
        writes: bool,
        entered: Option<(Caller, Result<Scope>)>,
    ) -> Self {
        let operation = Self {
            shared,
            origin,
            secure,
            browser,
            writes,
            door: Mutex::default(),
            statements: Mutex::default(),
        };
        operation.move_to(entered.map(|(caller, scope)| Door {
            caller,
            scope: OnceCell::new_with(Some(scope)),
            loaders: Mutex::default(),
        }));
        operation
    }

    /// The operation that a resolver is part of.
    pub fn of<'a>(context: &Context<'a>) -> &'a Self {
        context.data_unchecked::<Arc<Self>>()
    }

    /// The right to act for who is not signed in.
    pub fn system(&self) -> System {
        System::new(&self.shared.db, "act for who is not signed in")
    }

    /// Hashes and verifies passwords.
    pub fn passwords(&self) -> &Passwords {
        &self.shared.passwords
    }

    /// Counts what may not be tried too often.
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Records single scans.
    pub fn scans(&self) -> &Queue {
        &self.shared.scans
    }

    /// Outside providers that people may sign in with.
    pub fn providers(&self) -> &Providers {
        &self.shared.providers
    }

    /// What binds a sign-in at a provider to the browser, if it sent it.
    pub fn browser(&self) -> Option<&str> {
        self.browser.as_deref()
    }

    /// Where the request came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether cookies are only sent encrypted.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether the database may write what the operation answers.
    pub fn writes(&self) -> bool {
        self.writes
    }

    /// The database's clock.
    pub fn clock(&self) -> &Clock {
        self.shared.db.clock()
    }

    /// Who asks, if anybody signed in.
    pub fn viewer(&self) -> Option<Viewer> {
        self.require_viewer().ok()
    }

    /// Who asks, person or machine.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for nobody.
    pub fn require_caller(&self) -> Result<Caller> {
        Ok(self.door()?.caller.clone())
    }

    /// Whether it is a machine that asks.
    pub fn is_machine(&self) -> bool {
        matches!(self.require_caller(), Ok(Caller::Machine(_)))
    }

    /// The person who asks.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for nobody, [`Error::PersonRequired`] for a machine.
    pub fn require_viewer(&self) -> Result<Viewer> {
        self.door()?.caller.person().cloned()
    }

    /// The rest of the operation is somebody else's, or nobody's.
    pub fn change_to(&self, viewer: Option<Viewer>) {
        self.move_to(viewer.map(|viewer| Door {
            caller: Caller::Person(viewer),
            scope: OnceCell::new(),
            loaders: Mutex::default(),
        }));
    }

    /// The rest of the operation acts in another organization.
    ///
    /// # Errors
    /// Those of [`Operation::require_viewer`].
    pub fn act_in(&self, organization: OrganizationId) -> Result<()> {
        let viewer = self.require_viewer()?.acting_in(organization);
        self.change_to(Some(viewer));
        Ok(())
    }

    /// The organization that the request acts in, entered with the first field that needs it.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], or those of [`Caller::enter`].
    pub async fn scope(&self) -> Result<Scope> {
        self.door()?.scope().await
    }

    /// The right to read under permission `P`.
    ///
    /// # Errors
    /// Those of [`Operation::scope`], and [`Error::Forbidden`].
    pub async fn reader<P: Grant>(&self) -> Result<Reader<P>> {
        self.scope().await?.reader()
    }

    /// The right to write under permission `P`.
    ///
    /// # Errors
    /// Those of [`Operation::scope`] and [`Scope::writer`].
    pub async fn writer<P: Grant>(&self) -> Result<Writer<P>> {
        self.scope().await?.writer().await
    }

    /// Loads one thing of a relation; see [`Loader::load`].
    ///
    /// # Errors
    /// Why it could not be loaded, or not be seen.
    pub async fn load<R: Relation>(&self, key: R::Key) -> error::Result<Option<R::Value>> {
        self.loader::<R>().await?.load(key).await
    }

    /// Loads many things of a relation at once; see [`Loader::load_all`].
    pub async fn load_all<R: Relation>(&self, keys: Vec<R::Key>) -> Vec<R::Value> {
        match self.loader::<R>().await {
            Ok(loader) => loader.load_all(keys).await,
            // The field that needs them meets the same error.
            Err(_) => Vec::new(),
        }
    }

    /// Remembers what was read in another way than through its relation.
    pub async fn prime<R: Relation>(&self, known: Vec<(R::Key, R::Value)>) {
        if let Ok(loader) = self.loader::<R>().await {
            loader.prime(known).await;
        }
    }

    /// SQL statements run in the organization so far.
    pub fn statements(&self) -> u32 {
        let present = lock(&self.door)
            .as_ref()
            .map_or(0, |door| door.statements());
        present + *lock(&self.statements)
    }

    /// Gives the snapshot's connection back, once the answer is made.
    pub async fn close(&self) {
        let scope = self.door().ok().and_then(|door| door.scope.get().cloned());
        if let Some(Ok(scope)) = scope {
            scope.close_snapshot().await;
        }
    }

    async fn loader<R: Relation>(&self) -> Result<Loader<R>> {
        let door = self.door()?;
        if let Some(loaders) = lock(&door.loaders).as_ref()
            && loaders.are_fresh()
        {
            return Ok(loaders.of());
        }
        let scope = door.scope().await?;
        let mut present = lock(&door.loaders);
        // Another field may have been faster; two sets would load everything twice.
        let loaders = match present.take() {
            Some(loaders) if loaders.are_fresh() => loaders,
            _ => Loaders::new(scope),
        };
        Ok(present.insert(loaders).of())
    }

    fn move_to(&self, door: Option<Door>) {
        let left = std::mem::replace(&mut *lock(&self.door), door.map(Arc::new));
        *lock(&self.statements) += left.map_or(0, |door| door.statements());
    }

    fn door(&self) -> Result<Arc<Door>> {
        lock(&self.door).clone().ok_or(Error::Unauthenticated)
    }
}

impl Door {
    async fn scope(&self) -> Result<Scope> {
        let entered = self.scope.get_or_init(|| self.caller.enter());
        entered.await.clone()
    }

    fn statements(&self) -> u32 {
        match self.scope.get() {
            Some(Ok(scope)) => scope.statements(),
            _ => 0,
        }
    }
}

/// No code panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
