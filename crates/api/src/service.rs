//! The door from HTTP to the schema: who asks is found out here, once per operation.

use std::sync::Arc;

use async_graphql::{Response, ServerError, Value, parser::types::OperationType, value};
use axum::http::{HeaderValue, StatusCode, header};
use domain::{
    Db, Error, Limits, Result, Scope, System, Viewer,
    attendance::queue::Queue,
    identity::{Passwords, known::Known, linked_account, session},
    live::Hub,
    organizations::{api_key, caller::Caller, member},
    scope::{Claim, Origin, Standing},
    secret::{Key, Token},
};
use futures_util::{FutureExt, Stream, StreamExt, stream};

use crate::{
    error::{self, Fault},
    guard,
    http::{self, Credential, Told},
    identity::{provider::Providers, session::cookie},
    live::{
        shared::Answers,
        subscriber::{Subscriber, Turn},
    },
    operation::{Operation, Shared},
    schema::{Schema, schema},
};

/// Answers operations of one database.
#[derive(Clone)]
pub struct Service {
    shared: Shared,
    known: Known,
    hub: Hub,
    answers: Answers,
    schema: Schema,
}

impl Service {
    /// A service over `db`, whose subscriptions follow `hub`.
    #[must_use]
    pub fn new(
        db: &Db,
        passwords: Passwords,
        limits: Limits,
        providers: Providers,
        hub: Hub,
    ) -> Self {
        Self {
            shared: Shared {
                db: db.clone(),
                passwords,
                limits,
                scans: Queue::default(),
                providers,
            },
            known: Known::default(),
            hub,
            answers: Answers::default(),
            schema: schema(),
        }
    }

    async fn answer(
        &self,
        credential: &Credential,
        admitted: guard::Operation,
    ) -> Result<Response> {
        let asker = Asker::of(credential)?;
        if let Some(Asker::Person(token, request)) = &asker
            && admitted.kind == OperationType::Query
            && let Some((viewer, standing, claim)) = self.recall(token, request)
        {
            let scope = member::admit(&viewer, Some(&standing))?.on(claim.clone());
            let entered = Some((Caller::Person(viewer), Ok(scope)));
            let response = self.run(credential, admitted.again(), entered).await;
            if claim.holds(&self.shared.db).await? {
                return Ok(response);
            }
            self.known.forget(token, request);
        }
        let entered = self.authenticate(asker.as_ref()).await?;
        Ok(self.run(credential, admitted, entered).await)
    }

    /// Has the executor begin a subscription; gives its answer if it has one already, which is why
    /// it does not begin.
    pub(crate) async fn begin(
        &self,
        credential: &Credential,
        admitted: guard::Operation,
        turn: Arc<Turn>,
    ) -> Option<Response> {
        let entered = async { self.authenticate(Asker::of(credential)?.as_ref()).await };
        match entered.await {
            Ok(entered) => self.turn(credential, admitted, entered, turn).await,
            Err(error) => Some(refused(error, credential)),
        }
    }

    /// Has the executor do its part of a subscription.
    pub(crate) async fn turn(
        &self,
        credential: &Credential,
        admitted: guard::Operation,
        entered: Entered,
        turn: Arc<Turn>,
    ) -> Option<Response> {
        let operation = self.open(credential, &admitted, entered);
        let request = admitted.into_request().data(operation.clone());
        let request = request.data(self.hub.clone()).data(turn);
        let response = self.schema.execute_stream(request).next().await;
        operation.close().await;
        response
    }

    /// Where the browser of a sign-in at a provider goes that is under way.
    pub(crate) async fn return_to(&self, provider: &str, state: &str) -> Result<Option<String>> {
        let system = System::new(&self.shared.db, "hand a sign-in over to its page");
        linked_account::return_to(&system, provider, state).await
    }

    /// The answers that subscribers share.
    pub(crate) fn answers(&self) -> &Answers {
        &self.answers
    }

    async fn run(
        &self,
        credential: &Credential,
        admitted: guard::Operation,
        entered: Entered,
    ) -> Response {
        let operation = self.open(credential, &admitted, entered);
        let cost = admitted.cost;
        let request = admitted.into_request().data(operation.clone());
        let mut response = self.schema.execute(request).await;
        let cost = told(cost, &operation);
        response.extensions.insert("cost".to_owned(), cost);
        tokio::spawn(async move { operation.close().await });
        response
    }

    fn open(
        &self,
        credential: &Credential,
        admitted: &guard::Operation,
        mut entered: Entered,
    ) -> Arc<Operation> {
        // One answer: what one statement gives is of one moment, with no snapshot around it.
        if admitted.kind != OperationType::Subscription && admitted.cost.fields == 1 {
            entered = entered.map(|(caller, scope)| (caller, scope.map(Scope::for_one_read)));
        }
        Arc::new(Operation::new(
            self.shared.clone(),
            origin(credential),
            (credential.secure, credential.browser.clone()),
            !admitted.repeats,
            entered,
        ))
    }

    fn recall(
        &self,
        token: &Token,
        request: &session::Request,
    ) -> Option<(Viewer, Standing, Claim)> {
        let system = System::new(&self.shared.db, "begin a query");
        self.known.recall(&system, token, request)
    }

    /// Who asks; nobody, if the request carries no credential.
    async fn authenticate(&self, asker: Option<&Asker>) -> Result<Entered> {
        let Some(asker) = asker else {
            return Ok(None);
        };
        let system = System::new(&self.shared.db, "authenticate a request");
        match asker {
            Asker::Person(token, request) => {
                let (viewer, standing) = session::authenticate(&system, token, request).await?;
                if let Some(standing) = &standing {
                    self.known.remember(token, request, &viewer, standing);
                }
                let scope = member::admit(&viewer, standing.as_ref());
                Ok(Some((Caller::Person(viewer), scope)))
            }
            // Asked anew each time, with one statement.
            Asker::Machine(key, request) => {
                let (bearer, scope) = api_key::authenticate(&system, key, request.clone()).await?;
                Ok(Some((Caller::Machine(bearer), scope)))
            }
        }
    }
}

/// Who asks, and the organization that they entered, or why they could not; or nobody.
pub type Entered = Option<(Caller, Result<Scope>)>;

/// Somebody who shows a credential, and what else their request says.
enum Asker {
    /// A session's token.
    Person(Token, session::Request),
    /// An API key.
    Machine(Key, session::Request),
}

impl Asker {
    /// Nobody, if the request carries no credential; one that does not hold is an error, so that
    /// a client learns of it. One that cannot hold costs no statement.
    fn of(credential: &Credential) -> Result<Option<Self>> {
        let request = || session::Request {
            organization: credential.organization.clone(),
            origin: origin(credential),
        };
        // A key comes in the header alone: what browsers add by themselves is for people.
        if let Some(key) = &credential.bearer
            && key.starts_with(Key::PREFIX)
        {
            let key = Key::parse(key).ok_or(Error::Unauthenticated)?;
            return Ok(Some(Self::Machine(key, request())));
        }
        let Some(token) = credential.bearer.as_ref().or(credential.cookie.as_ref()) else {
            return Ok(None);
        };
        let token = Token::parse(token).ok_or(Error::Unauthenticated)?;
        Ok(Some(Self::Person(token, request())))
    }
}

fn origin(credential: &Credential) -> Origin {
    let agent = credential.user_agent.as_ref();
    Origin {
        address: Some(credential.address.to_string()),
        user_agent: agent.map(|agent| agent.chars().take(255).collect()),
    }
}

impl http::Service for Service {
    async fn execute(&self, credential: Credential, admitted: guard::Operation) -> Response {
        match self.answer(&credential, admitted).await {
            Ok(response) => response,
            Err(error) => refused(error, &credential),
        }
    }

    fn subscribe(
        &self,
        credential: Credential,
        admitted: guard::Operation,
        max_response: usize,
    ) -> impl Stream<Item = Told> + Send + 'static {
        let subscriber = Subscriber::begin(self.clone(), credential, admitted, max_response);
        // On the heap, which it leaves once it has begun.
        let subscriber = Box::pin(subscriber);
        let answers = async move {
            match subscriber.await {
                Ok(subscriber) => stream::unfold(subscriber, async |mut subscriber| {
                    let told = subscriber.next().await?;
                    Some((told, subscriber))
                })
                .left_stream(),
                Err(answer) => stream::iter(answer.map(Told::Own)).right_stream(),
            }
        };
        answers.flatten_stream()
    }

    async fn connect(&self, credential: &Credential) -> Result<(), ServerError> {
        let asker = Asker::of(credential).map_err(Fault::from)?;
        let entered = self.authenticate(asker.as_ref()).await;
        entered.map(drop).map_err(|error| Fault::from(error).into())
    }

    fn status(code: &str) -> Option<StatusCode> {
        error::status(code)
    }
}

/// The answer to a request whose credential does not hold. A browser sends its cookie whether or
/// not it holds, and could never sign in again if it were not taken away.
fn refused(error: Error, credential: &Credential) -> Response {
    let stale = matches!(error, Error::Unauthenticated) && credential.bearer.is_none();
    let mut response = Response::from_errors(vec![Fault::from(error).into()]);
    if stale && let Ok(cookie) = HeaderValue::try_from(cookie(credential.secure, "", 0)) {
        response.http_headers.insert(header::SET_COOKIE, cookie);
    }
    response
}

/// What the operation might have cost by its text, and the SQL statements that it did run in the
/// organization: those about accounts and sessions alone are not among them.
fn told(cost: guard::Cost, operation: &Operation) -> Value {
    value!({
        "complexity": cost.complexity,
        "nodes": cost.nodes,
        "depth": cost.depth,
        "statements": operation.statements(),
    })
}
