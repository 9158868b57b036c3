//! Signing in, up and out.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    identity::{
        session::{self, SessionId},
        sign_in::{self, SignedIn},
        sign_up,
    },
    organizations::{
        organization::{self, NewOrganization},
        time_zone,
    },
    secret::Token,
};

use super::{second_factor::SignInChallenge, user::Locale, viewer::Viewer};
use crate::{
    error::Result,
    http::session_cookie,
    id,
    operation::Operation,
    user_error::{Settled, UserError, payload, settle},
};

/// A place where the viewer is signed in.
#[derive(SimpleObject)]
pub struct Session {
    /// Global id.
    id: ID,
    /// Whether it is the one in use.
    current: bool,
    /// The client's own name.
    user_agent: Option<String>,
    /// Network address of the sign-in.
    address: String,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When the password was last given in it: it is fresh for 15 minutes.
    authenticated_at: DateTime<Utc>,
    /// When a second factor was last given in it, if one was.
    second_factor_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    last_used_at: DateTime<Utc>,
    /// When it ends, whatever its use.
    expires_at: DateTime<Utc>,
}

impl Session {
    /// A session as its owner sees it from the session `present`.
    pub fn new(row: session::Session, present: SessionId) -> Self {
        Self {
            id: id::encode(row.id),
            current: row.id == present,
            user_agent: row.user_agent,
            address: row.address,
            created_at: row.created_at,
            authenticated_at: row.authenticated_at,
            second_factor_at: row.second_factor_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
        }
    }
}

/// What making an account takes.
#[derive(InputObject)]
pub struct SignUpInput {
    /// 3 to 50 letters (A to Z), digits or underscores.
    username: String,
    /// Their address.
    email: String,
    /// 8 to 128 characters, among them an upper-case letter, a lower-case letter and a digit.
    #[graphql(secret)]
    password: String,
    /// Given name.
    first_name: String,
    /// Family name.
    #[graphql(default)]
    last_name: String,
    /// The language of their mails.
    #[graphql(default_with = "Locale::En")]
    locale: Locale,
    /// Founds an organization of this name, too.
    organization_name: Option<String>,
    /// That organization's IANA time zone.
    #[graphql(default = "UTC")]
    time_zone: String,
}

/// What signing in takes.
#[derive(InputObject)]
pub struct SignInInput {
    /// Username or e-mail address.
    login: String,
    /// Password.
    #[graphql(secret)]
    password: String,
}

/// What ending a session takes.
#[derive(InputObject)]
pub struct RevokeSessionInput {
    /// Which session.
    session_id: ID,
}

/// What became of signing in or up. The answer also sets the session cookie.
#[derive(SimpleObject)]
pub struct SignInPayload {
    /// The session's token, told this once; for `Authorization: Bearer`.
    token: Option<String>,
    /// The person who is signed in now.
    viewer: Option<Viewer>,
    /// In place of these two, where the account has a second factor: what `completeSignIn` takes.
    challenge: Option<SignInChallenge>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// What a sign-in opened, for [`SignInPayload`].
pub(super) enum Opened {
    /// A session, whose token it is.
    Session(Token),
    /// The way to the second factor.
    Challenged(SignInChallenge),
}

/// What became of signing out. The answer also clears the session cookie.
#[derive(SimpleObject)]
pub struct SignOutPayload {
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// What became of ending a session.
#[derive(SimpleObject)]
pub struct RevokeSessionPayload {
    /// The session that was ended.
    session_id: Option<ID>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// What became of ending the other sessions.
#[derive(SimpleObject)]
pub struct RevokeOtherSessionsPayload {
    /// How many of those that were ended were open.
    revoked_count: Option<usize>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Mutations of accounts and sessions.
#[derive(Default)]
pub struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Makes an account, signs it in, and founds its first organization if one is named. Its address is
    /// mailed a token for `verifyEmail`. From one network address three times, and three more an hour;
    /// then the error `RATE_LIMITED` says when to come again.
    async fn sign_up(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who they are.")] input: SignUpInput,
    ) -> Option<Result<SignInPayload>> {
        let operation = Operation::of(context);
        let account = sign_up::NewAccount {
            username: input.username,
            email: input.email,
            password: input.password,
            first_name: input.first_name,
            last_name: input.last_name,
            locale: input.locale.into(),
        };
        let zone = time_zone::check(&input.time_zone);
        let organization = input.organization_name.map(|name| NewOrganization {
            name,
            slug: None,
            time_zone: input.time_zone,
        });
        let (system, origin) = (operation.system(), operation.origin().clone());
        let signed_up = async {
            // Nobody is to be left with an account, and a mistake in the rest of the form.
            if let Some(organization) = &organization {
                organization::check(&system, organization)
                    .await
                    .map_err(of_sign_up)?;
            }
            zone.map_err(|problem| domain::Error::Refused(vec![problem]))?;
            let (passwords, limits) = (operation.passwords(), operation.limits());
            sign_up::sign_up(&system, passwords, limits, account, origin).await
        };
        let signed_up = Box::pin(signed_up);
        let mut answer: Option<Result<SignInPayload>> =
            payload(async { Ok(admit(context, signed_up.await?).into()) }).await;
        if let (Some(organization), Some(Ok(signed_up))) = (organization, &mut answer)
            && signed_up.viewer.is_some()
        {
            match settle(found(operation, organization)).await {
                Ok(founded) => signed_up.errors = founded.errors,
                Err(fault) => return Some(Err(fault)),
            }
        }
        answer
    }

    /// Opens a session, in the organization that was used last; or, where the account has a second factor,
    /// answers with a `challenge` for `completeSignIn`. From one network address three times, and
    /// three more a minute; then the error `RATE_LIMITED` says when to come again.
    async fn sign_in(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who they are.")] input: SignInInput,
    ) -> Option<Result<SignInPayload>> {
        let operation = Operation::of(context);
        let credentials = sign_in::Credentials {
            login: input.login,
            password: input.password,
        };
        let (system, origin) = (operation.system(), operation.origin().clone());
        let signed_in = Box::pin(sign_in::sign_in(
            &system,
            operation.passwords(),
            operation.limits(),
            credentials,
            origin,
        ));
        payload(async {
            Ok(match signed_in.await? {
                SignedIn::Open(token, viewer) => admit(context, (token, viewer)).into(),
                SignedIn::Challenged(challenge) => Opened::Challenged(challenge.into()),
            })
        })
        .await
    }

    /// Ends the session in use.
    async fn sign_out(&self, context: &Context<'_>) -> Option<Result<SignOutPayload>> {
        payload(async {
            let viewer = Operation::of(context).require_viewer()?;
            session::revoke(&viewer, viewer.session()).await?;
            leave(context);
            Ok(())
        })
        .await
    }

    /// Ends one of the viewer's sessions, wherever it is.
    async fn revoke_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RevokeSessionInput,
    ) -> Option<Result<RevokeSessionPayload>> {
        payload(async {
            let viewer = Operation::of(context).require_viewer()?;
            session::revoke(&viewer, id::decode(&input.session_id, "sessionId")?).await?;
            Ok(input.session_id)
        })
        .await
    }

    /// Ends all of the viewer's sessions but the one in use.
    async fn revoke_other_sessions(
        &self,
        context: &Context<'_>,
    ) -> Option<Result<RevokeOtherSessionsPayload>> {
        payload(async {
            let viewer = Operation::of(context).require_viewer()?;
            session::revoke_others(&viewer).await
        })
        .await
    }
}

impl From<Token> for Opened {
    fn from(token: Token) -> Self {
        Self::Session(token)
    }
}

impl From<Settled<Opened>> for SignInPayload {
    fn from(settled: Settled<Opened>) -> Self {
        let (token, challenge) = match settled.value {
            Some(Opened::Session(token)) => (Some(token), None),
            Some(Opened::Challenged(challenge)) => (None, Some(challenge)),
            None => (None, None),
        };
        Self {
            viewer: token.is_some().then_some(Viewer),
            token: token.map(|token| token.reveal()),
            challenge,
            errors: settled.errors,
        }
    }
}

impl From<Settled<()>> for SignOutPayload {
    fn from(settled: Settled<()>) -> Self {
        Self {
            errors: settled.errors,
        }
    }
}

impl From<Settled<ID>> for RevokeSessionPayload {
    fn from(settled: Settled<ID>) -> Self {
        Self {
            session_id: settled.value,
            errors: settled.errors,
        }
    }
}

impl From<Settled<usize>> for RevokeOtherSessionsPayload {
    fn from(settled: Settled<usize>) -> Self {
        Self {
            revoked_count: settled.value,
            errors: settled.errors,
        }
    }
}

/// The `Set-Cookie` that gives a browser its token for so many seconds; none take it away.
pub fn cookie(secure: bool, token: &str, seconds: i64) -> String {
    set_cookie(session_cookie(secure), secure, token, seconds)
}

/// The `Set-Cookie` of a secret of ours, which no page's script gets to see.
pub(super) fn set_cookie(name: &str, secure: bool, value: &str, seconds: i64) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// The rest of the operation is the session's that opens to this token.
pub(super) fn admit(context: &Context<'_>, (token, viewer): (Token, domain::Viewer)) -> Token {
    let operation = Operation::of(context);
    let cookie = cookie(
        operation.is_secure(),
        &token.reveal(),
        session::ABSOLUTE.num_seconds(),
    );
    context.insert_http_header("set-cookie", cookie);
    operation.change_to(Some(viewer));
    token
}

/// The rest of the operation is nobody's.
pub(super) fn leave(context: &Context<'_>) {
    let operation = Operation::of(context);
    context.insert_http_header("set-cookie", cookie(operation.is_secure(), "", 0));
    operation.change_to(None);
}

async fn found(operation: &Operation, organization: NewOrganization) -> domain::Result<()> {
    let organization = organization::create(&operation.require_viewer()?, organization)
        .await
        .map_err(of_sign_up)?;
    operation.act_in(organization.id)
}

/// The organization's problems in terms of the sign-up, which has other names of its own.
fn of_sign_up(error: domain::Error) -> domain::Error {
    let domain::Error::Refused(mut problems) = error else {
        return error;
    };
    for problem in &mut problems {
        if problem.field == "name" {
            problem.field = "organizationName";
        }
    }
    domain::Error::Refused(problems)
}
