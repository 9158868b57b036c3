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
    /// Someone was given access.
    MemberAdded = "member.added",
    /// Someone's role changed.
    MemberRoleChanged = "member.role_changed",
    /// Someone lost access.
    MemberRemoved = "member.removed",
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
            Self::MemberAdded => Some("INVITE_TEAM_MEMBER"),
            Self::MemberRemoved => Some("REMOVE_TEAM_MEMBER"),
            _ => None,
        }
    }

    /// Whether it may end somebody's access.
    #[must_use]
    pub const fn ends_access(self) -> bool {
        matches!(
            self,
            Self::MemberRoleChanged | Self::MemberRemoved | Self::OrganizationUpdated
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
