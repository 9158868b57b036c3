//! Answers that subscribers share: who asks the same, in the same right, gets the same bytes. A batch
//! is resolved and written once, however many listen.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerError, ServerResult, Value,
    parser::types::Field, registry::Registry,
};
use domain::{Permissions, organizations::organization::OrganizationId, secret};
use tokio::{sync::OnceCell, time::Instant};

use super::change::AttendanceChangeBatch;
use crate::written::{RAW, written};

/// An answer is shared for this long: it shows things as they are now.
const FRESH: Duration = Duration::from_secs(1);
/// Bytes of all answers that are kept.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// Answers that are kept.
const MOST_ANSWERS: usize = 256;

/// What a subscriber asks for: the document and its variables, as a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish(Arc<[u8]>);

/// What an answer depends on, beside the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// What is asked for.
    pub wish: Wish,
    /// Of which organization.
    pub organization: OrganizationId,
    /// In what right.
    pub permissions: Permissions,
    /// The first and the last number of the batch, and where it goes on.
    pub range: (Option<i64>, Option<i64>, usize, String, bool),
}

/// The answers of the last moment.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<VecDeque<Kept>>>);

struct Kept {
    occasion: Occasion,
    since: Instant,
    answer: Arc<OnceCell<Value>>,
}

/// A batch whose answer may be there already.
pub struct SharedBatch {
    /// The batch.
    pub batch: AttendanceChangeBatch,
    /// What its answer depends on.
    pub occasion: Occasion,
    /// Where its answer may be.
    pub answers: Answers,
}

impl Wish {
    /// What a request asks for.
    #[must_use]
    pub fn of(request: &async_graphql::Request) -> Self {
        let said = (&request.query, &request.operation_name, &request.variables);
        // Writing strings and JSON down cannot fail.
        let said = serde_json::to_vec(&said).unwrap_or_default();
        Self(secret::sha256(&said).into())
    }
}

impl Kept {
    fn size(&self) -> usize {
        match self.answer.get() {
            Some(Value::Object(fields)) => match fields.get(RAW) {
                Some(Value::String(json)) => json.len(),
                _ => 0,
            },
            _ => 0,
        }
    }
}

impl Answers {
    fn of(&self, occasion: &Occasion) -> Arc<OnceCell<Value>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.since.elapsed() < FRESH);
        while kept.len() >= MOST_ANSWERS || kept.iter().map(Kept::size).sum::<usize>() > MOST_BYTES
        {
            kept.pop_front();
        }
        if let Some(known) = kept.iter().find(|kept| kept.occasion == *occasion) {
            return known.answer.clone();
        }
        let answer = Arc::default();
        kept.push_back(Kept {
            occasion: occasion.clone(),
            since: Instant::now(),
            answer: Arc::clone(&answer),
        });
        answer
    }
}

/// Why an answer is not shared.
enum Own {
    /// A part of it is missing: another may have better luck.
    Incomplete(Value),
    /// There is none.
    Failed(ServerError),
}

impl OutputType for SharedBatch {
    fn type_name() -> std::borrow::Cow<'static, str> {
        AttendanceChangeBatch::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        AttendanceChangeBatch::create_type_info(registry)
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        // The library collects what went wrong below nullable fields beside the answer.
        let errors = || {
            let errors = context.query_env.errors.lock();
            errors.unwrap_or_else(PoisonError::into_inner).len()
        };
        let resolve = async || {
            let before = errors();
            let answer = self.batch.resolve(context, field).await;
            let answer = answer.map_err(Own::Failed)?;
            match serde_json::to_string(&answer) {
                Ok(json) if errors() == before => Ok(written(json)),
                _ => Err(Own::Incomplete(answer)),
            }
        };
        let answer = self.answers.of(&self.occasion);
        match answer.get_or_try_init(resolve).await {
            Ok(answer) => Ok(answer.clone()),
            Err(Own::Incomplete(answer)) => Ok(answer),
            Err(Own::Failed(error)) => Err(error),
        }
    }
}
