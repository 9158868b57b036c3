//! Every permission, and what each built-in role holds.
//!
//! A permission is a line of [`permissions!`] below: the type names it in signatures
//! (`Writer<EventsUpdate>`), the text names it on the wire (`events:update`).

mod requirement;

use std::fmt;

pub use requirement::Requirement;

/// A type that stands for one permission.
pub trait Grant: Send + Sync + 'static {
    /// The permission it stands for.
    const PERMISSION: Permission;
}

macro_rules! permissions {
    ($($(#[$doc:meta])+ $name:ident = $text:literal,)+) => {
        /// What someone may do in an organization, as `resource:action` (schema source 002).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Permission { $($(#[$doc])+ $name,)+ }

        impl Permission {
            /// All of them, in the golden table's order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The permission on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }

        $(
            $(#[$doc])+
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl Grant for $name {
                const PERMISSION: Permission = Permission::$name;
            }
        )+
    };
}

permissions! {
    /// See the organization itself.
    OrganizationRead = "organization:read",
    /// Change its name, slug, zone and metadata.
    OrganizationUpdate = "organization:update",
    /// Make another member its owner.
    OrganizationTransfer = "organization:transfer",
    /// See who has access, and the roles.
    MembersRead = "members:read",
    /// Give someone access.
    MembersCreate = "members:create",
    /// Change someone's role.
    MembersUpdate = "members:update",
    /// Take access away.
    MembersDelete = "members:delete",
    /// See who is invited.
    InvitationsRead = "invitations:read",
    /// Invite people.
    InvitationsCreate = "invitations:create",
    /// Take invitations back.
    InvitationsDelete = "invitations:delete",
    /// Make roles.
    RolesCreate = "roles:create",
    /// Change what roles permit.
    RolesUpdate = "roles:update",
    /// Remove roles.
    RolesDelete = "roles:delete",
    /// See teams, and who is in them.
    TeamsRead = "teams:read",
    /// Make teams.
    TeamsCreate = "teams:create",
    /// Change teams, who is in them, and which roles come with them.
    TeamsUpdate = "teams:update",
    /// Remove teams.
    TeamsDelete = "teams:delete",
    /// See API keys, but never their secrets.
    ApiKeysRead = "api_keys:read",
    /// Make API keys.
    ApiKeysCreate = "api_keys:create",
    /// Rename API keys, give them another secret, and answer for them.
    ApiKeysUpdate = "api_keys:update",
    /// Revoke API keys.
    ApiKeysDelete = "api_keys:delete",
    /// See who did what, and was denied what.
    AuditRead = "audit:read",
    /// See events.
    EventsRead = "events:read",
    /// Make events.
    EventsCreate = "events:create",
    /// Change, publish, cancel and close events.
    EventsUpdate = "events:update",
    /// See patrons.
    PatronsRead = "patrons:read",
    /// Add patrons.
    PatronsCreate = "patrons:create",
    /// Change patrons.
    PatronsUpdate = "patrons:update",
    /// Remove patrons.
    PatronsDelete = "patrons:delete",
    /// See who registered, came and left, and follow it live.
    AttendanceRead = "attendance:read",
    /// Register patrons and cancel registrations.
    AttendanceRegister = "attendance:register",
    /// Check in and out, and undo it.
    AttendanceRecord = "attendance:record",
    /// See points, tiers and the ledger.
    LoyaltyRead = "loyalty:read",
    /// See imports.
    ImportsRead = "imports:read",
    /// Bring people and attendance in from a file.
    ImportsCreate = "imports:create",
}

impl Permission {
    /// The permission that `text` names, if any.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|permission| permission.as_str() == text)
    }

    /// Whether it is the owner's alone: no role of an organization's own can permit it.
    #[must_use]
    pub const fn is_the_owners(self) -> bool {
        matches!(self, Self::OrganizationTransfer)
    }

    /// Whether it takes a person, who answers for it or gives their password: no API key can have it.
    #[must_use]
    pub const fn is_a_persons(self) -> bool {
        matches!(
            self,
            Self::OrganizationTransfer
                | Self::InvitationsCreate
                | Self::ApiKeysCreate
                | Self::ApiKeysUpdate
        )
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u64);

impl Permissions {
    /// Everything there is.
    #[must_use]
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// What the roles of somebody permit together. Each is its slug and, for one of the organization's
    /// own, its permissions with blanks before them; commas stand between roles:
    /// `checkin ,treasurer loyalty:read members:read`.
    #[must_use]
    pub fn of_roles(roles: &str) -> Self {
        roles.split(',').fold(Self::default(), |held, role| {
            let (slug, permissions) = role.split_once(' ').unwrap_or((role, ""));
            held.and(Self::of_role(slug, permissions))
        })
    }

    /// What a role permits: by its slug, if it is built in, or else these, with blanks between them. One
    /// that this release does not know is permitted to nobody.
    #[must_use]
    pub fn of_role(slug: &str, permissions: &str) -> Self {
        match BuiltInRole::parse(slug) {
            Some(role) => role.permissions(),
            None => Self::of_names(permissions),
        }
    }

    /// The permissions of these names, with blanks between them. One that this release does not know is
    /// permitted to nobody.
    #[must_use]
    pub fn of_names(names: &str) -> Self {
        names.split(' ').filter_map(Permission::parse).collect()
    }

    /// Their names, with blanks between them.
    #[must_use]
    pub fn names(self) -> String {
        let names: Vec<&str> = self.iter().map(Permission::as_str).collect();
        names.join(" ")
    }

    /// Everything of both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether `permission` is in the set.
    #[must_use]
    pub fn has(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u64) != 0
    }

    /// Whether everything of `other` is in the set too.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The members of the set, in the golden table's order.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL
            .iter()
            .copied()
            .filter(move |permission| self.has(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(
            permissions
                .into_iter()
                .fold(0, |set, permission| set | 1 << permission as u64),
        )
    }
}

/// A role that comes with every organization and cannot be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltInRole {
    /// The one who answers for the organization.
    Owner,
    /// Runs it on the owner's behalf.
    Admin,
    /// Plans events and looks after patrons.
    Organizer,
    /// Stands at the door.
    CheckIn,
    /// Sees everything, changes nothing.
    Viewer,
    /// Belongs, and sees what is on.
    Member,
}

impl BuiltInRole {
    /// All of them, from most to least.
    pub const ALL: &'static [Self] = &[
        Self::Owner,
        Self::Admin,
        Self::Organizer,
        Self::CheckIn,
        Self::Viewer,
        Self::Member,
    ];

    /// Its slug in `roles`.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Organizer => "organizer",
            Self::CheckIn => "checkin",
            Self::Viewer => "viewer",
            Self::Member => "member",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "Owner",
            Self::Admin => "Admin",
            Self::Organizer => "Organizer",
            Self::CheckIn => "Check-in",
            Self::Viewer => "Viewer",
            Self::Member => "Member",
        }
    }

    /// The role behind a slug, if it is built in.
    #[must_use]
    pub fn parse(slug: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.slug() == slug)
    }

    /// What it permits. Owner ⊃ admin ⊃ organizer ⊃ checkin ⊃ member; viewer stands apart.
    #[must_use]
    pub fn permissions(self) -> Permissions {
        use Permission as P;
        let own: &[Permission] = match self {
            Self::Owner => return Permissions::all(),
            Self::Admin => &[
                P::OrganizationUpdate,
                P::MembersCreate,
                P::MembersUpdate,
                P::MembersDelete,
                P::InvitationsRead,
                P::InvitationsCreate,
                P::InvitationsDelete,
                P::RolesCreate,
                P::RolesUpdate,
                P::RolesDelete,
                P::TeamsCreate,
                P::TeamsUpdate,
                P::TeamsDelete,
                P::ApiKeysRead,
                P::ApiKeysCreate,
                P::ApiKeysUpdate,
                P::ApiKeysDelete,
                P::AuditRead,
            ],
            Self::Organizer => &[
                P::MembersRead,
                P::TeamsRead,
                P::EventsCreate,
                P::EventsUpdate,
                P::PatronsCreate,
                P::PatronsUpdate,
                P::PatronsDelete,
                P::AttendanceRegister,
                P::LoyaltyRead,
                P::ImportsRead,
                P::ImportsCreate,
            ],
            Self::CheckIn => &[P::PatronsRead, P::AttendanceRead, P::AttendanceRecord],
            Self::Viewer => &[
                P::OrganizationRead,
                P::MembersRead,
                P::TeamsRead,
                P::EventsRead,
                P::PatronsRead,
                P::AttendanceRead,
                P::LoyaltyRead,
                P::ImportsRead,
            ],
            Self::Member => &[P::OrganizationRead, P::EventsRead],
        };
        let below = match self {
            Self::Admin => Some(Self::Organizer),
            Self::Organizer => Some(Self::CheckIn),
            Self::CheckIn => Some(Self::Member),
            _ => None,
        };
        own.iter()
            .copied()
            .chain(
                below
                    .into_iter()
                    .flat_map(|role| role.permissions().iter().collect::<Vec<_>>()),
            )
            .collect()
    }
}
