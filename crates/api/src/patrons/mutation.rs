//! Adding, changing and removing patrons.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::{
    attendance::removal,
    patrons::patron::{self, NewPatron, PatronPatch},
    permission::{PatronsCreate, PatronsDelete, PatronsUpdate},
};

use super::patron::Patron;
use crate::{
    error::Result,
    id,
    operation::Operation,
    requires::Requires,
    user_error::{Settled, UserError, payload},
};

/// What is known of a new patron.
#[derive(InputObject)]
pub struct CreatePatronInput {
    /// Given name, 1 to 200 characters.
    first_name: String,
    /// Family name.
    #[graphql(default)]
    last_name: String,
    /// Address, unique in the organization.
    email: Option<String>,
    /// 5 to 20 digits, with an optional plus before them.
    phone: Option<String>,
}

/// What of a patron is to change; what is left out stays.
#[derive(InputObject)]
pub struct UpdatePatronInput {
    /// Who.
    patron_id: ID,
    /// Given name, 1 to 200 characters.
    first_name: Option<String>,
    /// Family name.
    last_name: Option<String>,
    /// Address, unique in the organization; null for none.
    email: MaybeUndefined<String>,
    /// 5 to 20 digits, with an optional plus before them; null for none.
    phone: MaybeUndefined<String>,
}

/// What removing a patron takes.
#[derive(InputObject)]
pub struct DeletePatronInput {
    /// Who.
    patron_id: ID,
}

/// What became of a change to a patron.
#[derive(SimpleObject)]
pub struct PatronPayload {
    /// The patron after it; for a removal, as they were.
    patron: Option<Patron>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Mutations of patrons.
#[derive(Default)]
pub struct PatronMutation;

#[Object]
impl PatronMutation {
    /// Adds a patron.
    #[graphql(directive = Requires::apply(PatronsCreate))]
    async fn create_patron(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who.")] input: CreatePatronInput,
    ) -> Option<Result<PatronPayload>> {
        let patron = NewPatron {
            first_name: input.first_name,
            last_name: input.last_name,
            email: input.email,
            phone: input.phone,
        };
        payload(async { patron::create(Operation::of(context).writer().await?, patron).await })
            .await
    }

    /// Changes a patron.
    #[graphql(directive = Requires::apply(PatronsUpdate))]
    async fn update_patron(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, and what.")] input: UpdatePatronInput,
    ) -> Option<Result<PatronPayload>> {
        let patch = PatronPatch {
            first_name: input.first_name,
            last_name: input.last_name,
            email: input.email.into(),
            phone: input.phone.into(),
        };
        let work = async {
            let writer = Operation::of(context).writer().await?;
            patron::update(writer, id::decode(&input.patron_id, "patronId")?, patch).await
        };
        payload(work).await
    }

    /// Removes a patron from every list; what they attended stays on record. Registrations for events
    /// that are not over are cancelled, and who is inside leaves.
    #[graphql(directive = Requires::apply(PatronsDelete))]
    async fn delete_patron(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who.")] input: DeletePatronInput,
    ) -> Option<Result<PatronPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            removal::remove(writer, id::decode(&input.patron_id, "patronId")?).await
        };
        payload(work).await
    }
}

impl From<Settled<patron::Patron>> for PatronPayload {
    fn from(settled: Settled<patron::Patron>) -> Self {
        Self {
            patron: settled.value.map(Patron::from),
            errors: settled.errors,
        }
    }
}
