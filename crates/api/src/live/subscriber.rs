//! One who subscribed. The executor begins the subscription and answers each batch; in between there
//! is nothing of it, so that a batch whose answer is there already passes through one task and no
//! executor.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Response, ServerError, Value};
use axum::body::Bytes;
use domain::live::{feed::Batch, subscription::Following};

use super::{
    change::AttendanceChangeBatch,
    shared::{Occasion, Wish},
};
use crate::{
    error::Result,
    guard,
    http::{self, Credential, Told},
    service::Service,
};

/// Errors that another try may be without.
const LOST: [&str; 2] = ["UNAVAILABLE", "INTERNAL"];

/// What the executor is to do with a subscription's document this time.
pub struct Turn(Mutex<Step>);

enum Step {
    /// Find out who is to be told what.
    Begin,
    /// It did.
    Begun(Box<Following>),
    /// Answer this.
    Answer(Result<AttendanceChangeBatch>),
    /// It did.
    Answered,
}

/// A running subscription.
pub struct Subscriber {
    service: Service,
    credential: Credential,
    admitted: guard::Operation,
    wish: Wish,
    following: Box<Following>,
    max_response: usize,
    over: bool,
}

impl Turn {
    /// What is to be answered; none when the subscription is to begin.
    pub fn batch(&self) -> Option<Result<AttendanceChangeBatch>> {
        let mut step = self.step();
        match std::mem::replace(&mut *step, Step::Answered) {
            Step::Answer(batch) => Some(batch),
            other => {
                *step = other;
                None
            }
        }
    }

    /// The subscription begins.
    pub fn begin(&self, following: Following) {
        *self.step() = Step::Begun(Box::new(following));
    }

    fn begun(&self) -> Option<Box<Following>> {
        match std::mem::replace(&mut *self.step(), Step::Answered) {
            Step::Begun(following) => Some(following),
            _ => None,
        }
    }

    /// No code panics while it holds the lock.
    fn step(&self) -> std::sync::MutexGuard<'_, Step> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscriber {
    /// Begins a subscription.
    ///
    /// # Errors
    /// The answer to a request that is refused; none where nothing is subscribed to.
    pub async fn begin(
        service: Service,
        credential: Credential,
        admitted: guard::Operation,
        max_response: usize,
    ) -> Result<Self, Option<Box<Response>>> {
        let turn = Arc::new(Turn(Mutex::new(Step::Begin)));
        let begun = service.begin(&credential, admitted.again(), turn.clone());
        let answer = begun.await;
        match turn.begun() {
            None => Err(answer.map(|mut response| {
                // A subscription that does not begin is a request that was refused.
                if response.data == Value::Null {
                    response
                        .errors
                        .iter_mut()
                        .for_each(|error| error.path.clear());
                }
                Box::new(response)
            })),
            Some(following) => Ok(Self {
                wish: Wish::of(admitted.said()),
                service,
                credential,
                admitted,
                following,
                max_response,
                over: false,
            }),
        }
    }

    /// What it is told next; none when it is over.
    pub async fn next(&mut self) -> Option<Told> {
        if self.over {
            return None;
        }
        let batch = match self.following.next().await {
            Ok(batch) => batch?,
            Err(error) => {
                self.over = true;
                let response = Box::pin(self.execute(Err(error.into()))).await;
                return Some(Told::Own(Box::new(response)));
            }
        };
        let occasion = Occasion::of(&self.wish, self.following.scope(), &batch);
        let answer = self.service.answers().of(&occasion);
        // On the heap: most find the answer there, and need no room for its making.
        let made = answer.get_or_try_init(|| Box::pin(self.answer(batch)));
        match made.await {
            Ok(json) => Some(Told::Shared(json.clone())),
            Err(response) => {
                self.over = response.data == Value::Null;
                Some(Told::Own(response))
            }
        }
    }

    /// Written down for everybody who asks the same, or as this one's own: what went wrong may go
    /// better for another.
    ///
    /// A part that could not be read just now makes an answer without data, so that nobody moves on
    /// from a cursor past what they were not shown. It is the last: the client resumes where it was.
    async fn answer(&self, batch: Batch) -> Result<Bytes, Box<Response>> {
        let batch = AttendanceChangeBatch::new(batch, self.following.scope());
        let mut response = self.execute(Ok(batch)).await;
        if response.errors.iter().any(is_lost) {
            response.data = Value::Null;
        }
        let json = http::encode(&mut response, self.max_response);
        if response.errors.is_empty() {
            return Ok(json.into());
        }
        Err(Box::new(response))
    }

    async fn execute(&self, batch: Result<AttendanceChangeBatch>) -> Response {
        let turn = Arc::new(Turn(Mutex::new(Step::Answer(batch))));
        let scope = self.following.scope().fresh();
        let entered = Some((self.following.caller().clone(), Ok(scope)));
        let admitted = self.admitted.again();
        let answered = self.service.turn(&self.credential, admitted, entered, turn);
        answered.await.unwrap_or_default()
    }
}

fn is_lost(error: &ServerError) -> bool {
    let extensions = error.extensions.as_ref();
    let code = extensions.and_then(|values| values.get("code"));
    matches!(code, Some(Value::String(code)) if LOST.contains(&code.as_str()))
}
