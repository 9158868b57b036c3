//! What is true of every event.

use chrono::{Datelike, SubsecRound, TimeDelta};
use entity::organizations::member;
use sea_orm::{ColumnTrait, QueryFilter};

use super::event::Event;
use crate::{Code, Error, Problem, Result, Writer, clock::YEARS, organizations::time_zone, text};

/// An event lasts no longer than this.
const LONGEST: TimeDelta = TimeDelta::days(366);

/// Tidies an event's texts and refuses what is wrong with it, all at once.
pub(super) async fn check<P>(writer: &Writer<P>, mut event: Event) -> Result<Event> {
    for time in [
        &mut event.starts_at,
        &mut event.ends_at,
        &mut event.check_in_opens_at,
        &mut event.check_in_closes_at,
    ] {
        // As both databases keep it.
        *time = time.trunc_subsecs(6);
    }
    let mut problems = Vec::new();
    let title = text::required(&mut problems, "title", &event.title, 200);
    let description = text::lines(&mut problems, "description", &event.description, 10_000);
    let location = text::optional(&mut problems, "location", &event.location, 200);
    problems.extend(time_zone::check(&event.time_zone).err());
    for (field, time) in [
        ("startsAt", event.starts_at),
        ("endsAt", event.ends_at),
        ("checkInOpensAt", event.check_in_opens_at),
        ("checkInClosesAt", event.check_in_closes_at),
    ] {
        if !YEARS.contains(&time.year()) {
            problems.push(Problem::new(
                Code::Invalid,
                field,
                "The year must be between 1900 and 2999.",
            ));
        }
    }
    if event.ends_at <= event.starts_at {
        problems.push(Problem::new(
            Code::Invalid,
            "endsAt",
            "The end must come after the start.",
        ));
    } else if event.ends_at - event.starts_at > LONGEST {
        problems.push(Problem::new(
            Code::Invalid,
            "endsAt",
            "An event lasts at most 366 days.",
        ));
    }
    if event.check_in_closes_at <= event.check_in_opens_at {
        problems.push(Problem::new(
            Code::Invalid,
            "checkInClosesAt",
            "The door must close after it opens.",
        ));
    } else if event.starts_at < event.ends_at {
        if event.check_in_opens_at >= event.ends_at {
            problems.push(Problem::new(
                Code::Invalid,
                "checkInOpensAt",
                "The door must open before the event ends.",
            ));
        }
        if event.check_in_closes_at <= event.starts_at {
            problems.push(Problem::new(
                Code::Invalid,
                "checkInClosesAt",
                "The door must close after the event starts.",
            ));
        }
    }
    if event
        .capacity
        .is_some_and(|capacity| !(0..=1_000_000).contains(&capacity))
    {
        problems.push(Problem::new(
            Code::Invalid,
            "capacity",
            "A capacity is 0 to 1,000,000, or absent.",
        ));
    }
    if !(0..=1_000_000).contains(&event.attendance_points) {
        problems.push(Problem::new(
            Code::Invalid,
            "attendancePoints",
            "Points are 0 to 1,000,000.",
        ));
    }
    if let Some(host) = event.host_id {
        let host = writer
            .find::<member::Entity>()
            .filter(member::Column::Id.eq(host.uuid()));
        if writer.one(host).await?.is_none() {
            problems.push(Problem::new(
                Code::NotFound,
                "hostId",
                "The organization has no such member.",
            ));
        }
    }
    if problems.is_empty() {
        Ok(Event {
            title,
            description,
            location,
            ..event
        })
    } else {
        Err(Error::Refused(problems))
    }
}
