//! What happened: the one thing every commit must say.

use chrono::{DateTime, Utc};
use entity::{events::event::EventId, patrons::patron::PatronId};
use serde_json::{Value as Json, json};
use uuid::Uuid;

macro_rules! kinds {
    ($($(#[$doc:meta])+ $name:ident = $text:literal,)+) => {
        /// What can happen in an organization. The text is what the log, webhooks and the audit
        /// trail carry, so it never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ChangeKind { $($(#[$doc])+ $name,)+ }

        impl ChangeKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its name in the log (schema source 002's dotted form).
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

kinds! {
    /// The organization came to be.
    OrganizationCreated = "organization.created",
    /// Its name, slug, zone or metadata changed.
    OrganizationUpdated = "organization.updated",
    /// Another member became its owner.
    OwnershipTransferred = "organization.ownership_transferred",
    /// It wants a second factor for something else.
    SecondFactorRequirementChanged = "organization.second_factor_requirement_changed",
    /// Someone was given access.
    MemberAdded = "member.added",
    /// Someone's role changed.
    MemberRoleChanged = "member.role_changed",
    /// What the organization keeps about someone changed.
    MemberUpdated = "member.updated",
    /// Someone was granted a further role.
    MemberRoleGranted = "member.role_granted",
    /// A further role was taken from someone.
    MemberRoleWithdrawn = "member.role_withdrawn",
    /// Someone gave their access up.
    MemberLeft = "member.left",
    /// Someone lost access.
    MemberRemoved = "member.removed",
    /// Someone was invited.
    InvitationCreated = "invitation.created",
    /// Someone was invited once more.
    InvitationResent = "invitation.resent",
    /// An invitation was taken back.
    InvitationRevoked = "invitation.revoked",
    /// Someone who was invited belongs now.
    InvitationAccepted = "invitation.accepted",
    /// Someone who was invited did not want to.
    InvitationDeclined = "invitation.declined",
    /// A role was made.
    RoleCreated = "role.created",
    /// A role permits something else, or has another name.
    RoleUpdated = "role.updated",
    /// A role was removed.
    RoleDeleted = "role.deleted",
    /// A team was made.
    TeamCreated = "team.created",
    /// A team changed.
    TeamUpdated = "team.updated",
    /// A team was removed.
    TeamDeleted = "team.deleted",
    /// Someone joined a team.
    TeamMemberAdded = "team.member_added",
    /// Someone left a team.
    TeamMemberRemoved = "team.member_removed",
    /// A role comes with a team.
    TeamRoleGranted = "team.role_granted",
    /// A role comes with a team no more.
    TeamRoleWithdrawn = "team.role_withdrawn",
    /// An API key was made.
    ApiKeyCreated = "api_key.created",
    /// An API key has another name.
    ApiKeyUpdated = "api_key.updated",
    /// An API key has another secret; the one before works for a while yet.
    ApiKeyRotated = "api_key.rotated",
    /// Somebody else answers for an API key.
    ApiKeyAdopted = "api_key.adopted",
    /// An API key works no more.
    ApiKeyRevoked = "api_key.revoked",
    /// What nobody needs any more was removed.
    RecordsPurged = "records.purged",
    /// Entries of the audit log whose time had come were removed.
    AuditPurged = "audit.purged",
    /// Whom entries of the audit log were about was taken out of them: their accounts are gone.
    AuditErased = "audit.erased",
    /// An event was made.
    EventCreated = "event.created",
    /// An event changed.
    EventUpdated = "event.updated",
    /// An event left the drafts.
    EventPublished = "event.published",
    /// An event was called off.
    EventCancelled = "event.cancelled",
    /// An event's door was closed for good.
    EventClosed = "event.closed",
    /// A patron was added.
    PatronCreated = "patron.created",
    /// A patron changed.
    PatronUpdated = "patron.updated",
    /// A patron was removed.
    PatronDeleted = "patron.deleted",
    /// A patron registered for an event.
    Registered = "attendance.registered",
    /// A registration was cancelled.
    RegistrationCancelled = "registration.cancelled",
    /// A patron arrived.
    CheckedIn = "attendance.checked_in",
    /// A patron left.
    CheckedOut = "attendance.checked_out",
    /// An arrival or departure was undone.
    CheckInReverted = "attendance.check_in_reverted",
    /// A later message changed what an attendance says.
    Corrected = "attendance.corrected",
    /// A scan was kept that changed no attendance.
    ScanRecorded = "scan.recorded",
    /// A file was uploaded for its dry run.
    ImportStarted = "import.started",
    /// The dry run is done.
    ImportPreviewed = "import.previewed",
    /// The commit of an import was ordered.
    ImportCommitting = "import.committing",
    /// Rows of an import were written.
    ImportProgressed = "import.progressed",
    /// The last row of an import was written.
    ImportCompleted = "import.completed",
    /// An import could not be carried out.
    ImportFailed = "import.failed",
}

impl ChangeKind {
    /// The kind that a row of the log names; none for one of a newer release.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }

    /// Schema source 004's name for it, where it has one.
    #[must_use]
    pub const fn action(self) -> Option<&'static str> {
        match self {
            Self::OrganizationCreated => Some("CREATE_TEAM"),
            Self::MemberAdded | Self::InvitationCreated => Some("INVITE_TEAM_MEMBER"),
            Self::InvitationAccepted => Some("ACCEPT_INVITATION"),
            Self::MemberRemoved | Self::MemberLeft => Some("REMOVE_TEAM_MEMBER"),
            _ => None,
        }
    }

    /// Whether it may give or take access: everything about the organization itself, its members, their
    /// roles and teams, and its keys. Who was known before is found out anew, and streams are checked again.
    #[must_use]
    pub fn changes_access(self) -> bool {
        let noun = self.as_str().split_once('.').map(|(noun, _)| noun);
        matches!(
            noun,
            Some("organization" | "member" | "role" | "team" | "api_key")
        )
    }
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Change {
    /// What.
    pub kind: ChangeKind,
    /// The row it happened to.
    pub subject: Uuid,
    /// The event concerned.
    pub event: Option<EventId>,
    /// The patron concerned.
    pub patron: Option<PatronId>,
    /// When, if not at the commit.
    pub occurred_at: Option<DateTime<Utc>>,
    /// What a reader of the log needs besides, an object.
    pub data: Json,
}

impl Change {
    /// Something that happened to the row `subject` just now.
    pub fn new(kind: ChangeKind, subject: impl Into<Uuid>) -> Self {
        Self {
            kind,
            subject: subject.into(),
            event: None,
            patron: None,
            occurred_at: None,
            data: json!({}),
        }
    }

    /// At this event.
    #[must_use]
    pub fn at(mut self, event: EventId) -> Self {
        self.event = Some(event);
        self
    }

    /// To this patron.
    #[must_use]
    pub fn of(mut self, patron: PatronId) -> Self {
        self.patron = Some(patron);
        self
    }

    /// At this time.
    #[must_use]
    pub fn when(mut self, occurred_at: DateTime<Utc>) -> Self {
        self.occurred_at = Some(occurred_at);
        self
    }

    /// With this besides.
    #[must_use]
    pub fn with(mut self, data: Json) -> Self {
        self.data = data;
        self
    }
}
