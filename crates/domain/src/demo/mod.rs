//! Sample data for trying Rollcall out: two organizations, members of every role, a year of weekly
//! events with arrivals and departures, and an evening that is on right now.
//!
//! Everything goes through the same verbs as a request does, under a clock that is moved through
//! the year: what is seen in the demo could have been typed.

mod chance;
mod people;
mod year;

use chrono::TimeDelta;
use entity::identity::user;
use sea_orm::{ActiveModelTrait, Set};

use crate::{
    BuiltInRole, Clock, Database, Db, Error, Limits, Result, System, Viewer,
    identity::{
        Passwords,
        sign_up::{self, NewAccount},
    },
    mail::Locale,
    organizations::{
        member,
        organization::{self, NewOrganization},
        slug,
    },
    permission::MembersCreate,
    scope::Origin,
};
use chance::Chance;

/// An organization of the demo.
pub(super) struct Club {
    name: &'static str,
    slug: &'static str,
    time_zone: &'static str,
    event: &'static str,
    place: &'static str,
    patrons: usize,
    /// Day of the week, from Monday, and local hour of its weekly event.
    day: i64,
    hour: u32,
}

const CLUBS: &[Club] = &[
    Club {
        name: "Riverside Jazz Society",
        slug: "riverside-jazz",
        time_zone: "Europe/Vienna",
        event: "Jazz night",
        place: "The Boathouse",
        patrons: 200,
        day: 3,
        hour: 19,
    },
    Club {
        name: "Northfield Chess Club",
        slug: "northfield-chess",
        time_zone: "America/New_York",
        event: "Club evening",
        place: "Library, room 2",
        patrons: 100,
        day: 1,
        hour: 18,
    },
];

/// Loads the demo into an empty, migrated database, whose clock it moves through the year before
/// `now`. `progress` is told what is done, in hundredths.
pub async fn load(
    database: &Database,
    passwords: &Passwords,
    password: &str,
    now: Clock,
    progress: impl Fn(u64),
) -> Result<()> {
    let today = now.now();
    let clock = Clock::fixed(today - TimeDelta::days(400));
    let db = Db::open(database, clock.clone()).await?;
    let system = System::new(&db, "load the demo");
    let mut chance = Chance::new(7);
    for (index, club) in CLUBS.iter().enumerate() {
        clock.set(today - TimeDelta::days(400));
        let owner = found(&system, passwords, password, club).await?;
        let done =
            |hundredths: u64| progress((index as u64 * 100 + hundredths) / CLUBS.len() as u64);
        year::play(&owner, club, &clock, today, &mut chance, done).await?;
    }
    db.close().await;
    Ok(())
}

/// Makes sure that an evening is on right now in each organization, so that somebody can be
/// checked in. Called at every start of the demo, whatever people have done to the accounts meanwhile.
pub async fn refresh(db: &Db) -> Result<()> {
    let system = System::new(db, "refresh the demo");
    for club in CLUBS {
        if let Some(organization) = slug::find(&system, club.slug).await? {
            let scope = system.scope(organization);
            year::tonight(&scope, club).await?;
            scope.close_snapshot().await;
        }
    }
    Ok(())
}

/// How to sign in: organization, role and login of every member.
#[must_use]
pub fn logins() -> Vec<(&'static str, &'static str, String)> {
    let of_club = |club: &'static Club| {
        BuiltInRole::ALL
            .iter()
            .map(move |role| (club.name, role.name(), login(club, *role)))
    };
    CLUBS.iter().flat_map(of_club).collect()
}

/// Signs the members of every role up and founds the organization.
async fn found(
    system: &System,
    passwords: &Passwords,
    password: &str,
    club: &Club,
) -> Result<Viewer> {
    let mut founder = None;
    for role in BuiltInRole::ALL {
        let login = login(club, *role);
        let account = NewAccount {
            username: login.clone(),
            email: format!("{login}@example.org"),
            password: password.to_owned(),
            first_name: role.name().to_owned(),
            locale: Locale::En,
            last_name: club.name.split(' ').next().unwrap_or_default().to_owned(),
        };
        let (limits, origin) = (Limits::off(), Origin::default());
        let (_, viewer) = sign_up::sign_up(system, passwords, &limits, account, origin).await?;
        let Some(owner) = &founder else {
            let input = NewOrganization {
                name: club.name.to_owned(),
                slug: Some(club.slug.to_owned()),
                time_zone: club.time_zone.to_owned(),
            };
            let organization = organization::create(&viewer, input).await?;
            founder = Some(viewer.acting_in(organization.id));
            continue;
        };
        prove_address(system, &viewer).await?;
        let scope = member::enter(owner).await?;
        member::add(
            scope.writer::<MembersCreate>().await?,
            &format!("{login}@example.org"),
            role.slug(),
        )
        .await?;
        crate::identity::session::activate(&viewer, scope.organization()).await?;
    }
    founder.ok_or_else(|| Error::Internal("no role to found the demo with".to_owned()))
}

/// There is nobody whom a mail could ask.
async fn prove_address(system: &System, viewer: &Viewer) -> Result<()> {
    let transaction = system.begin(true).await?;
    let update = user::ActiveModel {
        id: Set(viewer.user()),
        email_verified_at: Set(Some(system.clock().now())),
        ..Default::default()
    };
    update.update(&*transaction).await?;
    transaction.commit().await
}

fn login(club: &Club, role: BuiltInRole) -> String {
    let club = club.slug.split('-').next_back().unwrap_or_default();
    format!("{club}_{}", role.slug())
}
