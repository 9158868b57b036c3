//! Which tables belong to a tenant.

use sea_orm::EntityTrait;

/// A table whose every row belongs to one organization.
///
/// `domain::scope` can read and write no other tables on behalf of a tenant, so a new tenant table
/// without this line is unreachable rather than unprotected.
pub trait TenantOwned: EntityTrait {
    /// The column that holds the organization's id.
    const ORGANIZATION: Self::Column;
    /// The column that names the event to which a row belongs, where rows do: whoever acts at one event
    /// alone reads and writes only that event's.
    const EVENT: Option<Self::Column> = None;
}
