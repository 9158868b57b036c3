//! What a document may cost, decided before any of it runs.
//!
//! Three steps, each linear in the document: [`scan`] reads the bytes, the library's parser builds
//! the tree (safe only after the scan, see there; [`documents`] keeps it), [`budget`] weighs the tree. Every road to the
//! schema goes through [`admit`]: POST, GET, event streams and sockets.

use std::sync::Arc;

use async_graphql::parser::Pos;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationType};
use async_graphql::{ErrorExtensionValues, Request, ServerError};

pub mod budget;
mod documents;
mod repeat;
mod root;
pub mod scan;
mod weight;

pub use budget::Cost;

/// One operation that may run: its document is parsed, and within every limit.
#[derive(Debug)]
pub struct Operation {
    request: Request,
    document: Arc<ExecutableDocument>,
    /// Whether the chosen operation is a query, a mutation or a subscription.
    pub kind: OperationType,
    /// What the chosen operation may cost at most.
    pub cost: Cost,
    /// Whether it selects one answer, or one object of a payload, more than once.
    pub repeats: bool,
}

/// Admits the operation that a request names, or says which limit it breaks.
///
/// # Errors
/// One error with `extensions.code`: a limit's code, `GRAPHQL_PARSE_FAILED`, or
/// `OPERATION_RESOLUTION_FAILURE` when the request does not name one operation of the document.
pub fn admit(request: Request) -> Result<Operation, ServerError> {
    let document = documents::parsed(&request.query)?;
    let name = request.operation_name.as_deref();
    let operation = choose(&document, name)?;
    root::check(operation)?;
    let cost = budget::measure(&document, operation, &request.variables)?;
    let kind = operation.ty;
    let repeats = repeat::is_repeated(&document, operation);
    Ok(Operation {
        request,
        document,
        kind,
        cost,
        repeats,
    })
}

impl Operation {
    /// The request as it came.
    #[must_use]
    pub fn said(&self) -> &Request {
        &self.request
    }

    /// The request to execute, with its parsed document so that nobody parses it again.
    #[must_use]
    pub fn into_request(mut self) -> Request {
        let document = Arc::unwrap_or_clone(self.document);
        self.request.set_parsed_query(document);
        self.request
    }

    /// The same operation, to be executed once more.
    #[must_use]
    pub fn again(&self) -> Self {
        let Request {
            query,
            operation_name,
            variables,
            ..
        } = &self.request;
        let mut request = Request::new(query).variables(variables.clone());
        request.operation_name.clone_from(operation_name);
        Self {
            request,
            document: self.document.clone(),
            ..*self
        }
    }
}

/// An error with its `extensions.code`.
#[must_use]
pub fn error(code: &str, message: impl Into<String>, position: Option<Pos>) -> ServerError {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    let mut error = ServerError::new(message, position);
    error.extensions = Some(extensions);
    error
}

type Definition = async_graphql::parser::types::OperationDefinition;

fn choose<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a Definition, ServerError> {
    let unresolved = |message: &str| error("OPERATION_RESOLUTION_FAILURE", message, None);
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(&operation.node),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            let mut operations = operations.values();
            operations
                .next()
                .map(|operation| &operation.node)
                .ok_or_else(|| unresolved("The document has no operation."))
        }
        (DocumentOperations::Multiple(_), None) => Err(unresolved(
            "The document has several operations: name one in `operationName`.",
        )),
        (DocumentOperations::Single(_), Some(_)) => Err(unresolved(
            "The document's operation has no name: leave `operationName` out.",
        )),
        (DocumentOperations::Multiple(operations), Some(name)) => operations
            .get(name)
            .map(|operation| &operation.node)
            .ok_or_else(|| unresolved("The document has no operation of that `operationName`.")),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{Request, Value};

    use super::admit;

    fn code(query: &str, name: Option<&str>) -> String {
        let mut request = Request::new(query);
        request.operation_name = name.map(str::to_owned);
        let error = admit(request).expect_err("the document is refused");
        assert!(!error.message.contains('\n'), "{}", error.message);
        match error
            .extensions
            .and_then(|values| values.get("code").cloned())
        {
            Some(Value::String(code)) => code,
            other => panic!("no code: {other:?}"),
        }
    }

    #[test]
    fn one_operation_must_be_named() {
        let two = "query A { a } query B { b }";
        assert!(admit(Request::new(two).operation_name("B")).is_ok());
        assert!(admit(Request::new("query A { a }")).is_ok());
        for (query, name) in [(two, None), (two, Some("C")), ("{ a }", Some("A"))] {
            assert_eq!(code(query, name), "OPERATION_RESOLUTION_FAILURE");
        }
    }

    #[test]
    fn syntax_errors_say_what_was_expected() {
        let error = admit(Request::new("{")).expect_err("the document is refused");
        assert_eq!(error.message, "Syntax error: expected selection.");
        for query in [
            "",
            "{",
            "query A { a } query A { b }",
            "fragment F on T { a }",
            "{ \u{1} }",
        ] {
            assert_eq!(code(query, None), "GRAPHQL_PARSE_FAILED", "{query}");
        }
    }
}
