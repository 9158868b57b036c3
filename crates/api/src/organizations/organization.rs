//! Organizations.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Json, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    identity::session,
    organizations::{
        organization::{self, NewOrganization, OrganizationPatch},
        ownership, second_factor,
    },
    permission::{MembersRead, OrganizationRead, OrganizationTransfer, OrganizationUpdate},
};

use super::second_factor::SecondFactorRequirement;
use crate::{
    error::{Result, nullable},
    id,
    identity::user::{User, UserById},
    operation::Operation,
    requires::Requires,
    user_error::{Settled, UserError, payload},
};

/// An organization: whose events, patrons and members these are.
#[derive(Clone)]
pub struct Organization(Arc<organization::Organization>);

/// What an organization may do at present.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "organization::Status")]
pub enum OrganizationStatus {
    /// Trying the product; everything works.
    Trial,
    /// In good standing.
    Active,
    /// Can be read, not changed.
    Suspended,
    /// Closed by its owner; can be read, not changed.
    Cancelled,
}

/// What founding an organization takes.
#[derive(InputObject)]
pub struct CreateOrganizationInput {
    /// 1 to 100 characters.
    name: String,
    /// Its address: 3 to 63 lower-case letters, digits and single hyphens. Made from the name when
    /// none is given.
    slug: Option<String>,
    /// IANA time zone.
    #[graphql(default = "UTC")]
    time_zone: String,
}

/// What of the organization is to change; what is left out stays.
#[derive(InputObject)]
pub struct UpdateOrganizationInput {
    /// 1 to 100 characters.
    name: Option<String>,
    /// Its address.
    slug: Option<String>,
    /// IANA time zone.
    time_zone: Option<String>,
    /// Its own facts: an object of at most 16 KiB, which replaces the present one.
    metadata: Option<Json<serde_json::Value>>,
    /// Days for which entries of the audit log are kept, at least: 90 to 3650.
    audit_retention_days: Option<i32>,
}

/// Which organization to act in.
#[derive(InputObject)]
pub struct ActivateOrganizationInput {
    /// One the viewer belongs to.
    organization_id: ID,
}

/// What making another member the owner takes.
#[derive(InputObject)]
pub struct TransferOwnershipInput {
    /// Who is to be the owner.
    member_id: ID,
}

/// What became of a change to an organization.
#[derive(SimpleObject)]
pub struct OrganizationPayload {
    /// The organization after it.
    organization: Option<Organization>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Queries about the request's organization.
#[derive(Default)]
pub struct OrganizationQuery;

/// Mutations of organizations.
#[derive(Default)]
pub struct OrganizationMutation;

#[Object]
impl OrganizationQuery {
    /// The organization that the request acts in: the session's active one, or the one that the
    /// header `Rollcall-Organization` names by its slug. Null where there is none.
    #[graphql(directive = Requires::apply(OrganizationRead))]
    async fn organization(&self, context: &Context<'_>) -> Option<Result<Organization>> {
        nullable(load(Operation::of(context)).await)
    }
}

#[Object]
impl OrganizationMutation {
    /// Founds an organization. The viewer owns it and acts in it from now on.
    async fn create_organization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What it is.")] input: CreateOrganizationInput,
    ) -> Option<Result<OrganizationPayload>> {
        let operation = Operation::of(context);
        let input = NewOrganization {
            name: input.name,
            slug: input.slug,
            time_zone: input.time_zone,
        };
        payload(async {
            let organization = organization::create(&operation.require_viewer()?, input).await?;
            operation.act_in(organization.id)?;
            Ok(organization.into())
        })
        .await
    }

    /// Changes the request's organization.
    #[graphql(directive = Requires::apply(OrganizationUpdate))]
    async fn update_organization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateOrganizationInput,
    ) -> Option<Result<OrganizationPayload>> {
        let patch = OrganizationPatch {
            name: input.name,
            slug: input.slug,
            time_zone: input.time_zone,
            metadata: input.metadata.map(|metadata| metadata.0),
            audit_retention_days: input.audit_retention_days,
        };
        payload(async {
            let writer = Operation::of(context).writer().await?;
            organization::update(writer, patch)
                .await
                .map(Organization::from)
        })
        .await
    }

    /// Makes another member the owner, from their very next request. The viewer goes on as an admin.
    /// Needs a fresh session: see `confirmPassword`.
    #[graphql(directive = Requires::apply(OrganizationTransfer))]
    async fn transfer_ownership(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose it is to be.")] input: TransferOwnershipInput,
    ) -> Option<Result<OrganizationPayload>> {
        payload(async {
            let operation = Operation::of(context);
            let writer = operation.writer().await?;
            let fresh = operation.require_viewer()?.fresh()?;
            let heir = id::decode(&input.member_id, "memberId")?;
            ownership::transfer(writer, fresh, heir)
                .await
                .map(Organization::from)
        })
        .await
    }

    /// Makes an organization of the viewer's the one that this session acts in.
    async fn activate_organization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ActivateOrganizationInput,
    ) -> Option<Result<OrganizationPayload>> {
        let operation = Operation::of(context);
        payload(async {
            let id = id::decode(&input.organization_id, "organizationId")?;
            session::activate(&operation.require_viewer()?, id).await?;
            operation.act_in(id)?;
            load(operation).await
        })
        .await
    }
}

/// An organization: whose events, patrons and members these are.
#[Object]
impl Organization {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Its name.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Its address, for the header `Rollcall-Organization`.
    fn slug(&self) -> &str {
        &self.0.slug
    }

    /// What it may do at present.
    fn status(&self) -> OrganizationStatus {
        self.0.status.into()
    }

    /// IANA time zone used where an event names none.
    fn time_zone(&self) -> &str {
        &self.0.time_zone
    }

    /// Its own facts, an object.
    fn metadata(&self) -> Json<&serde_json::Value> {
        Json(&self.0.metadata)
    }

    /// Days for which entries of the audit log are kept, at least.
    fn audit_retention_days(&self) -> i32 {
        self.0.audit_retention_days
    }

    /// What people can do there only in a session in which they gave a second factor.
    fn second_factor_requirement(&self) -> SecondFactorRequirement {
        second_factor::of(&self.0).into()
    }

    /// The one owner; null for an organization other than the request's.
    #[graphql(directive = Requires::apply(MembersRead))]
    async fn owner(&self, context: &Context<'_>) -> Option<Result<User>> {
        let operation = Operation::of(context);
        let scope = match nullable(operation.scope().await)? {
            Ok(scope) => scope,
            Err(fault) => return Some(Err(fault)),
        };
        if scope.organization() != self.0.id {
            return None;
        }
        operation
            .load::<UserById>(self.0.owner_id)
            .await
            .transpose()
    }

    /// When it was founded.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

impl From<organization::Organization> for Organization {
    fn from(row: organization::Organization) -> Self {
        Self(Arc::new(row))
    }
}

impl From<Settled<Organization>> for OrganizationPayload {
    fn from(settled: Settled<Organization>) -> Self {
        Self {
            organization: settled.value,
            errors: settled.errors,
        }
    }
}

/// The organization that the operation acts in.
///
/// # Errors
/// Those of [`Operation::reader`].
pub async fn load(operation: &Operation) -> domain::Result<Organization> {
    organization::load(&operation.reader().await?)
        .await
        .map(Organization::from)
}
