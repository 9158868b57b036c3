//! Further roles of a member, beside their primary one.

use entity::organizations::member_role;
use sea_orm::{ColumnTrait, QueryFilter, Set};
use serde_json::json;

use super::{
    access,
    member::{self, Member, MemberId},
    role,
};
use crate::{Change, ChangeKind, Code, Error, Result, Writer, permission::MembersUpdate};

/// Further roles of a member at most.
const MOST: u64 = 20;

/// Grants a member a further role, from their very next request. One that they hold already stays.
///
/// # Errors
/// A refusal for a member who is not there or above the caller, and for a role that the caller cannot
/// grant.
pub async fn grant(writer: Writer<MembersUpdate>, id: MemberId, slug: &str) -> Result<Member> {
    access::lock(&writer).await?;
    let member = member::subject(&writer, id).await?;
    let role = role::grantable(&writer, slug, "role").await?;
    if member.role == role.slug || holds(&writer, id, Some(slug)).await? > 0 {
        return Ok(member);
    }
    if holds(&writer, id, None).await? >= MOST {
        return Err(Error::refused(
            Code::TooLong,
            "role",
            format!("A member has at most {MOST} further roles. Make one that permits as much."),
        ));
    }
    writer
        .insert(member_role::ActiveModel {
            member_id: Set(id),
            role: Set(role.slug),
            created_at: Set(writer.scope().clock().now()),
            ..Default::default()
        })
        .await?;
    let change = Change::new(ChangeKind::MemberRoleGranted, id)
        .with(json!({ "userId": member.user_id.uuid(), "role": slug }));
    writer.commit(change).await?;
    Ok(member)
}

/// Takes a further role from a member, from their very next request. One that they do not hold is no
/// error.
///
/// # Errors
/// As [`grant`].
pub async fn withdraw(writer: Writer<MembersUpdate>, id: MemberId, slug: &str) -> Result<Member> {
    access::lock(&writer).await?;
    let member = member::subject(&writer, id).await?;
    role::grantable(&writer, slug, "role").await?;
    let removal = writer
        .removal::<member_role::Entity>()
        .filter(member_role::Column::MemberId.eq(id.uuid()))
        .filter(member_role::Column::Role.eq(slug));
    if writer.delete(removal).await? == 0 {
        return Ok(member);
    }
    let change = Change::new(ChangeKind::MemberRoleWithdrawn, id)
        .with(json!({ "userId": member.user_id.uuid(), "role": slug }));
    writer.commit(change).await?;
    Ok(member)
}

/// How many further roles a member holds, or whether they hold this one.
async fn holds<P>(writer: &Writer<P>, id: MemberId, slug: Option<&str>) -> Result<u64> {
    let mut select = writer
        .find::<member_role::Entity>()
        .filter(member_role::Column::MemberId.eq(id.uuid()));
    if let Some(slug) = slug {
        select = select.filter(member_role::Column::Role.eq(slug));
    }
    writer.count(select, MOST).await
}
