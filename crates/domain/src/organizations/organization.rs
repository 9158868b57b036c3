//! Organizations.

use std::ops::RangeInclusive;

use entity::{
    live::counter,
    organizations::{organization, role},
};
use sea_orm::Set;
use serde_json::{Value as Json, json};

pub use entity::organizations::organization::{Model as Organization, OrganizationId, Status};

use super::{metadata, slug, time_zone};
use crate::{
    BuiltInRole, Change, ChangeKind, Code, Error, Problem, Reader, Result, System, Viewer, Writer,
    permission::{OrganizationRead, OrganizationUpdate},
    text,
};

/// Slugs by chance that are tried when nobody gives one, and the name's own is taken.
const ATTEMPTS: usize = 5;
/// Days for which entries of the audit log can be kept. The database removes nothing younger than the
/// first.
const AUDIT_RETENTION: RangeInclusive<i32> = 90..=3650;
/// Days for which they are kept unless told otherwise.
const AUDIT_RETENTION_AT_FIRST: i32 = 365;

/// What founding an organization takes.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    /// 1 to 100 characters.
    pub name: String,
    /// Its address; made from the name when none is given.
    pub slug: Option<String>,
    /// IANA zone.
    pub time_zone: String,
}

/// What of an organization is to change; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct OrganizationPatch {
    /// 1 to 100 characters.
    pub name: Option<String>,
    /// Its address.
    pub slug: Option<String>,
    /// IANA zone.
    pub time_zone: Option<String>,
    /// An object of at most 16 KiB, which replaces the present one.
    pub metadata: Option<Json>,
    /// Days for which entries of the audit log are kept: 90 to 3650.
    pub audit_retention_days: Option<i32>,
}

/// Founds an organization. The viewer becomes its owner and acts in it from now on.
///
/// # Errors
/// A refusal naming every field that is wrong or taken.
pub async fn create(viewer: &Viewer, input: NewOrganization) -> Result<Organization> {
    // Nobody is a member of what does not exist yet, so Rollcall itself founds it, on their behalf.
    let system = System::new(&viewer.db, "found an organization");
    let name = check(&system, &input).await?;
    let mut address = match &input.slug {
        Some(slug) => slug.clone(),
        None => slug::suggest(&name)?,
    };
    let mut founded = found(viewer, &system, &name, &address, &input.time_zone).await;
    for _ in 0..ATTEMPTS {
        match &founded {
            Err(error) if input.slug.is_none() && error.is_taken() => {
                address = slug::vary(&name)?;
                founded = found(viewer, &system, &name, &address, &input.time_zone).await;
            }
            _ => break,
        }
    }
    let organization = founded?;
    crate::identity::session::activate(viewer, organization.id).await?;
    Ok(organization)
}

/// Founds it at one address, which is taken if the table's key says so.
async fn found(
    viewer: &Viewer,
    system: &System,
    name: &str,
    address: &str,
    time_zone: &str,
) -> Result<Organization> {
    let id = OrganizationId::random();
    let scope = system.scope_for(viewer, id);
    let writer = scope.writer::<OrganizationUpdate>().await?;
    if !writer.keep_account(viewer.user()).await? {
        return Err(Error::Unauthenticated);
    }
    let now = viewer.clock().now();
    let organization = writer.insert(organization::ActiveModel {
        id: Set(id),
        name: Set(name.to_owned()),
        slug: Set(address.to_owned()),
        owner_id: Set(viewer.user()),
        status: Set(Status::Trial),
        time_zone: Set(time_zone.to_owned()),
        metadata: Set(json!({})),
        access_version: Set(0),
        audit_retention_days: Set(AUDIT_RETENTION_AT_FIRST),
        second_factor: Set(String::new()),
        created_at: Set(now),
        updated_at: Set(now),
    });
    let organization = organization.await.map_err(slug::or_taken)?;
    let row = writer.insert(slug::row(address, now)).await;
    row.map_err(slug::or_taken)?;
    let roles = BuiltInRole::ALL.iter().map(|role| role::ActiveModel {
        organization_id: Set(id),
        slug: Set(role.slug().to_owned()),
        name: Set(role.name().to_owned()),
        built_in: Set(true),
        description: Set(String::new()),
        permissions: Set(String::new()),
        created_at: Set(now),
    });
    writer.insert_all(roles.collect()).await?;
    writer
        .insert(super::member::row(
            viewer.user(),
            BuiltInRole::Owner.slug(),
            now,
        ))
        .await?;
    writer
        .insert(counter::ActiveModel {
            organization_id: Set(id),
            last_sequence: Set(0),
            last_entry: Set(0),
            ..Default::default()
        })
        .await?;
    writer
        .commit(Change::new(ChangeKind::OrganizationCreated, id))
        .await?;
    Ok(organization)
}

/// Checks what founding an organization takes, and gives its name.
///
/// # Errors
/// A refusal naming every field that is wrong or taken.
pub async fn check(system: &System, input: &NewOrganization) -> Result<String> {
    let mut problems = Vec::new();
    let name = text::required(&mut problems, "name", &input.name, 100);
    if let Some(slug) = &input.slug {
        problems.extend(slug::check(slug).err());
    }
    problems.extend(time_zone::check(&input.time_zone).err());
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    if let Some(slug) = &input.slug {
        slug::require_free(system, slug).await?;
    }
    Ok(name)
}

/// The scope's own organization.
pub async fn load(reader: &Reader<OrganizationRead>) -> Result<Organization> {
    reader.required(reader.find::<organization::Entity>()).await
}

/// Changes an organization.
///
/// # Errors
/// A refusal naming every field that is wrong or taken.
pub async fn update(
    writer: Writer<OrganizationUpdate>,
    patch: OrganizationPatch,
) -> Result<Organization> {
    let mut problems = Vec::new();
    let mut update = writer.change::<organization::Entity>();
    if let Some(name) = patch.name {
        update = update.set(
            organization::Column::Name,
            text::required(&mut problems, "name", &name, 100),
        );
    }
    if let Some(zone) = patch.time_zone {
        problems.extend(time_zone::check(&zone).err());
        update = update.set(organization::Column::TimeZone, zone);
    }
    if let Some(metadata) = patch.metadata {
        metadata::check(&mut problems, &metadata);
        update = update.set(organization::Column::Metadata, metadata);
    }
    if let Some(days) = patch.audit_retention_days {
        if !AUDIT_RETENTION.contains(&days) {
            problems.push(Problem::new(
                Code::Invalid,
                "auditRetentionDays",
                "The audit log is kept for 90 to 3650 days.",
            ));
        }
        update = update.set(organization::Column::AuditRetentionDays, days);
    }
    if let Some(address) = &patch.slug {
        problems.extend(slug::check(address).err());
        update = update.set(organization::Column::Slug, address.clone());
    }
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    let id = writer.scope().organization();
    let now = writer.scope().clock().now();
    if let Some(address) = &patch.slug {
        slug::move_to(&writer, address, now).await?;
    }
    writer
        .update(update.set(organization::Column::UpdatedAt, now))
        .await?;
    let organization = writer
        .required(writer.find::<organization::Entity>())
        .await?;
    writer
        .commit(Change::new(ChangeKind::OrganizationUpdated, id))
        .await?;
    Ok(organization)
}
