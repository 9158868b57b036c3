//! Who answers for an organization: one member, at any moment.

use entity::organizations::{member, organization};
use sea_orm::{ColumnTrait, ExprTrait, QueryFilter};
use serde_json::json;

use super::{access, member::MemberId, organization::Organization};
use crate::{
    BuiltInRole, Change, ChangeKind, Code, Error, Permission, Result, Writer,
    permission::OrganizationTransfer, scope::Fresh,
};

/// Makes a member the owner in the present owner's place, who goes on as an admin. One who is the
/// owner already stays so.
///
/// # Errors
/// A refusal when there is no such member; [`Error::Forbidden`] when the caller has just given the
/// organization away.
pub async fn transfer(
    writer: Writer<OrganizationTransfer>,
    fresh: Fresh,
    heir: MemberId,
) -> Result<Organization> {
    // Read under the lock, because another transfer may just have been made.
    let organization = access::lock(&writer).await?;
    let owners = member::Column::UserId.eq(organization.owner_id.uuid());
    let concerned = writer
        .find::<member::Entity>()
        .filter(owners.or(member::Column::Id.eq(heir.uuid())));
    let concerned = writer.all(concerned).await?;
    let heir = concerned.iter().find(|member| member.id == heir);
    let stranger = || {
        Error::refused(
            Code::NotFound,
            "memberId",
            "The organization has no such member.",
        )
    };
    let heir = heir.ok_or_else(stranger)?;
    let owner = concerned
        .iter()
        .find(|member| member.user_id == organization.owner_id)
        .ok_or_else(|| Error::Internal("an organization whose owner is no member".to_owned()))?;
    // Whoever lost the organization while they waited for the lock gives it to nobody.
    let caller = fresh.viewer().user();
    if caller != owner.user_id || writer.scope().author().user() != Some(caller) {
        return Err(Error::Forbidden(Permission::OrganizationTransfer));
    }
    if heir.id == owner.id {
        return Ok(organization);
    }
    // Whoever just closed their account owns nothing, and closes none from here on.
    if !writer.keep_account(heir.user_id).await? {
        return Err(stranger());
    }
    let now = writer.scope().clock().now();
    let mut changes = vec![
        Change::new(ChangeKind::OwnershipTransferred, organization.id)
            .with(json!({ "from": owner.user_id.uuid(), "to": heir.user_id.uuid() })),
    ];
    for (member, role) in [(owner, BuiltInRole::Admin), (heir, BuiltInRole::Owner)] {
        let update = writer
            .change::<member::Entity>()
            .set(member::Column::Role, role.slug())
            .set(member::Column::UpdatedAt, now)
            .filter(member::Column::Id.eq(member.id.uuid()));
        writer.update(update).await?;
        changes.push(
            Change::new(ChangeKind::MemberRoleChanged, member.id).with(json!({
                "userId": member.user_id.uuid(), "from": member.role, "to": role.slug(),
            })),
        );
    }
    let update = writer
        .change::<organization::Entity>()
        .set(organization::Column::OwnerId, heir.user_id.uuid())
        .set(organization::Column::UpdatedAt, now);
    writer.update(update).await?;
    writer.commit_all(changes).await?;
    Ok(Organization {
        owner_id: heir.user_id,
        updated_at: now,
        ..organization
    })
}
