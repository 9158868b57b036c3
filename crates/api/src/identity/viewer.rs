//! The person who asks.

use async_graphql::{Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use domain::{
    Permission, Permissions,
    identity::{account_log, linked_account, second_factor, session, user},
    organizations::{access, member},
    page::PageRequest,
};

use super::{
    account_log::{AccountEvent, AccountLogFilter},
    linked_account::LinkedAccount,
    second_factor::SecondFactor,
    session::Session,
    user::{Locale, User},
};
use crate::{
    connection::Connection,
    error::Result,
    operation::Operation,
    organizations::{
        held_role::{self, HeldRole},
        organization::Organization,
    },
};

/// The person who asks, on their own account.
pub struct Viewer;

/// Access of the viewer to an organization.
#[derive(SimpleObject)]
pub struct Membership {
    /// The organization.
    organization: Organization,
    /// Slug of their primary role there.
    role: String,
    /// Since when they have access.
    joined_at: DateTime<Utc>,
}

/// Queries about the person who asks.
#[derive(Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// The person who asks; null when nobody is signed in, and for an API key: see `currentApiKey`.
    async fn viewer(&self, context: &Context<'_>) -> Option<Viewer> {
        Operation::of(context).viewer().map(|_| Viewer)
    }
}

/// The person who asks, on their own account.
#[Object]
impl Viewer {
    /// Their account.
    async fn user(&self, context: &Context<'_>) -> Result<User> {
        let viewer = Operation::of(context).require_viewer()?;
        Ok(user::own(&viewer).await?.into())
    }

    /// Whether they proved that their address is theirs: see `verifyEmail`.
    async fn email_verified(&self, context: &Context<'_>) -> Result<bool> {
        let viewer = Operation::of(context).require_viewer()?;
        Ok(user::is_email_verified(&viewer).await?)
    }

    /// What signing in takes besides the password; nothing where they added none.
    async fn second_factors(&self, context: &Context<'_>) -> Result<Vec<SecondFactor>> {
        let viewer = Operation::of(context).require_viewer()?;
        let held = second_factor::list(&viewer).await?;
        Ok(held.into_iter().map(SecondFactor::from).collect())
    }

    /// How many recovery codes they have left, of ten.
    async fn recovery_codes_left(&self, context: &Context<'_>) -> Result<usize> {
        let viewer = Operation::of(context).require_viewer()?;
        Ok(second_factor::recovery::left(&viewer).await?)
    }

    /// Their telephone number.
    async fn phone(&self, context: &Context<'_>) -> Result<Option<String>> {
        let viewer = Operation::of(context).require_viewer()?;
        Ok(user::contact(&viewer).await?.0)
    }

    /// The language of their mails.
    async fn locale(&self, context: &Context<'_>) -> Result<Locale> {
        let viewer = Operation::of(context).require_viewer()?;
        Ok(user::contact(&viewer).await?.1.into())
    }

    /// Where they are signed in, newest first.
    async fn sessions(&self, context: &Context<'_>) -> Result<Vec<Session>> {
        let viewer = Operation::of(context).require_viewer()?;
        let sessions = session::list(&viewer).await?.into_iter();
        Ok(sessions
            .map(|row| Session::new(row, viewer.session()))
            .collect())
    }

    /// What was done to their account, or tried, newest first. Of what is refused to whoever tries, each
    /// instance writes down 10 an hour.
    async fn account_log(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from the front: 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the back: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which events; all when left out.")] filter: Option<AccountLogFilter>,
    ) -> Result<Connection<AccountEvent>> {
        let viewer = Operation::of(context).require_viewer()?;
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let filter = filter.unwrap_or_default().into();
        Ok(account_log::list(&viewer, &filter, &request).await?.into())
    }

    /// Their accounts at outside providers that sign in to this one, oldest first; one at each.
    async fn linked_accounts(&self, context: &Context<'_>) -> Result<Vec<LinkedAccount>> {
        let viewer = Operation::of(context).require_viewer()?;
        let linked = linked_account::list(&viewer).await?.into_iter();
        Ok(linked.map(LinkedAccount::from).collect())
    }

    /// The organizations they belong to, oldest membership first.
    async fn organizations(&self, context: &Context<'_>) -> Result<Vec<Membership>> {
        let viewer = Operation::of(context).require_viewer()?;
        let memberships = member::of_viewer(&viewer).await?.into_iter();
        let membership = |(member, organization): (member::Member, _)| Membership {
            organization: Organization::from(organization),
            role: member.role,
            joined_at: member.joined_at,
        };
        Ok(memberships.map(membership).collect())
    }

    /// Whether they may do this in the request's organization; false where there is none.
    async fn can(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "A permission, like `events:update`. One that is unknown is permitted to nobody."
        )]
        permission: String,
    ) -> Result<bool> {
        let held = permissions(context).await?;
        Ok(Permission::parse(&permission).is_some_and(|permission| held.has(permission)))
    }

    /// The roles that they hold in the request's organization, and through which team: why they may do
    /// what they may; nothing where there is none.
    async fn roles(&self, context: &Context<'_>) -> Result<Vec<HeldRole>> {
        let reader = match Operation::of(context).reader().await {
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            reader => reader?,
        };
        let held = access::of_viewer(&reader).await?;
        Ok(held.into_iter().map(HeldRole::from).collect())
    }

    /// What they may do in the request's organization; nothing where there is none.
    async fn permissions(&self, context: &Context<'_>) -> Result<Vec<&'static str>> {
        Ok(held_role::names(permissions(context).await?))
    }
}

async fn permissions(context: &Context<'_>) -> Result<Permissions> {
    match Operation::of(context).scope().await {
        Ok(scope) => Ok(scope.permissions()),
        Err(error) if error.is_not_found() => Ok(Permissions::default()),
        Err(error) => Err(error.into()),
    }
}
