//! Entries of the audit log.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object};
use domain::{
    Scope,
    attendance::{imports::import::ImportId, scan::AttendanceId},
    audit::entry::{self, EntryFilter, EntryId},
    events::event::EventId,
    identity::user::UserId,
    organizations::{
        api_key::ApiKeyId, invitation::InvitationId, member::MemberId,
        organization::OrganizationId, team::TeamId,
    },
    page::PageRequest,
    patrons::patron::PatronId,
    permission::{ApiKeysRead, AuditRead, MembersRead},
};
use uuid::Uuid;

use crate::{
    connection::Connection,
    error::Result,
    fields, id,
    identity::user::User,
    loader::{Loaded, Relation},
    long::Long,
    operation::Operation,
    organizations::api_key::{ApiKey, ApiKeyById},
    requires::Requires,
    selection::Selection,
    time::Time,
    written::{self, Answer},
};

/// What somebody did, or was denied. Entries are added, never changed.
#[derive(Clone)]
pub struct AuditEntry(Arc<entry::Entry>);

/// An entry by its id.
pub struct EntryById;

/// Somebody who acted in the organization, by their account's id.
pub struct ActorById;

/// What kind of actor it was.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "entry::ActorKind")]
pub enum AuditActorKind {
    /// A signed-in person.
    User,
    /// An API key.
    Key,
    /// Rollcall itself.
    System,
}

/// Whether it was done.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "entry::Outcome")]
pub enum AuditResult {
    /// It was.
    Success,
    /// It was denied.
    Failure,
}

/// Which entries a list shows.
#[derive(Default, InputObject)]
pub struct AuditFilter {
    /// Only what this account did, or was denied.
    actor_id: Option<ID>,
    /// Only what this API key did, or was denied.
    api_key_id: Option<ID>,
    /// Only this type.
    event_type: Option<String>,
    /// Only what was done to this: a `targetId`.
    target_id: Option<ID>,
    /// Only with this result.
    result: Option<AuditResult>,
    /// Only from this time on.
    from: Option<Time>,
    /// Only from before this time.
    until: Option<Time>,
}

/// Queries of the audit log.
#[derive(Default)]
pub struct AuditQuery;

#[Object]
impl AuditQuery {
    /// Who did what in the organization, or was denied it, newest first. Of what one person is
    /// denied, each instance writes down 10 attempts a minute.
    #[graphql(directive = Requires::apply(AuditRead))]
    async fn audit_log(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from the front: 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the back: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which entries; all when left out.")] filter: Option<AuditFilter>,
    ) -> Result<Answer<Connection<AuditEntry>>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let (operation, selected) = (Operation::of(context), Selection::of(context));
        let reader = operation.reader().await?;
        let filter = filter.unwrap_or_default().understood()?;
        if let Some(shape) = written::page_shape::<AuditEntry>(operation, &selected).await {
            let page = entry::written(&reader, &filter, &request, &shape).await?;
            return Ok(Answer::Written(page));
        }
        let page = entry::list(&reader, &filter, &request).await?;
        let page = Connection::prefetched(page, operation, &selected).await;
        Ok(Answer::Walked(page))
    }
}

fields! {
    /// What somebody did, or was denied. Entries are added, never changed.
    AuditEntry in entry::table;
    columns {
        /// Global id.
        id: ID = id;
        /// What, like `member.added`; for a failure, the permission that it needed, like
        /// `members:create`.
        event_type: &str = event_type;
        /// The same in fewer words, where there is one: `SIGN_UP`, `SIGN_IN`, `SIGN_OUT`,
        /// `UPDATE_PASSWORD`, `DELETE_ACCOUNT`, `UPDATE_ACCOUNT`, `CREATE_TEAM`, `REMOVE_TEAM_MEMBER`,
        /// `INVITE_TEAM_MEMBER` or `ACCEPT_INVITATION`.
        action: Option<&str> = action;
        /// What kind of actor it was.
        actor_kind: AuditActorKind = actor_kind;
        /// Whose account it was; null where it was no person, and where it was erased.
        actor_id: Option<ID> = actor_id;
        /// Which API key it was; null where it was none, and where it was erased.
        api_key_id: Option<ID> = key_id;
        /// Whether it was done.
        result: AuditResult = result;
        /// Why it was not done, as a code.
        reason: Option<&str> = reason;
        /// Network address; null where it is not known, or was erased.
        address: Option<&str> = address;
        /// The client's own name; null where it is not known, or was erased.
        user_agent: Option<&str> = user_agent;
        /// How many changes it stands for; none for a failure.
        changes: i32 = changes;
        /// Its place in the organization's chain, from 1; null for an entry from before there was one.
        number: Option<Long> = number;
        /// SHA-256 over the entry before it and this one, in hexadecimal digits.
        hash: Option<String> = hash;
        /// When it was.
        created_at: Time = created_at;
    }
    computed {}
    guarded {}
    one {
        /// Who it was, whether or not they still have access; null where there is no such account.
        actor: User = ActorById by actor_id, MembersRead;
        /// The API key that it was, whether or not it still works.
        api_key: ApiKey = ApiKeyById by key_id, ApiKeysRead;
    }
    many {}
    needs {}

    /// What it was done to: its global id, or the UUID of what has none.
    async fn target_id(&self) -> Option<ID> {
        self.0.target_id.map(|target| target_of(&self.0.event_type, target))
    }
}

/// The id of what an event of this type is done to.
fn target_of(event_type: &str, target: Uuid) -> ID {
    match event_type.split('.').next().unwrap_or_default() {
        "organization" | "audit" | "role" => id::encode(OrganizationId::from(target)),
        "member" => id::encode(MemberId::from(target)),
        "invitation" => id::encode(InvitationId::from(target)),
        "team" => id::encode(TeamId::from(target)),
        "api_key" => id::encode(ApiKeyId::from(target)),
        "event" => id::encode(EventId::from(target)),
        "patron" => id::encode(PatronId::from(target)),
        "attendance" | "registration" => id::encode(AttendanceId::from(target)),
        "import" => id::encode(ImportId::from(target)),
        _ => target.to_string().into(),
    }
}

impl AuditFilter {
    /// # Errors
    /// A refusal of an id that is none.
    fn understood(self) -> domain::Result<EntryFilter> {
        let actor = self.actor_id.map(|id| id::decode::<UserId>(&id, "actorId"));
        let target = self.target_id.map(|id| match id::parts(&id) {
            Some((_, uuid)) => Ok(uuid),
            None => Uuid::try_parse(&id).map_err(|_| id::invalid("targetId")),
        });
        let key = self
            .api_key_id
            .map(|id| id::decode::<ApiKeyId>(&id, "apiKeyId"));
        Ok(EntryFilter {
            actor: actor.transpose()?,
            key: key.transpose()?,
            event_type: self.event_type,
            target: target.transpose()?,
            result: self.result.map(Into::into),
            from: self.from.map(Into::into),
            until: self.until.map(Into::into),
        })
    }
}

impl From<entry::Entry> for AuditEntry {
    fn from(row: entry::Entry) -> Self {
        Self(Arc::new(row))
    }
}

impl Relation for EntryById {
    type Key = EntryId;
    type Value = AuditEntry;

    async fn load(scope: Scope, keys: Vec<EntryId>) -> Loaded<Self> {
        let rows = entry::load(&scope.reader()?, &keys).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, Ok(row.into())))
            .collect())
    }
}

impl Relation for ActorById {
    type Key = UserId;
    type Value = User;

    async fn load(scope: Scope, keys: Vec<UserId>) -> Loaded<Self> {
        let people = entry::actors(&scope.reader()?, &keys).await?;
        Ok(people
            .into_iter()
            .map(|person| (person.id, Ok(person.into())))
            .collect())
    }
}
