//! Removing a patron: what they hold of events that are not over is given back first.

use std::iter;

use entity::{
    attendance::{
        projection::{self, Registration},
        scan::{Direction, Method},
    },
    events::event,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use super::scan::{self, NewScan};
use crate::{
    Change, ChangeKind, Result, Writer,
    patrons::patron::{self, Patron, PatronId},
    permission::PatronsDelete,
};

/// Removes a patron from every list; what they attended stays on record. Registrations for events
/// that are not over are cancelled, and who is inside leaves.
///
/// # Errors
/// A refusal when there is no such patron.
pub async fn remove(writer: Writer<PatronsDelete>, id: PatronId) -> Result<Patron> {
    let patron = patron::lock(&writer, id).await?;
    let mut changes = withdraw(&writer, id).await?;
    let patron = patron::mark_removed(&writer, patron).await?;
    changes.push(Change::new(ChangeKind::PatronDeleted, id).of(id));
    writer.commit_all(changes).await?;
    Ok(patron)
}

async fn withdraw(writer: &Writer<PatronsDelete>, id: PatronId) -> Result<Vec<Change>> {
    let not_over = event::Entity::find()
        .select_only()
        .column(event::Column::Id)
        .filter(event::Column::OrganizationId.eq(writer.scope().organization().uuid()))
        .filter(event::Column::EndsAt.gt(writer.scope().clock().now()))
        .filter(event::Column::ClosedAt.is_null());
    let expected = Condition::all()
        .add(projection::Column::Registration.eq(Registration::Registered))
        .add(projection::Column::Attended.eq(false));
    let held = writer
        .find::<projection::Entity>()
        .filter(projection::Column::PatronId.eq(id.uuid()))
        .filter(projection::Column::EventId.in_subquery(not_over.into_query()))
        .filter(
            Condition::any()
                .add(expected)
                .add(projection::Column::Inside.eq(true)),
        );
    let held = writer.all(held).await?;
    let events = held.iter().map(|row| row.event_id);
    let mut batch = scan::load(writer, events, iter::once(id), iter::empty()).await?;
    for row in held.iter().filter(|row| !row.attended) {
        batch.register(row.event_id, id, Registration::Cancelled, 0);
    }
    let inside = held.iter().filter(|row| row.inside);
    let exits = inside.map(|row| NewScan {
        id: None,
        event: row.event_id,
        patron: id,
        direction: Direction::Out,
        method: Method::Manual,
        occurred_at: None,
        device: None,
        reason: Some("The patron was removed.".to_owned()),
        supersedes: None,
    });
    batch.apply(writer.scope().actor(), exits.collect());
    scan::write(writer, batch).await
}
