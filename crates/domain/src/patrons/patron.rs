//! Patrons.

use entity::patrons::{external_id, patron};
use sea_orm::{
    ColumnTrait, QueryFilter, QuerySelect, Set,
    sea_query::{LikeExpr, LockType},
};

pub use entity::patrons::patron::{Model as Patron, PatronId};

use crate::{
    Change, ChangeKind, Code, Error, Reader, Result, Writer,
    identity::email,
    page::{Key, Page, PageRequest},
    permission::{PatronsCreate, PatronsDelete, PatronsRead, PatronsUpdate},
    scope::{Scoped, Shape, Sort, Table},
    text,
};

/// Bytes of a name that patrons are ordered by.
const SORTED: usize = 1000;
/// Words of a search that are looked at.
const WORDS: usize = 8;

/// What is known of a new patron.
#[derive(Clone, Debug, Default)]
pub struct NewPatron {
    /// Given name, 1 to 200 characters.
    pub first_name: String,
    /// Family name; may be empty.
    pub last_name: String,
    /// Address, unique in the organization.
    pub email: Option<String>,
    /// 5 to 20 digits, with an optional plus before them.
    pub phone: Option<String>,
}

/// What of a patron is to change; `None` leaves it, `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct PatronPatch {
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Address.
    pub email: Option<Option<String>>,
    /// Telephone.
    pub phone: Option<Option<String>>,
}

/// Adds a patron.
///
/// # Errors
/// A refusal naming every field that is wrong or taken.
pub async fn create(writer: Writer<PatronsCreate>, input: NewPatron) -> Result<Patron> {
    let input = check(&input)?;
    require_free_email(&writer, input.email.as_deref(), None).await?;
    let patron = writer
        .insert(row(&input, writer.scope().clock().now()))
        .await?;
    writer
        .commit(Change::new(ChangeKind::PatronCreated, patron.id).of(patron.id))
        .await?;
    Ok(patron)
}

/// Changes a patron.
///
/// # Errors
/// A refusal naming every field that is wrong or taken.
pub async fn update(
    writer: Writer<PatronsUpdate>,
    id: PatronId,
    patch: PatronPatch,
) -> Result<Patron> {
    let patron = lock(&writer, id).await?;
    let input = check(&NewPatron {
        first_name: patch.first_name.unwrap_or(patron.first_name.clone()),
        last_name: patch.last_name.unwrap_or(patron.last_name.clone()),
        email: patch.email.unwrap_or(patron.email.clone()),
        phone: patch.phone.unwrap_or(patron.phone.clone()),
    })?;
    require_free_email(&writer, input.email.as_deref(), Some(id)).await?;
    let now = writer.scope().clock().now();
    let update = writer
        .change::<patron::Entity>()
        .set(patron::Column::FirstName, input.first_name.clone())
        .set(patron::Column::LastName, input.last_name.clone())
        .set(patron::Column::Email, input.email.clone())
        .set(patron::Column::Phone, input.phone.clone())
        .set(
            patron::Column::SortName,
            sort_name(&input.first_name, &input.last_name),
        )
        .set(patron::Column::Search, search(&input))
        .set(patron::Column::UpdatedAt, now)
        .filter(patron::Column::Id.eq(id.uuid()));
    writer.update(update).await?;
    let patron = writer
        .required(
            writer
                .find::<patron::Entity>()
                .filter(patron::Column::Id.eq(id.uuid())),
        )
        .await?;
    writer
        .commit(Change::new(ChangeKind::PatronUpdated, id).of(id))
        .await?;
    Ok(patron)
}

/// Takes a patron out of every list, within a running unit of work. Their address and their ids
/// elsewhere are free for another.
///
/// Whoever gives back what the patron holds has to have locked them before, or a registration that
/// is made meanwhile is overlooked.
pub(crate) async fn mark_removed(writer: &Writer<PatronsDelete>, patron: Patron) -> Result<Patron> {
    let id = patron.id;
    let now = writer.scope().clock().now();
    let update = writer
        .change::<patron::Entity>()
        .set(patron::Column::DeletedAt, now)
        .set(patron::Column::UpdatedAt, now)
        .filter(patron::Column::Id.eq(id.uuid()));
    writer.update(update).await?;
    let elsewhere = writer
        .removal::<external_id::Entity>()
        .filter(external_id::Column::PatronId.eq(id.uuid()));
    writer.delete(elsewhere).await?;
    Ok(Patron {
        deleted_at: Some(now),
        ..patron
    })
}

/// The organization's patrons by name. With a search, those in whose name, address or number every
/// word of it occurs, whatever its case and accents.
pub async fn list(
    reader: &Reader<PatronsRead>,
    query: Option<&str>,
    request: &PageRequest,
) -> Result<Page<Patron>> {
    let (select, query) = matching(reader, query)?;
    reader
        .page(select, sort(&query), request, |row| {
            (Key::Text(row.sort_name.clone()), row.id.uuid())
        })
        .await
}

/// The same as JSON in this shape.
pub async fn written(
    reader: &Reader<PatronsRead>,
    query: Option<&str>,
    request: &PageRequest,
    shape: &Shape,
) -> Result<String> {
    let (select, query) = matching(reader, query)?;
    reader
        .written_page(select, &sort(&query), request, shape)
        .await
}

/// Given name and family name.
#[must_use]
pub fn name(patron: &Patron) -> String {
    let name = format!("{} {}", patron.first_name, patron.last_name);
    name.trim().to_owned()
}

/// The same as [`name`], for the row of a patron that a statement reads.
pub const NAMED: &str = "trim(concat({row}.first_name, ' ', {row}.last_name))";

/// The table of patrons.
#[must_use]
pub fn table() -> Table {
    Table::of::<patron::Entity, PatronsRead>()
}

/// The column that has a value for those who were removed.
pub const REMOVED: &str = "deleted_at";

/// How many patrons such a list has, counted up to `cap`.
pub async fn count(reader: &Reader<PatronsRead>, query: Option<&str>, cap: u64) -> Result<u64> {
    reader.count(matching(reader, query)?.0, cap).await
}

/// Those of `patrons` that are the organization's, removed ones included: history names them.
pub async fn load(reader: &Reader<PatronsRead>, patrons: &[PatronId]) -> Result<Vec<Patron>> {
    let among = reader
        .any(
            patron::Column::Id,
            patrons.iter().map(|id| id.uuid()).collect(),
        )
        .await?;
    reader
        .all(reader.find::<patron::Entity>().filter(among))
        .await
}

/// One patron, locked as [`locked`] does.
///
/// # Errors
/// A refusal when there is no such patron.
pub(crate) async fn lock<P>(writer: &Writer<P>, id: PatronId) -> Result<Patron> {
    locked(writer, &[id]).await?.pop().ok_or_else(missing)
}

/// Those of `patrons` that are the organization's and not removed, locked in the order of their
/// ids until the writer ends: whoever changes a patron's attendance or points waits here, and two
/// who change several never wait for each other in a circle.
pub(crate) async fn locked<P>(writer: &Writer<P>, patrons: &[PatronId]) -> Result<Vec<Patron>> {
    use sea_orm::QueryOrder;
    let among = writer
        .any(
            patron::Column::Id,
            patrons.iter().map(|id| id.uuid()).collect(),
        )
        .await?;
    let select = writer
        .find::<patron::Entity>()
        .filter(among)
        .filter(patron::Column::DeletedAt.is_null())
        .order_by_asc(patron::Column::Id)
        .lock(LockType::NoKeyUpdate);
    writer.all(select).await
}

/// Tidies what is known of a patron and refuses what is wrong with it, all at once.
pub(crate) fn check(input: &NewPatron) -> Result<NewPatron> {
    let mut problems = Vec::new();
    let first_name = text::required(&mut problems, "firstName", &input.first_name, 200);
    let last_name = text::optional(&mut problems, "lastName", &input.last_name, 200);
    let email = match input
        .email
        .as_deref()
        .map(str::trim)
        .filter(|address| !address.is_empty())
    {
        Some(address) => email::check(address)
            .map_err(|problem| problems.push(problem))
            .ok(),
        None => None,
    };
    let phone = match input
        .phone
        .as_deref()
        .map(str::trim)
        .filter(|number| !number.is_empty())
    {
        Some(number) => text::phone(number)
            .map_err(|problem| problems.push(problem))
            .ok(),
        None => None,
    };
    if problems.is_empty() {
        Ok(NewPatron {
            first_name,
            last_name,
            email,
            phone,
        })
    } else {
        Err(Error::Refused(problems))
    }
}

/// What patrons of that name are ordered by, cut to what an index takes: taken apart, a letter may
/// become many.
pub(crate) fn sort_name(first_name: &str, last_name: &str) -> String {
    let folded = text::fold(&format!("{last_name} {first_name}"));
    let folded = folded.trim();
    folded[..folded.floor_char_boundary(SORTED)].to_owned()
}

/// The row of a checked new patron, for whichever organization it is inserted.
pub(crate) fn row(input: &NewPatron, now: chrono::DateTime<chrono::Utc>) -> patron::ActiveModel {
    patron::ActiveModel {
        id: Set(PatronId::random()),
        user_id: Set(None),
        first_name: Set(input.first_name.clone()),
        last_name: Set(input.last_name.clone()),
        email: Set(input.email.clone()),
        phone: Set(input.phone.clone()),
        sort_name: Set(sort_name(&input.first_name, &input.last_name)),
        search: Set(search(input)),
        points: Set(0),
        qualifying_points: Set(0),
        created_at: Set(now),
        updated_at: Set(now),
        deleted_at: Set(None),
        ..Default::default()
    }
}

fn sort(query: &str) -> Sort<patron::Entity> {
    Sort {
        column: patron::Column::SortName,
        id: patron::Column::Id,
        descending: false,
        list: format!("patrons {query}"),
        of: None,
    }
}

/// The patrons that a search finds, and the search as it was understood.
fn matching(
    reader: &Reader<PatronsRead>,
    query: Option<&str>,
) -> Result<(Scoped<patron::Entity>, String)> {
    let mut select = reader
        .find::<patron::Entity>()
        .filter(patron::Column::DeletedAt.is_null());
    let query = text::fold(query.unwrap_or_default());
    if query.chars().count() > 200 {
        return Err(Error::refused(
            Code::TooLong,
            "search",
            "A search has at most 200 characters.",
        ));
    }
    if query.contains('\0') {
        return Err(Error::refused(
            Code::Invalid,
            "search",
            "This has a control character in it. Remove it.",
        ));
    }
    for word in query.split_whitespace().take(WORDS) {
        // What LIKE takes for wildcards is meant as it is written.
        let literal = ['!', '%', '_']
            .iter()
            .fold(word.to_owned(), |word, wildcard| {
                word.replace(*wildcard, &format!("!{wildcard}"))
            });
        let pattern = LikeExpr::new(format!("%{literal}%")).escape('!');
        select = select.filter(patron::Column::Search.like(pattern));
    }
    Ok((select, query))
}

fn missing() -> Error {
    Error::refused(
        Code::NotFound,
        "patronId",
        "The organization has no such patron.",
    )
}

fn search(input: &NewPatron) -> String {
    let parts = [
        &*input.first_name,
        &*input.last_name,
        input.email.as_deref().unwrap_or(""),
        input.phone.as_deref().unwrap_or(""),
    ];
    text::fold(&parts.join(" "))
}

async fn require_free_email<P>(
    writer: &Writer<P>,
    email: Option<&str>,
    own: Option<PatronId>,
) -> Result<()> {
    let Some(email) = email else { return Ok(()) };
    let mut select = writer
        .find::<patron::Entity>()
        .filter(patron::Column::Email.eq(email))
        .filter(patron::Column::DeletedAt.is_null());
    if let Some(own) = own {
        select = select.filter(patron::Column::Id.ne(own.uuid()));
    }
    match writer.one(select).await? {
        Some(_) => Err(Error::refused(
            Code::Taken,
            "email",
            "Another patron has this address.",
        )),
        None => Ok(()),
    }
}
