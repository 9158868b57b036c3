//! Patrons.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};
use domain::{
    Scope,
    attendance::record,
    loyalty::{ledger, tier},
    page::PageRequest,
    patrons::patron::{self, PatronId},
    permission::{AttendanceRead, LoyaltyRead, PatronsRead},
};

use crate::{
    attendance::attendance::{Attendance, AttendancesOfPatron},
    connection::{CountedConnection, MOST_COUNTED},
    error::{Result, nullable},
    fields, id,
    loader::{Loaded, Relation},
    long::Long,
    loyalty::{
        entry::{EntriesOfPatron, LoyaltyEntry},
        tier::Tier,
    },
    operation::Operation,
    requires::Requires,
    selection::{Rows, Selection},
    time::Time,
    written::{self, Answer},
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
    ) -> Option<Result<Answer<Patron>>> {
        let (operation, selected) = (Operation::of(context), Selection::of(context));
        let id: PatronId = match nullable(id::decode(&id, "id"))? {
            Ok(id) => id,
            Err(fault) => return Some(Err(fault)),
        };
        if let Some(answer) = written::row(operation, &selected, id, Some(patron::REMOVED)).await {
            return answer;
        }
        let patron = operation.load::<PatronById>(id).await.transpose()?;
        if let Ok(patron) = &patron {
            if patron.is_removed() {
                return None;
            }
            Patron::prefetch(vec![patron.clone()], operation, selected).await;
        }
        Some(patron.map(Answer::Walked))
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
    ) -> Result<Answer<CountedConnection<Patron>>> {
        let request = PageRequest {
            first,
            after,
            last,
            before,
        };
        let (operation, selected) = (Operation::of(context), Selection::of(context));
        let reader = operation.reader().await?;
        if let Some(shape) = written::page_shape::<Patron>(operation, &selected).await {
            let page = patron::written(&reader, search.as_deref(), &request, &shape).await?;
            return Ok(Answer::Written(page));
        }
        let page = patron::list(&reader, search.as_deref(), &request)
            .await?
            .into();
        let mut total = None;
        if selected.has("totalCount") {
            total = Some(patron::count(&reader, search.as_deref(), MOST_COUNTED).await?);
        }
        let page = CountedConnection::prefetched(page, total, operation, &selected).await;
        Ok(Answer::Walked(page))
    }
}

fields! {
    /// A person as the organization knows them.
    Patron in patron::table;
    columns {
        /// Global id.
        id: ID = id;
        /// Given name.
        first_name: &str = first_name;
        /// Family name; may be empty.
        last_name: &str = last_name;
        /// Address.
        email: Option<&str> = email;
        /// Telephone: digits, with an optional plus before them.
        phone: Option<&str> = phone;
        /// When they were added.
        created_at: Time = created_at;
        /// When they last changed.
        updated_at: Time = updated_at;
    }
    computed {
        /// Given name and family name.
        name: String = |row: &patron::Patron, _| patron::name(row), patron::NAMED, Text;
    }
    guarded {
        /// Loyalty points at present.
        points: Long = |row: &patron::Patron| Long(row.points), "points", Number, LoyaltyRead;
        /// Tier, derived from the points ever earned.
        tier: Tier = |row: &patron::Patron| tier::Tier::of(row.qualifying_points).into(), tier::STATED, Name, LoyaltyRead;
    }
    one {}
    many {
        /// What moved their points, newest first.
        loyalty_entries: LoyaltyEntry = EntriesOfPatron, ledger::of_patron, LoyaltyRead;
        /// What they registered for and came to, oldest first.
        attendances: Attendance = AttendancesOfPatron, record::of_patron, AttendanceRead;
    }
    needs {}
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
