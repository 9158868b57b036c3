//! What a mutation's caller can mend: data in its payload, not errors of the answer.

use async_graphql::{
    ContextSelectionSet, Interface, Name, OutputType, Positioned, ServerResult, SimpleObject,
    Value,
    parser::types::Field,
    registry::{MetaEnumValue, MetaType, MetaTypeId, Registry},
};
use domain::{Code, Error, Problem};
use futures_util::future::BoxFuture;

use crate::error::Result;

/// Something that the caller can mend.
#[derive(Clone, Debug, Interface)]
#[graphql(
    field(
        name = "message",
        ty = "&String",
        desc = "What was wrong and what to do, for people."
    ),
    field(
        name = "code",
        ty = "&UserErrorCode",
        desc = "What kind of thing was wrong."
    ),
    field(
        name = "path",
        ty = "&Option<Vec<String>>",
        desc = "The input it is about, from `input` down; null for the whole."
    )
)]
pub enum UserError {
    /// A value is missing or malformed.
    Input(InputError),
    /// A thing that an id names is not there.
    NotFound(NotFoundError),
    /// Something is there already.
    Conflict(ConflictError),
    /// A rule forbids it.
    Rule(RuleError),
}

/// A value is missing, malformed or out of its range.
#[derive(Clone, Debug, SimpleObject)]
pub struct InputError {
    /// What was wrong and what to do, for people.
    message: String,
    /// What kind of thing was wrong.
    code: UserErrorCode,
    /// The input it is about, from `input` down; null for the whole.
    path: Option<Vec<String>>,
}

/// A thing that an id or a name stands for is not there, or not to be seen.
#[derive(Clone, Debug, SimpleObject)]
pub struct NotFoundError {
    /// What was wrong and what to do, for people.
    message: String,
    /// What kind of thing was wrong.
    code: UserErrorCode,
    /// The input it is about, from `input` down; null for the whole.
    path: Option<Vec<String>>,
}

/// Something is there already.
#[derive(Clone, Debug, SimpleObject)]
pub struct ConflictError {
    /// What was wrong and what to do, for people.
    message: String,
    /// What kind of thing was wrong.
    code: UserErrorCode,
    /// The input it is about, from `input` down; null for the whole.
    path: Option<Vec<String>>,
}

/// A rule of the organization, the event or the account forbids it.
#[derive(Clone, Debug, SimpleObject)]
pub struct RuleError {
    /// What was wrong and what to do, for people.
    message: String,
    /// What kind of thing was wrong.
    code: UserErrorCode,
    /// The input it is about, from `input` down; null for the whole.
    path: Option<Vec<String>>,
}

/// A [`Code`] on the wire: the enum's values are [`Code::ALL`], so that there is one list.
#[derive(Clone, Copy, Debug)]
pub struct UserErrorCode(Code);

/// What became of a unit of work: its value, or what the caller can mend.
pub struct Settled<T> {
    /// What it gave, if it was done.
    pub value: Option<T>,
    /// Why it was not.
    pub errors: Vec<UserError>,
}

/// Runs a mutation's work and makes its payload. A payload may be null: one mutation that fails
/// must not hide what those before it in the operation did (GraphQL 6.4.4, handling of errors).
///
/// # Errors
/// Everything but a refusal: that is in the payload.
pub fn payload<'a, T, P: From<Settled<T>>>(
    work: impl Future<Output = domain::Result<T>> + Send + 'a,
) -> BoxFuture<'a, Option<Result<P>>> {
    // On the heap, so that work of many steps does not make every mutation's future as large.
    Box::pin(async { Some(settle(work).await.map(P::from)) })
}

/// Runs a unit of work, and gives what it came to.
///
/// # Errors
/// Everything but a refusal.
pub async fn settle<T>(work: impl Future<Output = domain::Result<T>>) -> Result<Settled<T>> {
    match work.await {
        Ok(value) => Ok(Settled {
            value: Some(value),
            errors: Vec::new(),
        }),
        Err(Error::Refused(problems)) => Ok(Settled {
            value: None,
            errors: problems.into_iter().map(UserError::from).collect(),
        }),
        Err(error) => Err(error.into()),
    }
}

impl UserError {
    /// A problem with the input at `path`, which ends where the problem's own field begins.
    pub fn at(path: &[&str], problem: Problem) -> Self {
        let mut path: Vec<String> = path.iter().map(|&part| part.to_owned()).collect();
        if !problem.field.is_empty() {
            path.push(problem.field.to_owned());
        }
        let path = (path.len() > 1).then_some(path);
        let (message, code) = (problem.message, UserErrorCode(problem.code));
        match problem.code {
            Code::Invalid
            | Code::Required
            | Code::TooLong
            | Code::InvalidId
            | Code::WeakPassword
            | Code::UnreadableFile
            | Code::InvalidToken => Self::Input(InputError {
                message,
                code,
                path,
            }),
            Code::NotFound => Self::NotFound(NotFoundError {
                message,
                code,
                path,
            }),
            Code::Taken | Code::IdempotencyConflict => Self::Conflict(ConflictError {
                message,
                code,
                path,
            }),
            Code::BadCredentials
            | Code::ProviderFailed
            | Code::EmailNotVerified
            | Code::LastWayIn
            | Code::LastOwner
            | Code::AboveOwnRole
            | Code::CapacityReached
            | Code::EventNotOpen
            | Code::NothingToUndo
            | Code::WrongState
            | Code::OrganizationInactive
            | Code::SessionNotFresh
            | Code::SecondFactorRequired
            | Code::TooSoon
            | Code::NotConfigured => Self::Rule(RuleError {
                message,
                code,
                path,
            }),
        }
    }
}

impl From<Problem> for UserError {
    fn from(problem: Problem) -> Self {
        Self::at(&["input"], problem)
    }
}

impl OutputType for UserErrorCode {
    fn type_name() -> std::borrow::Cow<'static, str> {
        "UserErrorCode".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Enum, |_| {
            let value = |code: &Code| {
                let mut value = MetaEnumValue::new(code.as_str());
                value.description = Some(code.meaning().to_owned());
                (code.as_str().to_owned(), value)
            };
            MetaType::Enum {
                name: Self::type_name().into_owned(),
                description: Some("What kind of thing a caller can mend.".to_owned()),
                enum_values: Code::ALL.iter().map(value).collect(),
                visible: None,
                inaccessible: false,
                tags: Vec::new(),
                rust_typename: Some(std::any::type_name::<Self>()),
                directive_invocations: Vec::new(),
                requires_scopes: Vec::new(),
            }
        })
    }

    async fn resolve(
        &self,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(Value::Enum(Name::new(self.0.as_str())))
    }
}
