//! Counters in Redis, for all instances. They expire by themselves.

use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use tokio::sync::Mutex;

use super::Rule;

/// A Redis that does not answer within this is treated as gone.
const PATIENCE: Duration = Duration::from_millis(500);
/// Pause between two tries to reach it.
const RETRY: Duration = Duration::from_secs(1);
/// See [`super::Counters::ahead`]; a script runs as one. The time is the caller's: instances whose
/// clocks differ by a second count that much differently.
const ADD: &str = "
    local now, pace, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local ahead = math.max((tonumber(redis.call('GET', KEYS[1]) or now)) - now, 0) + pace
    if ahead <= burst then
        redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', ahead)
    end
    return ahead";

/// A Redis, which may be away.
pub(super) struct Shared {
    client: redis::Client,
    state: Mutex<State>,
}

enum State {
    /// It answered.
    There(MultiplexedConnection),
    /// It is asked again from this instant on.
    Away(Instant),
    /// It was not asked yet.
    Unknown,
}

impl Shared {
    pub(super) fn new(url: &str) -> redis::RedisResult<Self> {
        Ok(Self {
            client: redis::Client::open(url)?,
            state: Mutex::new(State::Unknown),
        })
    }

    /// See [`super::Counters::ahead`]; none while Redis is away.
    pub(super) async fn add(&self, name: &str, now: i64, rule: &Rule) -> Option<i64> {
        let mut add = redis::cmd("EVAL");
        add.arg(ADD).arg(1).arg(name);
        self.ask(add.arg(now).arg(rule.pace).arg(rule.burst)).await
    }

    pub(super) async fn remove(&self, name: &str) {
        let _: Option<i64> = self.ask(redis::cmd("DEL").arg(name)).await;
    }

    async fn ask(&self, command: &redis::Cmd) -> Option<i64> {
        let mut connection = self.connection().await?;
        match within(command.query_async(&mut connection)).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.state.lock().await.lose(&error);
                None
            }
        }
    }

    /// The connection; those who come while it is made wait for it together.
    async fn connection(&self) -> Option<MultiplexedConnection> {
        let mut state = self.state.lock().await;
        match &*state {
            State::There(connection) => return Some(connection.clone()),
            State::Away(until) if Instant::now() < *until => return None,
            State::Away(_) | State::Unknown => {}
        }
        match within(self.client.get_multiplexed_async_connection()).await {
            Ok(connection) => {
                tracing::info!("limits.shared");
                *state = State::There(connection.clone());
                Some(connection)
            }
            Err(error) => {
                state.lose(&error);
                None
            }
        }
    }
}

impl State {
    /// Says so once, however long it stays away.
    fn lose(&mut self, error: &str) {
        if !matches!(self, Self::Away(_)) {
            tracing::warn!(error, "limits.counted_alone");
        }
        *self = Self::Away(Instant::now() + RETRY);
    }
}

/// What Redis answers in time.
async fn within<T>(answer: impl Future<Output = redis::RedisResult<T>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err("Redis does not answer.".to_owned()),
    }
}
