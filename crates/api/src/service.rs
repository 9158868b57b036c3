//! The door from HTTP to the schema: who asks is found out here, once per operation.

use std::sync::Arc;

use async_graphql::{Response, ServerError, Value, parser::types::OperationType, value};
use axum::http::{HeaderValue, StatusCode, header};
use domain::{
    Db, Error, Result, Scope, System, Viewer,
    attendance::queue::Queue,
    identity::{Passwords, session},
    live::Hub,
    organizations::member,
    scope::Origin,
    secret::Token,
};
use futures_util::{FutureExt, Stream, StreamExt, stream};

use crate::{
    error::{self, Fault},
    guard,
    http::{self, Credential},
    identity::session::cookie,
    live::shared::{Answers, Wish},
    operation::Operation,
    schema::{Schema, schema},
};

/// Answers operations of one database.
#[derive(Clone)]
pub struct Service {
    db: Db,
    passwords: Passwords,
    scans: Queue,
    hub: Hub,
    answers: Answers,
    schema: Schema,
}

impl Service {
    /// A service over `db`, whose subscriptions follow `hub`.
    #[must_use]
    pub fn new(db: &Db, passwords: Passwords, hub: Hub) -> Self {
        Self {
            db: db.clone(),
            passwords,
            scans: Queue::default(),
            hub,
            answers: Answers::default(),
            schema: schema(),
        }
    }

    async fn open(
        &self,
        credential: &Credential,
        admitted: &guard::Operation,
    ) -> Result<Arc<Operation>> {
        let origin = Origin {
            address: Some(credential.address.to_string()),
            user_agent: credential
                .user_agent
                .as_ref()
                .map(|agent| agent.chars().take(255).collect()),
        };
        let mut entered = self.authenticate(credential, origin.clone()).await?;
        // One answer: what one statement gives is of one moment, with no snapshot around it.
        if admitted.kind != OperationType::Subscription && admitted.cost.fields == 1 {
            entered = entered.map(|(viewer, scope)| (viewer, scope.map(Scope::for_one_read)));
        }
        let operation = Operation::new(
            self.db.clone(),
            self.passwords.clone(),
            self.scans.clone(),
            origin,
            credential.secure,
            !admitted.repeats,
            entered,
        );
        Ok(Arc::new(operation))
    }

    /// Nobody, if the request carries no credential; one that does not hold is an error, so that
    /// a client learns of it.
    async fn authenticate(
        &self,
        credential: &Credential,
        origin: Origin,
    ) -> Result<Option<(Viewer, Result<Scope>)>> {
        let Some(token) = credential.bearer.as_ref().or(credential.cookie.as_ref()) else {
            return Ok(None);
        };
        let token = Token::parse(token).ok_or(Error::Unauthenticated)?;
        let system = System::new(&self.db, "authenticate a request");
        let request = session::Request {
            organization: credential.organization.clone(),
            origin,
        };
        let (viewer, standing) = session::authenticate(&system, &token, request).await?;
        let scope = member::admit(&viewer, standing.as_ref());
        Ok(Some((viewer, scope)))
    }
}

impl http::Service for Service {
    async fn execute(&self, credential: Credential, admitted: guard::Operation) -> Response {
        let operation = match self.open(&credential, &admitted).await {
            Ok(operation) => operation,
            Err(error) => return refused(error, &credential),
        };
        let mut response = self
            .schema
            .execute(admitted.request.data(operation.clone()))
            .await;
        let cost = cost(admitted.cost, &operation);
        response.extensions.insert("cost".to_owned(), cost);
        tokio::spawn(async move { operation.close().await });
        response
    }

    fn subscribe(
        &self,
        credential: Credential,
        admitted: guard::Operation,
    ) -> impl Stream<Item = Response> + Send + 'static {
        let service = self.clone();
        let open = async move {
            match service.open(&credential, &admitted).await {
                Ok(operation) => {
                    let wish = Wish::of(&admitted.request);
                    let request = admitted.request.data(operation.clone()).data(wish);
                    let request = request.data(service.hub).data(service.answers);
                    let responses = whole(service.schema.execute_stream(request));
                    let closed = move |(index, mut response): (usize, Response)| {
                        let operation = operation.clone();
                        async move {
                            // A subscription that does not begin is a request that was refused.
                            if index == 0 && response.data == Value::Null {
                                response
                                    .errors
                                    .iter_mut()
                                    .for_each(|error| error.path.clear());
                            }
                            // The next answer may be long in coming, and reads anew anyway.
                            operation.close().await;
                            response
                        }
                    };
                    responses.enumerate().then(closed).boxed()
                }
                Err(error) => stream::once(std::future::ready(refused(error, &credential))).boxed(),
            }
        };
        open.flatten_stream()
    }

    async fn connect(&self, credential: &Credential) -> Result<(), ServerError> {
        match self.authenticate(credential, Origin::default()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Fault::from(error).into()),
        }
    }

    fn status(code: &str) -> Option<StatusCode> {
        error::status(code)
    }
}

/// The same answers up to the first with a part that could not be read just now. That one comes
/// without data, so that nobody moves on from a cursor past what they were not shown, and is the
/// last: the client resumes where it was.
fn whole(
    responses: impl Stream<Item = Response> + Send + 'static,
) -> impl Stream<Item = Response> + Send {
    stream::unfold(Some(responses.boxed()), |responses| async {
        let mut responses = responses?;
        let mut response = responses.next().await?;
        let is_lost = |error: &ServerError| {
            let code = error
                .extensions
                .as_ref()
                .and_then(|values| values.get("code"));
            matches!(code, Some(Value::String(code)) if code == "UNAVAILABLE" || code == "INTERNAL")
        };
        if response.errors.iter().any(is_lost) {
            response.data = Value::Null;
            return Some((response, None));
        }
        Some((response, Some(responses)))
    })
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
fn cost(cost: guard::Cost, operation: &Operation) -> Value {
    value!({
        "complexity": cost.complexity,
        "nodes": cost.nodes,
        "depth": cost.depth,
        "statements": operation.statements(),
    })
}
