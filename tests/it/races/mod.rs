//! Many at once: what must come out right whoever is first.

mod check_in;
mod devices;
mod organizations;
mod seats;
mod together;

use std::collections::BTreeMap;

/// How often each occurs.
fn tally<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}
