//! Who came lately: so that a query can be begun without asking first.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::session::{Request, TOUCH};
use crate::{
    System, Viewer,
    scope::{Claim, Holder, Standing},
    secret::Token,
};

/// Credentials kept at most, about half a kilobyte each; then all are found out anew.
const MOST: usize = 4096;

/// What was found out about credentials, until their sessions' last use is to be written again. It
/// is never believed: see [`Claim`].
#[derive(Clone, Default)]
pub struct Known(Arc<Mutex<HashMap<Key, Arc<Holder>>>>);

/// A token's hash, and the slug that came with it.
type Key = (Vec<u8>, Option<String>);

impl Known {
    /// Who came with this credential lately, as what, and the claim that this is still so.
    #[must_use]
    pub fn recall(
        &self,
        system: &System,
        token: &Token,
        request: &Request,
    ) -> Option<(Viewer, Standing, Claim)> {
        let holder = self.lock().get(&key(token, request))?.clone();
        if system.clock().now() - holder.standing.last_used_at >= TOUCH {
            return None;
        }
        let viewer = Viewer {
            db: system.db().clone(),
            user: holder.user,
            session: holder.session,
            token_hash: holder.token_hash.clone(),
            authenticated_at: holder.authenticated_at,
            second_factor_at: holder.second_factor_at,
            organization: Some(holder.standing.organization),
            origin: request.origin.clone().into(),
        };
        Some((viewer, holder.standing.clone(), Claim::new(holder)))
    }

    /// Keeps what was just found out.
    pub fn remember(&self, token: &Token, request: &Request, viewer: &Viewer, standing: &Standing) {
        let (token_hash, slug) = key(token, request);
        let holder = Holder {
            token_hash: viewer.token_hash.clone(),
            slug: slug.clone(),
            session: viewer.session,
            user: viewer.user,
            authenticated_at: viewer.authenticated_at,
            second_factor_at: viewer.second_factor_at,
            standing: standing.clone(),
        };
        let mut people = self.lock();
        if people.len() >= MOST {
            people.clear();
        }
        people.insert((token_hash, slug), Arc::new(holder));
    }

    /// Forgets what turned out to be so no more.
    pub fn forget(&self, token: &Token, request: &Request) {
        self.lock().remove(&key(token, request));
    }

    /// No code panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Holder>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(token: &Token, request: &Request) -> Key {
    (token.hash(), request.slug())
}
