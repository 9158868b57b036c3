//! A year of weekly events, played through the door.

use chrono::{DateTime, Datelike, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::{Club, chance::Chance, people};
use crate::{
    Clock, Error, Result, Scope, Viewer,
    attendance::{
        registration,
        scan::{self, Direction, Method, NewScan},
    },
    events::{
        event::{self, CapacityPolicy, EventFilter, EventId, NewEvent},
        lifecycle,
        status::Status,
    },
    organizations::member,
    page::PageRequest,
    patrons::patron::{self, PatronId},
    permission::{
        AttendanceRecord, AttendanceRegister, EventsCreate, EventsRead, EventsUpdate,
        PatronsCreate, PatronsRead,
    },
};

/// Weeks that are played, the last of them just over.
const WEEKS: i64 = 52;
/// Weeks that are announced beyond today.
const AHEAD: i64 = 4;
/// Patrons who register for tonight.
const EXPECTED: usize = 40;

pub(super) async fn play(
    owner: &Viewer,
    club: &Club,
    clock: &Clock,
    today: DateTime<Utc>,
    chance: &mut Chance,
    progress: impl Fn(u64),
) -> Result<()> {
    let scope = member::enter(owner).await?;
    let mut patrons = Vec::with_capacity(club.patrons);
    for number in 0..club.patrons {
        let input = people::patron(number, chance);
        patrons.push(
            patron::create(scope.writer::<PatronsCreate>().await?, input)
                .await?
                .id,
        );
    }
    for week in -WEEKS..AHEAD {
        let starts_at = weekly(club, today, week)?;
        let announced = (starts_at - TimeDelta::days(14)).min(today);
        clock.set(announced);
        let event = announce(&scope, club, starts_at, Some(80)).await?;
        for index in (0..patrons.len())
            .filter(|index| (*index as u64 * 7 + week.unsigned_abs()).is_multiple_of(5))
            .take(30)
        {
            if let Some(patron) = patrons.get(index) {
                registration::register(
                    scope.writer::<AttendanceRegister>().await?,
                    event,
                    *patron,
                    1,
                )
                .await?;
            }
        }
        if starts_at + TimeDelta::hours(4) < today {
            clock.set(starts_at + TimeDelta::hours(4));
            attend(&scope, event, starts_at, &patrons, chance).await?;
            lifecycle::close(scope.writer::<EventsUpdate>().await?, event).await?;
        }
        progress(u64::try_from((week + WEEKS) * 100 / (WEEKS + AHEAD)).unwrap_or(0));
    }
    Ok(())
}

/// Makes an event that is on now, with people registered, unless there is one already.
pub(super) async fn tonight(scope: &Scope, club: &Club) -> Result<()> {
    let now = scope.clock().now();
    let filter = EventFilter {
        statuses: vec![Status::Ongoing],
        ..EventFilter::default()
    };
    let ongoing = event::list(
        &scope.reader::<EventsRead>()?,
        &filter,
        &PageRequest::default(),
    )
    .await?;
    let lasting = ongoing
        .rows
        .iter()
        .any(|(_, event)| event.ends_at > now + TimeDelta::minutes(30));
    if lasting {
        return Ok(());
    }
    let page = PageRequest {
        first: Some(100),
        ..PageRequest::default()
    };
    let patrons = patron::list(&scope.reader::<PatronsRead>()?, None, &page).await?;
    let event = announce(scope, club, now - TimeDelta::minutes(30), None).await?;
    for (_, patron) in patrons.rows.iter().take(EXPECTED) {
        registration::register(
            scope.writer::<AttendanceRegister>().await?,
            event,
            patron.id,
            1,
        )
        .await?;
    }
    let early = patrons
        .rows
        .iter()
        .take(EXPECTED / 4)
        .map(|(_, patron)| arrival(event, patron.id, now - TimeDelta::minutes(20)));
    scan::record(scope.writer::<AttendanceRecord>().await?, early.collect()).await?;
    Ok(())
}

async fn announce(
    scope: &Scope,
    club: &Club,
    starts_at: DateTime<Utc>,
    capacity: Option<i32>,
) -> Result<EventId> {
    let input = NewEvent {
        title: club.event.to_owned(),
        description: String::new(),
        location: club.place.to_owned(),
        starts_at,
        ends_at: starts_at + TimeDelta::hours(3),
        time_zone: Some(club.time_zone.to_owned()),
        check_in_opens_at: None,
        check_in_closes_at: None,
        host: None,
        capacity,
        capacity_policy: CapacityPolicy::Advisory,
        attendance_points: 10,
        publish: true,
    };
    Ok(event::create(scope.writer::<EventsCreate>().await?, input)
        .await?
        .id)
}

/// Lets people come and go: each patron has their own habit, so that some come nearly always, and
/// some hardly ever. A few are never scanned out.
async fn attend(
    scope: &Scope,
    event: EventId,
    starts_at: DateTime<Utc>,
    patrons: &[PatronId],
    chance: &mut Chance,
) -> Result<()> {
    let mut scans = Vec::new();
    for (index, patron) in patrons.iter().enumerate() {
        let habit = (index * 37 % 100) as u64;
        if chance.below(140) > habit {
            continue;
        }
        let arrived_at = starts_at - TimeDelta::minutes(20)
            + TimeDelta::minutes(chance.minutes(55))
            + TimeDelta::seconds(chance.minutes(60));
        scans.push(arrival(event, *patron, arrived_at));
        if chance.below(12) > 0 {
            let left_at = starts_at + TimeDelta::minutes(100 + chance.minutes(90));
            scans.push(NewScan {
                direction: Direction::Out,
                occurred_at: Some(left_at),
                ..arrival(event, *patron, left_at)
            });
        }
    }
    for batch in scans.chunks(scan::BATCH) {
        scan::record(scope.writer::<AttendanceRecord>().await?, batch.to_vec()).await?;
    }
    Ok(())
}

fn arrival(event: EventId, patron: PatronId, occurred_at: DateTime<Utc>) -> NewScan {
    NewScan {
        id: None,
        event,
        patron,
        direction: Direction::In,
        method: Method::Manual,
        occurred_at: Some(occurred_at),
        device: Some("Front door".to_owned()),
        reason: None,
        supersedes: None,
    }
}

/// The start of the club's event in the week that is `week` weeks from today's, at its local hour.
fn weekly(club: &Club, today: DateTime<Utc>, week: i64) -> Result<DateTime<Utc>> {
    let zone: Tz = club
        .time_zone
        .parse()
        .map_err(|error| Error::Internal(format!("zone of the demo: {error}")))?;
    let local = today.with_timezone(&zone).date_naive();
    let monday = local - TimeDelta::days(i64::from(local.weekday().num_days_from_monday()));
    let day = monday + TimeDelta::days(club.day + week * 7);
    let start = day
        .and_hms_opt(club.hour, 30, 0)
        .and_then(|time| zone.from_local_datetime(&time).earliest());
    start
        .map(|start| start.to_utc())
        .ok_or_else(|| Error::Internal("an hour that the demo's zone skips".to_owned()))
}
