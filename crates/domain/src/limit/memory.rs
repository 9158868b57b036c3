//! Counters of this process.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::Rule;

/// Counters kept at most, about 150 bytes each.
pub(super) const MOST: usize = 50_000;

/// When each counter's tries are forgiven, in milliseconds since 1970.
#[derive(Default)]
pub(super) struct Memory(Mutex<HashMap<String, i64>>);

impl Memory {
    /// See [`super::Counters::ahead`].
    pub(super) fn add(&self, name: String, now: i64, rule: &Rule) -> i64 {
        let mut counters = self.lock();
        let forgiven = counters.get(&name).map_or(now, |at| now.max(*at)) + rule.pace;
        if forgiven - now <= rule.burst {
            if counters.len() >= MOST {
                make_room(&mut counters, now);
            }
            counters.insert(name, forgiven);
        }
        forgiven - now
    }

    pub(super) fn remove(&self, name: &str) {
        self.lock().remove(name);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// No code panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops what is forgiven; then, unless that was half of them, the half that is forgiven soonest. So
/// it is seldom needed, and who is to wait longest is forgotten last.
fn make_room(counters: &mut HashMap<String, i64>, now: i64) {
    counters.retain(|_, at| *at > now);
    if counters.len() > MOST / 2 {
        let mut instants: Vec<i64> = counters.values().copied().collect();
        let middle = instants.len() / 2;
        let (_, middle, _) = instants.select_nth_unstable(middle);
        counters.retain(|_, at| *at > *middle);
    }
}
