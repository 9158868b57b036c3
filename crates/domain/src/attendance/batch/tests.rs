//! Devices report in any order, twice, and in pieces: what is known in the end is the same.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    attendance::{
        projection::Model as Attendance,
        scan::{Direction, Method, Model as Scan, Outcome, ScanId},
    },
    events::event::{CapacityPolicy, EventId, Model as Event},
    organizations::organization::OrganizationId,
    patrons::patron::{Model as Patron, PatronId},
};
use proptest::prelude::*;
use uuid::Uuid;

use super::{Actor, Batch, NewScan};
use crate::attendance::projection::{self, Presence};

const PATRONS: u128 = 3;

#[derive(Clone, Debug)]
struct Report {
    id: u128,
    patron: u128,
    direction: Direction,
    minute: i64,
}

fn reports() -> impl Strategy<Value = Vec<Report>> {
    let report = (
        0..PATRONS,
        prop_oneof![Just(Direction::In), Just(Direction::Out)],
        0_i64..60,
    );
    prop::collection::vec(report, 1..25).prop_map(|reports| {
        let numbered = reports.into_iter().zip(1000_u128..);
        numbered
            .map(|((patron, direction, minute), id)| Report {
                id,
                patron,
                direction,
                minute,
            })
            .collect()
    })
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_790_000_000_000_000).unwrap()
}

fn event(policy: CapacityPolicy, capacity: Option<i32>) -> Event {
    Event {
        id: EventId::from(Uuid::from_u128(1)),
        organization_id: OrganizationId::from(Uuid::from_u128(2)),
        title: "Evening".to_owned(),
        description: String::new(),
        location: String::new(),
        starts_at: start(),
        ends_at: start() + TimeDelta::hours(1),
        time_zone: "UTC".to_owned(),
        check_in_opens_at: start() - TimeDelta::hours(1),
        check_in_closes_at: start() + TimeDelta::hours(2),
        host_id: None,
        capacity,
        capacity_policy: policy,
        attendance_points: 10,
        published_at: Some(start()),
        cancelled_at: None,
        closed_at: None,
        registered_count: 0,
        seats_taken: 0,
        attended_count: 0,
        inside_count: 0,
        created_at: start(),
        updated_at: start(),
    }
}

fn patron(number: u128) -> Patron {
    Patron {
        id: PatronId::from(Uuid::from_u128(100 + number)),
        organization_id: OrganizationId::from(Uuid::from_u128(2)),
        user_id: None,
        first_name: "Patron".to_owned(),
        last_name: number.to_string(),
        email: None,
        phone: None,
        sort_name: String::new(),
        search: String::new(),
        points: 0,
        qualifying_points: 0,
        created_at: start(),
        updated_at: start(),
        deleted_at: None,
    }
}

/// The database, as far as a batch sees it.
struct Store {
    event: Event,
    scans: Vec<Scan>,
    attendances: Vec<Attendance>,
    points: i64,
}

impl Store {
    fn new(event: Event) -> Self {
        Self {
            event,
            scans: Vec::new(),
            attendances: Vec::new(),
            points: 0,
        }
    }

    fn record(&mut self, reports: &[Report]) -> Vec<Outcome> {
        let mut batch = Batch::new(
            self.event.organization_id,
            start() + TimeDelta::hours(3),
            (0..PATRONS).map(patron).collect(),
            vec![self.event.clone()],
            self.scans.clone(),
            self.attendances.clone(),
        );
        let answers = batch.apply(
            Actor::System,
            reports.iter().map(|report| self.scan(report)).collect(),
        );
        batch.settle();
        self.scans.extend(batch.new_scans);
        for touched in batch.touched {
            self.attendances
                .retain(|kept| kept.patron_id != touched.patron_id);
            self.attendances.push(touched);
        }
        for (_, delta) in batch.deltas {
            self.event.registered_count += delta.registered;
            self.event.seats_taken += delta.seats;
            self.event.attended_count += delta.attended;
            self.event.inside_count += delta.inside;
        }
        for award in batch.awards {
            self.points += i64::from(if award.reversed {
                -award.points
            } else {
                award.points
            });
        }
        answers
            .into_iter()
            .map(|answer| answer.expect("it can be recorded").scan.outcome)
            .collect()
    }

    fn scan(&self, report: &Report) -> NewScan {
        NewScan {
            id: Some(ScanId::from(Uuid::from_u128(report.id))),
            event: self.event.id,
            patron: PatronId::from(Uuid::from_u128(100 + report.patron)),
            direction: report.direction,
            method: Method::Code,
            occurred_at: Some(start() + TimeDelta::minutes(report.minute)),
            device: None,
            reason: None,
            supersedes: None,
        }
    }

    /// Everything that is to be the same in the end, whatever the order.
    fn truth(&self) -> BTreeMap<PatronId, Presence> {
        let came = self.attendances.iter().filter(|row| row.attended);
        came.map(|row| (row.patron_id, super::presence_of(row)))
            .collect()
    }

    fn arrival(&self) -> Option<DateTime<Utc>> {
        self.truth()
            .values()
            .next()
            .and_then(|presence| presence.check_in_time)
    }

    /// What is kept with the rows is what the scans say.
    fn check(&self) {
        for row in &self.attendances {
            let of_patron: Vec<Scan> = self
                .scans
                .iter()
                .filter(|scan| scan.patron_id == row.patron_id)
                .cloned()
                .collect();
            assert_eq!(
                super::presence_of(row),
                projection::project(&projection::timeline(&of_patron))
            );
        }
        let number = |counts: fn(&Attendance) -> bool| {
            let counted = self.attendances.iter().filter(|row| counts(row));
            counted.map(|_| 1).sum::<i32>()
        };
        assert_eq!(self.event.attended_count, number(|row| row.attended));
        assert_eq!(self.event.inside_count, number(|row| row.inside));
        let seats = self.attendances.iter().map(super::seats);
        assert_eq!(self.event.seats_taken, seats.sum::<i32>());
        assert_eq!(self.points, 10 * i64::from(number(|row| row.attended)));
    }
}

proptest! {
    #[test]
    fn the_end_is_the_same_in_any_order_in_pieces_and_repeated(
        (reports, shuffled) in reports().prop_flat_map(|reports| (Just(reports.clone()), Just(reports).prop_shuffle())),
        piece in 1_usize..8,
    ) {
        let mut at_once = Store::new(event(CapacityPolicy::Advisory, None));
        at_once.record(&reports);
        at_once.check();
        let mut piecewise = Store::new(event(CapacityPolicy::Advisory, None));
        for piece in shuffled.chunks(piece) {
            let first = piecewise.record(piece);
            let again = piecewise.record(piece);
            prop_assert_eq!(first, again, "a repeat is answered like the first");
        }
        piecewise.check();
        prop_assert_eq!(at_once.truth(), piecewise.truth());
        prop_assert_eq!(at_once.scans.len(), piecewise.scans.len());
    }

    #[test]
    fn one_arrival_is_let_in_once(minutes in prop::collection::vec(0_i64..60, 1..20)) {
        let mut store = Store::new(event(CapacityPolicy::Advisory, None));
        let mut let_in = 0;
        for (index, minute) in minutes.iter().enumerate() {
            let report = Report { id: 1000 + index as u128, patron: 0, direction: Direction::In, minute: *minute };
            let_in += store.record(&[report]).iter().filter(|outcome| **outcome == Outcome::CheckedIn).count();
        }
        prop_assert_eq!(let_in, 1);
        let earliest = minutes.iter().min().map(|minute| start() + TimeDelta::minutes(*minute));
        prop_assert_eq!(store.arrival(), earliest);
    }

    #[test]
    fn an_enforced_capacity_is_never_exceeded(reports in reports(), capacity in 0_i32..3) {
        let mut seats = Store::new(event(CapacityPolicy::Seats, Some(capacity)));
        let mut inside = Store::new(event(CapacityPolicy::Occupancy, Some(capacity)));
        for report in &reports {
            seats.record(std::slice::from_ref(report));
            prop_assert!(seats.event.seats_taken <= capacity);
        }
        // A late message may say that more were inside than fit: history is not refused, so the
        // rule is tested on scans that come in order.
        let mut in_order = reports;
        in_order.sort_by_key(|report| (report.minute, report.id));
        for report in &in_order {
            inside.record(std::slice::from_ref(report));
            prop_assert!(inside.event.inside_count <= capacity);
        }
    }
}

#[test]
fn undoing_takes_back_what_it_undoes_and_nothing_else() {
    let mut store = Store::new(event(CapacityPolicy::Advisory, None));
    let scan = |id, direction, minute| Report {
        id,
        patron: 0,
        direction,
        minute,
    };
    let revert = |id| scan(id, Direction::Revert, 59);
    assert_eq!(
        store.record(&[scan(1, Direction::In, 10)]),
        [Outcome::CheckedIn]
    );
    assert_eq!(store.record(&[revert(2)]), [Outcome::Reverted]);
    assert_eq!(
        (
            store.event.attended_count,
            store.event.seats_taken,
            store.points
        ),
        (0, 0, 0)
    );
    assert_eq!(
        store.record(&[scan(3, Direction::In, 20)]),
        [Outcome::CheckedIn]
    );
    assert_eq!(
        store.record(&[scan(4, Direction::Out, 30)]),
        [Outcome::CheckedOut]
    );
    assert_eq!(store.record(&[revert(5)]), [Outcome::Reverted]);
    assert_eq!(
        (store.event.inside_count, store.points),
        (1, 10),
        "only the departure was undone"
    );
    assert_eq!(store.arrival(), Some(start() + TimeDelta::minutes(20)));
    store.check();
}
