//! Anything by its id, as the Relay specification has it.

use std::collections::BTreeMap;

use async_graphql::{Context, ID, Interface, Object};
use domain::{
    Code, Error,
    attendance::{imports::import::ImportId, scan::AttendanceId},
    audit,
    events::event::EventId,
    identity::user::{self, UserId},
    loyalty::ledger::EntryId,
    organizations::{
        api_key::ApiKeyId, invitation::InvitationId, member::MemberId,
        organization::OrganizationId, team::TeamId,
    },
    patrons::patron::PatronId,
};
use uuid::Uuid;

use crate::{
    attendance::attendance::{Attendance, AttendanceById},
    audit::entry::{AuditEntry, EntryById as AuditEntryById},
    error::{Result, nullable},
    events::event::{Event, EventById},
    id::{self, Global},
    identity::user::{User, UserById},
    imports::import::{Import, ImportById},
    loader::Relation,
    loyalty::entry::{EntryById, LoyaltyEntry},
    operation::Operation,
    organizations::{
        api_key::{ApiKey, ApiKeyById},
        invitation::{Invitation, InvitationById},
        member::{Member, MemberById},
        organization::{self, Organization},
        team::{Team, TeamById},
    },
    patrons::patron::{Patron, PatronById},
    selection::{Rows, Selection},
};

/// Ids of one `nodes` at most.
const MOST: usize = 100;

/// A thing with a global id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Global id."))]
pub enum Node {
    /// An organization.
    Organization(Organization),
    /// A member.
    Member(Member),
    /// A team.
    Team(Team),
    /// An invitation.
    Invitation(Invitation),
    /// An API key.
    ApiKey(ApiKey),
    /// An account.
    User(User),
    /// An event.
    Event(Event),
    /// A patron.
    Patron(Patron),
    /// An attendance.
    Attendance(Attendance),
    /// An entry of the loyalty ledger.
    LoyaltyEntry(LoyaltyEntry),
    /// An import.
    Import(Import),
    /// An entry of the audit log.
    AuditEntry(AuditEntry),
}

/// Queries for anything by its id.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The thing with this id; null where there is none, or it is not to be seen. It needs the
    /// permission of the field that names the thing otherwise.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its global id.")] id: ID,
    ) -> Option<Result<Node>> {
        let operation = Operation::of(context);
        prefetch(
            std::slice::from_ref(&id),
            operation,
            &Selection::of(context),
        )
        .await;
        load(&id, "id", operation).await
    }

    /// The things with these ids, in their order; null where there is none.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Up to 100 global ids.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Result<Node>>>> {
        if ids.len() > MOST {
            let message = format!("At most {MOST} ids at a time.");
            return Err(Error::refused(Code::TooLong, "ids", message).into());
        }
        let operation = Operation::of(context);
        prefetch(&ids, operation, &Selection::of(context)).await;
        let mut nodes = Vec::with_capacity(ids.len());
        for id in &ids {
            nodes.push(load(id, "ids", operation).await);
        }
        Ok(nodes)
    }
}

/// Loads what the ids name, one statement for each kind, and what is selected below.
async fn prefetch(ids: &[ID], operation: &Operation, selected: &Selection<'_>) {
    let mut kinds: BTreeMap<u8, Vec<Uuid>> = BTreeMap::new();
    for (tag, uuid) in ids.iter().filter_map(id::parts) {
        kinds.entry(tag).or_default().push(uuid);
    }
    for (tag, ids) in kinds {
        match tag {
            MemberId::TAG => rows::<MemberById>(ids, operation, selected).await,
            InvitationId::TAG => rows::<InvitationById>(ids, operation, selected).await,
            TeamId::TAG => rows::<TeamById>(ids, operation, selected).await,
            ApiKeyId::TAG => rows::<ApiKeyById>(ids, operation, selected).await,
            EventId::TAG => rows::<EventById>(ids, operation, selected).await,
            PatronId::TAG => rows::<PatronById>(ids, operation, selected).await,
            AttendanceId::TAG => rows::<AttendanceById>(ids, operation, selected).await,
            EntryId::TAG => rows::<EntryById>(ids, operation, selected).await,
            ImportId::TAG => rows::<ImportById>(ids, operation, selected).await,
            audit::entry::EntryId::TAG => rows::<AuditEntryById>(ids, operation, selected).await,
            UserId::TAG
                if operation
                    .viewer()
                    .is_some_and(|viewer| ids != [viewer.user().uuid()]) =>
            {
                rows::<UserById>(ids, operation, selected).await;
            }
            _ => {}
        }
    }
}

async fn rows<R: Relation>(ids: Vec<Uuid>, operation: &Operation, selected: &Selection<'_>)
where
    R::Key: From<Uuid>,
    R::Value: Rows,
{
    let keys = ids.into_iter().map(R::Key::from).collect();
    let found = operation.load_all::<R>(keys).await;
    R::Value::prefetch(found, operation, selected.clone()).await;
}

async fn load(id: &ID, field: &'static str, operation: &Operation) -> Option<Result<Node>> {
    let Some((tag, uuid)) = id::parts(id) else {
        return Some(Err(id::invalid(field).into()));
    };
    match tag {
        OrganizationId::TAG => nullable(own_organization(uuid.into(), operation).await),
        UserId::TAG => account(uuid.into(), operation).await,
        MemberId::TAG => node::<MemberById>(uuid, operation, Node::Member).await,
        InvitationId::TAG => node::<InvitationById>(uuid, operation, Node::Invitation).await,
        TeamId::TAG => node::<TeamById>(uuid, operation, Node::Team).await,
        ApiKeyId::TAG => node::<ApiKeyById>(uuid, operation, Node::ApiKey).await,
        EventId::TAG => node::<EventById>(uuid, operation, Node::Event).await,
        PatronId::TAG => match node::<PatronById>(uuid, operation, Node::Patron).await {
            Some(Ok(Node::Patron(patron))) if patron.is_removed() => None,
            found => found,
        },
        AttendanceId::TAG => node::<AttendanceById>(uuid, operation, Node::Attendance).await,
        EntryId::TAG => node::<EntryById>(uuid, operation, Node::LoyaltyEntry).await,
        ImportId::TAG => node::<ImportById>(uuid, operation, Node::Import).await,
        audit::entry::EntryId::TAG => {
            node::<AuditEntryById>(uuid, operation, Node::AuditEntry).await
        }
        _ => Some(Err(id::invalid(field).into())),
    }
}

async fn node<R: Relation>(
    uuid: Uuid,
    operation: &Operation,
    wrap: fn(R::Value) -> Node,
) -> Option<Result<Node>>
where
    R::Key: From<Uuid>,
{
    let found = operation.load::<R>(uuid.into()).await.transpose()?;
    Some(found.map(wrap))
}

async fn own_organization(id: OrganizationId, operation: &Operation) -> domain::Result<Node> {
    let organization = organization::load(operation).await?;
    if operation.scope().await?.organization() != id {
        return Err(Error::NotFound);
    }
    Ok(Node::Organization(organization))
}

/// The viewer's own account, or a fellow member's.
async fn account(id: UserId, operation: &Operation) -> Option<Result<Node>> {
    match operation.viewer() {
        Some(viewer) if viewer.user() == id => nullable(
            user::own(&viewer)
                .await
                .map(|person| Node::User(person.into())),
        ),
        _ => node::<UserById>(id.uuid(), operation, Node::User).await,
    }
}
