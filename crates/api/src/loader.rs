//! Loading the rows behind relations: once per relation and operation, whatever the number of rows.
//!
//! One wrapper around the `dataloader` crate makes up for what it leaves out: errors travel to
//! every key, every key is answered, and a caller that is dropped half-way takes nobody's rows
//! with it, because the load has a task of its own.

use std::{any::Any, collections::HashMap, hash::Hash, sync::Mutex};

use dataloader::{BatchFn, cached};
use domain::{Scope, page::PageRequest};
use futures_util::FutureExt;

use crate::{
    connection::Connection,
    error::{Fault, Result},
};

/// A relation: how to load what stands behind its keys, all at once.
pub trait Relation: Sized + 'static {
    /// What is known of the thing: its id, or its parent's and which page.
    type Key: Clone + Eq + Hash + std::fmt::Debug + Send + Sync;
    /// The thing itself, cheap to clone.
    type Value: Clone + Send + Sync;

    /// Loads what is there of `keys`, with a number of statements that does not depend on theirs.
    /// An error is everybody's; one inside the answer is its key's alone.
    fn load(scope: Scope, keys: Vec<Self::Key>) -> impl Future<Output = Loaded<Self>> + Send;
}

/// What [`Relation::load`] gives.
pub type Loaded<R> =
    domain::Result<Vec<(<R as Relation>::Key, domain::Result<<R as Relation>::Value>)>>;

/// A list below each of several parents, as a relation: its first pages are read with one
/// statement for all parents, any other page with one each.
pub trait Nested: 'static {
    /// The parent's id.
    type Parent: Copy + Eq + Hash + std::fmt::Debug + Send + Sync;
    /// The row that is listed.
    type Row: Send;
    /// The row as GraphQL knows it.
    type Node: From<Self::Row> + Send + Sync;

    /// The first page of each parent.
    fn first(
        scope: &Scope,
        parents: &[Self::Parent],
        size: u64,
    ) -> impl Future<Output = domain::Result<Pages<Self>>> + Send;

    /// Any page of one parent.
    fn list(
        scope: &Scope,
        parent: Self::Parent,
        request: &PageRequest,
    ) -> impl Future<Output = domain::Result<domain::page::Page<Self::Row>>> + Send;
}

/// What [`Nested::first`] gives.
pub type Pages<L> = Vec<(
    <L as Nested>::Parent,
    domain::page::Page<<L as Nested>::Row>,
)>;

impl<L: Nested> Relation for L {
    type Key = (L::Parent, PageRequest);
    type Value = Connection<L::Node>;

    async fn load(scope: Scope, keys: Vec<Self::Key>) -> Loaded<Self> {
        let mut parents: HashMap<PageRequest, Vec<L::Parent>> = HashMap::new();
        for (parent, request) in keys {
            parents.entry(request).or_default().push(parent);
        }
        let mut loaded = Vec::new();
        for (request, parents) in parents {
            // Whether the page's size is permitted; a cursor is checked with its own list.
            let first = PageRequest {
                after: None,
                before: None,
                ..request.clone()
            }
            .walk(0);
            match first {
                Err(refusal) => {
                    let refused = |parent| ((parent, request.clone()), Err(refusal.clone()));
                    loaded.extend(parents.into_iter().map(refused));
                }
                Ok(walk)
                    if request.after.is_none() && request.before.is_none() && !walk.backward =>
                {
                    let pages = L::first(&scope, &parents, walk.size).await?;
                    let found =
                        |(parent, page)| ((parent, request.clone()), Ok(Connection::from(page)));
                    loaded.extend(pages.into_iter().map(found));
                }
                Ok(_) => {
                    for parent in parents {
                        let page = L::list(&scope, parent, &request).await;
                        loaded.push(((parent, request.clone()), page.map(Connection::from)));
                    }
                }
            }
        }
        Ok(loaded)
    }
}

/// The loaders of one operation in one organization, each made when it is first asked for.
pub struct Loaders {
    scope: Scope,
    generation: u32,
    by_relation: Mutex<HashMap<std::any::TypeId, Box<dyn Any + Send>>>,
}

impl Loaders {
    /// Loaders that read through `scope`.
    pub fn new(scope: Scope) -> Self {
        Self {
            generation: scope.generation(),
            scope,
            by_relation: Mutex::default(),
        }
    }

    /// Whether nothing was committed since they were made: what they hold is stale after.
    pub fn are_fresh(&self) -> bool {
        self.generation == self.scope.generation()
    }

    /// The loader of a relation.
    pub fn of<R: Relation>(&self) -> Loader<R> {
        let mut loaders = self
            .by_relation
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let known = loaders
            .get(&std::any::TypeId::of::<R>())
            .and_then(|loader| loader.downcast_ref::<Loader<R>>());
        if let Some(loader) = known {
            return loader.clone();
        }
        let loader = Loader::<R>::new(self.scope.clone());
        loaders.insert(std::any::TypeId::of::<R>(), Box::new(loader.clone()));
        loader
    }
}

/// Loads one relation, and remembers.
pub struct Loader<R: Relation>(cached::Loader<R::Key, Answer<R>, Batch<R>>);

type Answer<R> = Result<Option<<R as Relation>::Value>>;

impl<R: Relation> Loader<R> {
    fn new(scope: Scope) -> Self {
        let batch = Batch(scope, std::marker::PhantomData);
        // Unbounded: the node budget bounds the keys, and a full batch would be loaded in the task
        // of whoever filled it.
        Self(cached::Loader::new(batch).with_max_batch_size(usize::MAX))
    }

    /// What stands behind `key`, if it is there: at once when it was loaded before.
    ///
    /// # Errors
    /// Why it could not be loaded, or not be seen.
    pub async fn load(&self, key: R::Key) -> Answer<R> {
        // The first poll answers from the cache, or notes the key for the batch to come.
        if let Some(Ok(answer)) = self.0.try_load(key.clone()).now_or_never() {
            return answer;
        }
        let loader = self.0.clone();
        let load = tokio::spawn(async move { loader.try_load(key).await });
        load.await
            .map_err(|error| defect(&error))?
            .map_err(|error| defect(&error))?
    }

    /// Loads all of `keys` at once and gives what is there, for the fields below to find.
    pub async fn load_all(&self, keys: Vec<R::Key>) -> Vec<R::Value> {
        if keys.is_empty() {
            return Vec::new();
        }
        let loader = self.0.clone();
        let load = tokio::spawn(async move { loader.try_load_many(keys).await });
        match load.await {
            Ok(Ok(answers)) => answers
                .into_values()
                .filter_map(|answer| answer.ok().flatten())
                .collect(),
            // Whoever asks for one of the keys is told.
            _ => Vec::new(),
        }
    }

    /// Remembers what was read in another way.
    pub async fn prime(&self, known: Vec<(R::Key, R::Value)>) {
        let known = known.into_iter().map(|(key, value)| (key, Ok(Some(value))));
        self.0.prime_many(known).await;
    }
}

impl<R: Relation> Clone for Loader<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Batch<R>(Scope, std::marker::PhantomData<fn() -> R>);

impl<R: Relation> BatchFn<R::Key, Answer<R>> for Batch<R> {
    async fn load(&mut self, keys: &[R::Key]) -> HashMap<R::Key, Answer<R>> {
        match R::load(self.0.clone(), keys.to_vec()).await {
            Err(error) => {
                let fault = Fault::from(error);
                keys.iter()
                    .map(|key| (key.clone(), Err(fault.clone())))
                    .collect()
            }
            Ok(loaded) => {
                let mut answers: HashMap<_, _> =
                    keys.iter().map(|key| (key.clone(), Ok(None))).collect();
                for (key, value) in loaded {
                    answers.insert(key, value.map(Some).map_err(Fault::from));
                }
                answers
            }
        }
    }
}

fn defect(error: &impl std::fmt::Display) -> Fault {
    domain::Error::Internal(format!("a load that did not end: {error}")).into()
}
