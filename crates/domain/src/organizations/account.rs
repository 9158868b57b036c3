//! The end of an account. What a person belongs to ends with it, and what they did stays.
//!
//! | when | what | how |
//! |---|---|---|
//! | at once | sessions and mailed tokens; nobody can sign in | [`delete`], in one transaction |
//! | a moment later | each membership, in its organization's own transaction and log | [`end`], a job |
//! | after 30 days | names, addresses, and who it was in the audit logs | [`purge`] |
//!
//! Organizations are bound one at a time, and each has a log whose end is locked up to the commit: one
//! transaction over all of a person's would hold up the doors of all. Every door asks for the account,
//! so that access is gone with the first step.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    audit::entry,
    identity::{account_token, session as sessions, user},
    jobs::mail,
    organizations::member,
    patrons::patron,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    Set, sea_query::LockType,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    access,
    member::{self as members, MemberId},
    slug,
};
use crate::{
    BuiltInRole, Change, ChangeKind, Code, Error, Result, Scope, System, Writer,
    identity::{account_log, linked_account, second_factor, session, user as accounts},
    mail::{Kind, Mail},
    permission::{MembersDelete, OrganizationUpdate},
    scope::{Fresh, Own},
};

/// The job that ends a membership of somebody who closed their account.
pub const END: &str = "member.end";
/// How long an account is only closed, so that whoever runs the service can undo it.
const KEPT: TimeDelta = TimeDelta::days(30);
/// Accounts purged at a time.
const SIZE: u64 = 100;

/// Closes the viewer's account. All its sessions end, and what it belongs to a moment later.
///
/// # Errors
/// A refusal while they own an organization, naming it.
pub async fn delete(fresh: Fresh) -> Result<()> {
    let viewer = fresh.viewer();
    let own = viewer.begin(true).await?;
    // From here on nobody gives them anything: see `Writer::keep_account`.
    let account = session::lock(&own, viewer).await?;
    let memberships = own.all(own.find::<member::Entity>()).await?;
    refuse_owner(&own, &memberships).await?;
    let ended = accounts::close(&own, viewer).await?;
    for membership in memberships {
        let id = membership.id.uuid();
        own.enqueue(membership.organization_id, END, id).await?;
    }
    let told = Mail::new(Kind::AccountClosed, account.email);
    own.mail(told.about(viewer.user())).await?;
    account_log::done(&own, viewer, account_log::Kind::Deleted).await?;
    own.commit().await?;
    for session in ended {
        viewer.db.end_session(session.id);
    }
    Ok(())
}

/// Ends a membership of a closed account; one that has ended is left alone.
///
/// # Errors
/// [`Error::Internal`] for an owner's, which ends with a transfer alone.
pub async fn end(scope: &Scope, id: MemberId) -> Result<()> {
    let writer = scope.writer::<MembersDelete>().await?;
    match access::lock(&writer).await {
        Err(Error::NotFound) => return Ok(()),
        locked => locked?,
    };
    let which = writer
        .find::<member::Entity>()
        .filter(member::Column::Id.eq(id.uuid()));
    let Some(member) = writer.one(which).await? else {
        return Ok(());
    };
    if member.role == BuiltInRole::Owner.slug() {
        let text = format!("the account that owns {} is closed", scope.organization());
        return Err(Error::Internal(text));
    }
    unlink(&writer, vec![member.user_id.uuid()]).await?;
    members::end(writer, member, ChangeKind::MemberLeft).await?;
    Ok(())
}

/// Takes out of up to [`SIZE`] accounts that were closed long enough ago whatever says who it was, frees
/// their names and addresses, and gives how many. What they did stays, by nobody who could be named.
/// What a stop interrupts is done again as a whole.
pub async fn purge(system: &System) -> Result<u64> {
    let now = system.clock().now();
    let transaction = system.begin(false).await?;
    let due = user::Entity::find()
        .filter(due(now))
        .order_by_asc(user::Column::DeletedAt)
        .limit(SIZE)
        .all(&*transaction)
        .await?;
    drop(transaction);
    let users: Vec<Uuid> = due.iter().map(|user| user.id.uuid()).collect();
    if users.is_empty() {
        return Ok(0);
    }
    let (mut address, mut done) = (String::new(), HashSet::new());
    loop {
        let some = slug::after(system, &address).await?;
        let Some((last, _)) = some.last() else { break };
        address.clone_from(last);
        for (_, organization) in some {
            if done.insert(organization) {
                forget_in(&system.scope(organization), &users).await?;
            }
        }
    }
    let mut purged = 0;
    for user in due {
        purged += u64::from(anonymize(system, user, now).await?);
    }
    Ok(purged)
}

/// What is true of accounts that are to be purged at this time.
fn due(now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(user::Column::DeletedAt.lt(now - KEPT))
        .add(user::Column::PurgedAt.is_null())
}

async fn refuse_owner(own: &Own, memberships: &[member::Model]) -> Result<()> {
    let owned = memberships
        .iter()
        .filter(|member| member.role == BuiltInRole::Owner.slug());
    let owned: Vec<Uuid> = owned.map(|member| member.organization_id.uuid()).collect();
    if owned.is_empty() {
        return Ok(());
    }
    let owned = own.organizations(owned).await?;
    let mut names: Vec<&str> = owned.iter().map(|row| &*row.name).collect();
    names.sort_unstable();
    Err(Error::refused(
        Code::LastOwner,
        "",
        format!(
            "You own {}. Make another member the owner first, with transferOwnership.",
            names.join(", ")
        ),
    ))
}

/// Those whom an organization knows by these accounts stay, without them.
async fn unlink<P>(writer: &Writer<P>, users: Vec<Uuid>) -> Result<u64> {
    let among = writer.any(patron::Column::UserId, users).await?;
    let update = writer
        .change::<patron::Entity>()
        .set(patron::Column::UserId, None::<Uuid>)
        .filter(among);
    writer.update(update).await
}

/// Ends what an organization has of these accounts, and takes them out of its audit log. The chain
/// holds: see `scope::chain`.
async fn forget_in(scope: &Scope, users: &[Uuid]) -> Result<()> {
    let writer = scope.writer::<OrganizationUpdate>().await?;
    let among = writer.any(member::Column::UserId, users.to_vec()).await?;
    let left = writer.find::<member::Entity>().filter(among);
    let left = writer.all(left).await?;
    if !left.is_empty() {
        drop(writer);
        for member in left {
            end(scope, member.id).await?;
        }
        return Box::pin(forget_in(scope, users)).await;
    }
    let unlinked = unlink(&writer, users.to_vec()).await?;
    let among = writer.any(entry::Column::ActorId, users.to_vec()).await?;
    let update = writer
        .change::<entry::Entity>()
        .set(entry::Column::ActorId, None::<Uuid>)
        .set(entry::Column::Address, None::<String>)
        .set(entry::Column::UserAgent, None::<String>)
        .set(entry::Column::PersonalSalt, None::<Uuid>)
        .filter(among);
    let erased = writer.update(update).await?;
    if unlinked + erased == 0 {
        return Ok(());
    }
    let change = Change::new(ChangeKind::AuditErased, scope.organization())
        .with(json!({ "entries": erased, "patrons": unlinked }));
    writer.commit(change).await
}

/// Leaves of an account what others' history hangs on: its id. Whether it was still to be done.
async fn anonymize(system: &System, user: user::Model, now: DateTime<Utc>) -> Result<bool> {
    let transaction = system.begin(true).await?;
    let still = user::Entity::find_by_id(user.id)
        .filter(due(now))
        .lock(LockType::NoKeyUpdate);
    if still.one(&*transaction).await?.is_none() {
        return Ok(false);
    }
    let name = format!("closed_{}", Uuid::new_v4().simple());
    let update = user::ActiveModel {
        id: Set(user.id),
        username: Set(name.clone()),
        username_key: Set(name.clone()),
        // No mail is sent there, by anybody (RFC 2606).
        email: Set(format!("{name}@closed.invalid")),
        email_verified_at: Set(None),
        // No password has it.
        password_hash: Set("!".to_owned()),
        first_name: Set("Closed".to_owned()),
        last_name: Set("account".to_owned()),
        phone: Set(None),
        avatar_url: Set(None),
        locale: Set("en".to_owned()),
        updated_at: Set(now),
        purged_at: Set(Some(now)),
        ..Default::default()
    };
    update.update(&*transaction).await?;
    sessions::Entity::delete_many()
        .filter(sessions::Column::UserId.eq(user.id))
        .exec(&*transaction)
        .await?;
    account_token::Entity::delete_many()
        .filter(account_token::Column::UserId.eq(user.id))
        .exec(&*transaction)
        .await?;
    account_log::forget(&transaction, user.id).await?;
    let letters = Condition::any()
        .add(mail::Column::UserId.eq(user.id))
        .add(mail::Column::Recipient.eq(user.email));
    mail::Entity::delete_many()
        .filter(letters)
        .exec(&*transaction)
        .await?;
    let own = transaction.of(user.id);
    second_factor::forget(&own).await?;
    linked_account::forget(&own).await?;
    own.commit().await?;
    Ok(true)
}
