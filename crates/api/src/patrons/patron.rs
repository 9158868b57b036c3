//! Patrons.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};
use domain::{
    Scope, loyalty,
    page::PageRequest,
    patrons::patron::{self, PatronId},
    permission::{AttendanceRead, LoyaltyRead, PatronsRead},
};
use futures_util::future::BoxFuture;

use crate::{
    attendance::attendance::{Attendance, AttendancesOfPatron},
    connection::{Connection, CountedConnection, MOST_COUNTED},
    error::{Result, nullable},
    id,
    loader::{Loaded, Relation},
    long::Long,
    loyalty::{
        entry::{EntriesOfPatron, LoyaltyEntry},
        tier::Tier,
    },
    operation::Operation,
    requires::Requires,
    selection::{Rows, Selection, prefetch_pages},
};

/// A person as the organization knows them.
#[derive(Clone)]
pub struct Patron(Arc<patron::Patron>);

/// A patron by their id, removed ones included: history names them.
pub struct PatronById;

/// Queries about patrons.
#[derive(Default)]
pub struct PatronQuery;

#[Object]
impl PatronQuery {
    /// A patron by their id.
    #[graphql(directive = Requires::apply(PatronsRead))]
    async fn patron(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Their global id.")] id: ID,
    ) -> Option<Result<Patron>> {
        let operation = Operation::of(context);
        let patron = match nullable(id::decode(&id, "id"))? {
            Ok(id) => operation.load::<PatronById>(id).await.transpose()?,
            Err(fault) => Err(fault),
        };
        if let Ok(patron) = &patron {
            if patron.is_removed() {
                return None;
            }
            Patron::prefetch(vec![patron.clone()], operation, Selection::of(context)).await;
        }
        Some(patron)
    }

    /// The organization's patrons by family name.
    #[graphql(directive = Requires::apply(PatronsRead))]
    async fn patrons(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from the front: 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the back: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
        #[graphql(
            desc = "Only those in whose name, address or number every word of this occurs, whatever its case and accents."
        )]
        search: Option<String>,
    ) -> Result<CountedConnection<Patron>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let (operation, selected) = (Operation::of(context), Selection::of(context));
        let reader = operation.reader().await?;
        let page = patron::list(&reader, search.as_deref(), &request)
            .await?
            .into();
        let mut total = None;
        if selected.has("totalCount") {
            total = Some(patron::count(&reader, search.as_deref(), MOST_COUNTED).await?);
        }
        Ok(CountedConnection::prefetched(page, total, operation, &selected).await)
    }
}

/// A person as the organization knows them.
#[Object]
impl Patron {
    /// Global id.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Given name.
    fn first_name(&self) -> &str {
        &self.0.first_name
    }

    /// Family name; may be empty.
    fn last_name(&self) -> &str {
        &self.0.last_name
    }

    /// Given name and family name.
    fn name(&self) -> String {
        format!("{} {}", self.0.first_name, self.0.last_name)
            .trim()
            .to_owned()
    }

    /// Address.
    fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// Telephone: digits, with an optional plus before them.
    fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// Loyalty points at present.
    #[graphql(directive = Requires::apply(LoyaltyRead))]
    async fn points(&self, context: &Context<'_>) -> Option<Result<Long>> {
        let points = async {
            Operation::of(context).reader::<LoyaltyRead>().await?;
            Ok(Long(self.0.points))
        };
        nullable(points.await)
    }

    /// Tier, derived from the points ever earned.
    #[graphql(directive = Requires::apply(LoyaltyRead))]
    async fn tier(&self, context: &Context<'_>) -> Option<Result<Tier>> {
        let tier = async {
            Operation::of(context).reader::<LoyaltyRead>().await?;
            Ok(loyalty::tier::Tier::of(self.0.qualifying_points).into())
        };
        nullable(tier.await)
    }

    /// What moved their points, newest first.
    #[graphql(directive = Requires::apply(LoyaltyRead))]
    async fn loyalty_entries(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from the front: 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the back: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<LoyaltyEntry>>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        Operation::of(context)
            .load::<EntriesOfPatron>((self.0.id, request))
            .await
            .transpose()
    }

    /// What they registered for and came to, oldest first.
    #[graphql(directive = Requires::apply(AttendanceRead))]
    async fn attendances(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from the front: 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the back: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Option<Result<Connection<Attendance>>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        Operation::of(context)
            .load::<AttendancesOfPatron>((self.0.id, request))
            .await
            .transpose()
    }

    /// When they were added.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When they last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

impl Patron {
    /// Whether they were removed: then only history names them.
    pub fn is_removed(&self) -> bool {
        self.0.deleted_at.is_some()
    }
}

impl From<patron::Patron> for Patron {
    fn from(row: patron::Patron) -> Self {
        Self(Arc::new(row))
    }
}

impl Relation for PatronById {
    type Key = PatronId;
    type Value = Patron;

    async fn load(scope: Scope, keys: Vec<PatronId>) -> Loaded<Self> {
        let rows = patron::load(&scope.reader()?, &keys).await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.id, Ok(row.into())))
            .collect())
    }
}

impl Rows for Patron {
    fn prefetch<'a>(
        rows: Vec<Self>,
        operation: &'a Operation,
        selected: Selection<'a>,
    ) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let ids: Vec<PatronId> = rows.iter().map(|patron| patron.0.id).collect();
            prefetch_pages::<EntriesOfPatron>(
                ids.clone(),
                operation,
                selected.field("loyaltyEntries"),
            )
            .await;
            prefetch_pages::<AttendancesOfPatron>(ids, operation, selected.field("attendances"))
                .await;
        })
    }
}
