//! How often something may be tried.
//!
//! A counter is one instant: when all that was tried will be forgiven. Each try moves it on by the
//! rule's pace, and one that would move it further than the rule's burst is refused and moves nothing:
//! the generic cell rate algorithm (ITU-T I.371). Counters are in Redis where there is one, so that
//! instances count together, and in this process otherwise, or while Redis does not answer: that
//! nobody counts exactly is no reason to let nobody in.
//!
//! Each mutation field takes for itself, so that aliases do not multiply the tries of one request.

mod memory;
mod shared;

use std::{net::IpAddr, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Semaphore;

use crate::{Clock, Error, Result, scope::Origin, secret::sha256};
use memory::Memory;
use shared::Shared;

/// Signing in, from a network address.
pub const SIGN_IN: Rule = Rule::new("sign_in", 3, TimeDelta::minutes(1));
/// Beginning a sign-in at a provider, from a network address.
pub const PROVIDER_SIGN_IN: Rule = Rule::new("provider_sign_in", 10, TimeDelta::minutes(1));
/// Signing up, from a network address.
pub const SIGN_UP: Rule = Rule::new("sign_up", 3, TimeDelta::hours(1));
/// Asking for a message that recovers an account, from a network address.
pub const RECOVERY: Rule = Rule::new("recovery", 3, TimeDelta::hours(1));
/// The same, to an e-mail address.
pub const RECOVERY_OF_ADDRESS: Rule = Rule::new("recovery_of_address", 1, TimeDelta::hours(1));
/// Invitations of an organization to an e-mail address.
pub const INVITATION_OF_ADDRESS: Rule = Rule::new("invitation_of_address", 5, TimeDelta::days(1));
/// Asking an e-mail address whether it is to be an account's.
pub const EMAIL_CHANGE: Rule = Rule::new("email_change", 3, TimeDelta::hours(1));
/// Asking for another username, for an account.
pub const USERNAME_CHANGE: Rule = Rule::new("username_change", 3, TimeDelta::days(1));
/// Wrong passwords in a row for a login, for [`Limits::slow_down`].
pub const WRONG_PASSWORDS: Rule = Rule::new("wrong_passwords", 6, TimeDelta::minutes(30));

/// Tries in a row that are not slowed down.
const PROMPT: i64 = 2;
/// How long the first one waits that is; each one after it twice as long, up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_secs(1);
/// How long a try waits at most: shorter than a client's patience, and than a stop of ours.
const LONGEST: Duration = Duration::from_secs(8);
/// Tries that may wait at a time, a few kilobytes each.
const WAITING: usize = 256;

/// How often one thing may be tried.
#[derive(Debug)]
pub struct Rule {
    name: &'static str,
    /// How far a counter may be ahead of the time, in milliseconds.
    burst: i64,
    /// How far one try moves it, in milliseconds.
    pace: i64,
}

impl Rule {
    /// So many `times` at once, and so many each `period` from then on.
    #[must_use]
    pub const fn new(name: &'static str, times: i64, period: TimeDelta) -> Self {
        let pace = period.num_milliseconds() / times;
        Self {
            name,
            burst: pace * times,
            pace,
        }
    }
}

/// Counts tries, and refuses those that are too many.
#[derive(Clone)]
pub struct Limits(Option<Arc<Counters>>);

struct Counters {
    clock: Clock,
    memory: Memory,
    shared: Option<Shared>,
    waiting: Semaphore,
}

impl Limits {
    /// Limits that count together with everybody at that Redis, or alone.
    ///
    /// # Errors
    /// Only for a URL that is none.
    pub fn new(clock: Clock, redis_url: Option<&str>) -> Result<Self, redis::RedisError> {
        Ok(Self(Some(Arc::new(Counters {
            clock,
            memory: Memory::default(),
            shared: redis_url.map(Shared::new).transpose()?,
            waiting: Semaphore::new(WAITING),
        }))))
    }

    /// Limits that refuse nothing.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// Counts a try of `key`: whatever the rule goes by, which is kept as a hash.
    ///
    /// # Errors
    /// [`Error::Limited`] when there were too many.
    pub async fn take(&self, rule: &Rule, key: &str) -> Result<()> {
        let Some(counters) = &self.0 else {
            return Ok(());
        };
        let over = counters.ahead(rule, key).await - rule.burst;
        if over <= 0 {
            return Ok(());
        }
        Err(limited(rule, over))
    }

    /// The same by where the request came from. What came from no network is Rollcall's own.
    ///
    /// # Errors
    /// As [`Limits::take`].
    pub async fn take_from(&self, rule: &Rule, origin: &Origin) -> Result<()> {
        match &origin.address {
            Some(address) => self.take(rule, &network(address)).await,
            None => Ok(()),
        }
    }

    /// Counts a try of `key` that is never refused for its number: from the third one on, it waits
    /// before it goes on, the longer the more there were. [`Limits::forgive`] ends the row.
    ///
    /// # Errors
    /// [`Error::Limited`] when too many, of whatever keys, wait already.
    pub async fn slow_down(&self, rule: &Rule, key: &str) -> Result<()> {
        let Some(counters) = &self.0 else {
            return Ok(());
        };
        let ahead = counters.ahead(rule, key).await;
        // The present try among them, and part of one that is not quite forgiven.
        let Some(wait) = wait((ahead + rule.pace - 1) / rule.pace) else {
            return Ok(());
        };
        let milliseconds = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let turn = counters.waiting.try_acquire();
        let _turn = turn.map_err(|_| limited(rule, milliseconds))?;
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Forgets the tries of `key`: one of them went well.
    pub async fn forgive(&self, rule: &Rule, key: &str) {
        if let Some(counters) = &self.0 {
            let name = name(rule, key);
            counters.memory.remove(&name);
            if let Some(shared) = &counters.shared {
                shared.remove(&name).await;
            }
        }
    }
}

impl Counters {
    /// Counts a try, unless that is too many, and says how far ahead of the time the counter would
    /// be, in milliseconds.
    async fn ahead(&self, rule: &Rule, key: &str) -> i64 {
        let (name, now) = (name(rule, key), milliseconds(self.clock.now()));
        if let Some(shared) = &self.shared
            && let Some(ahead) = shared.add(&name, now, rule).await
        {
            return ahead;
        }
        self.memory.add(name, now, rule)
    }
}

/// What a counter is found by. Nothing of the key can be read in it.
fn name(rule: &Rule, key: &str) -> String {
    let hash = URL_SAFE_NO_PAD.encode(sha256(key.as_bytes()));
    format!("rollcall:limit:{}:{hash}", rule.name)
}

fn milliseconds(instant: DateTime<Utc>) -> i64 {
    instant.timestamp_millis()
}

fn limited(rule: &Rule, milliseconds: i64) -> Error {
    metrics::counter!("rollcall_limited_total", "rule" => rule.name).increment(1);
    let seconds = (milliseconds + 999) / 1000;
    Error::Limited {
        after: u32::try_from(seconds).unwrap_or(u32::MAX),
    }
}

/// How long the last of so many tries in a row waits.
fn wait(tries: i64) -> Option<Duration> {
    let slowed = u32::try_from(tries - PROMPT - 1).ok()?;
    let wait = SHORTEST.saturating_mul(2_u32.saturating_pow(slowed));
    Some(wait.min(LONGEST))
}

/// The network that an address stands for: an IPv4 address is one client, or one house; an IPv6
/// client has the 64 bits below its network to itself.
fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(address)) => {
            let [one, two, three, four, ..] = address.segments();
            format!("{one:x}:{two:x}:{three:x}:{four:x}::/64")
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests;
