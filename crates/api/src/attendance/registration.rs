//! Registrations.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use domain::{
    attendance::{registration, scan},
    permission::AttendanceRegister,
};

use super::attendance::Attendance;
use crate::{
    error::Result,
    id,
    operation::Operation,
    requires::Requires,
    user_error::{Settled, UserError, payload},
};

/// What a registration takes.
#[derive(InputObject)]
pub struct RegisterInput {
    /// For which event.
    event_id: ID,
    /// Who.
    patron_id: ID,
    /// Seats, guests included: 1 to 50. Registering again changes them.
    #[graphql(default = 1)]
    seats: i32,
}

/// What giving a registration back takes.
#[derive(InputObject)]
pub struct CancelRegistrationInput {
    /// For which event.
    event_id: ID,
    /// Who.
    patron_id: ID,
}

/// What became of a registration.
#[derive(SimpleObject)]
pub struct RegistrationPayload {
    /// The attendance after it.
    attendance: Option<Attendance>,
    /// What the caller can mend.
    errors: Vec<UserError>,
}

/// Mutations of registrations.
#[derive(Default)]
pub struct RegistrationMutation;

#[Object]
impl RegistrationMutation {
    /// Registers a patron for an event.
    #[graphql(directive = Requires::apply(AttendanceRegister))]
    async fn register(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, and for what.")] input: RegisterInput,
    ) -> Option<Result<RegistrationPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            let event = id::decode(&input.event_id, "eventId")?;
            let patron = id::decode(&input.patron_id, "patronId")?;
            registration::register(writer, event, patron, input.seats).await
        };
        payload(work).await
    }

    /// Gives a registration's seats back.
    #[graphql(directive = Requires::apply(AttendanceRegister))]
    async fn cancel_registration(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose, and for what.")] input: CancelRegistrationInput,
    ) -> Option<Result<RegistrationPayload>> {
        let work = async {
            let writer = Operation::of(context).writer().await?;
            let event = id::decode(&input.event_id, "eventId")?;
            registration::cancel(writer, event, id::decode(&input.patron_id, "patronId")?).await
        };
        payload(work).await
    }
}

impl From<Settled<scan::Attendance>> for RegistrationPayload {
    fn from(settled: Settled<scan::Attendance>) -> Self {
        Self {
            attendance: settled.value.map(Attendance::from),
            errors: settled.errors,
        }
    }
}
