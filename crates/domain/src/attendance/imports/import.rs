//! Imports: starting one, and seeing how it stands.

use chrono_tz::Tz;
use entity::{
    attendance::{import, import_file, import_row},
    events::event,
};
use sea_orm::{ColumnTrait, QueryFilter, Set};
use serde::{Deserialize, Serialize};

pub use entity::attendance::{
    import::{ImportId, Model as Import, Status},
    import_row::{Model as ImportRow, Verdict},
};

use super::{
    Detection, Encoding, Mapping, Options, Preset,
    record::{MAX_COLUMNS, MAX_FIELD_BYTES},
};
use crate::{
    Change, ChangeKind, Code, Error, Problem, Reader, Result, Writer,
    events::{event::EventId, status},
    organizations::time_zone,
    page::{Key, Page, PageRequest},
    permission::{ImportsCreate, ImportsRead},
    scope::Sort,
    secret, text,
};

/// Bytes of a file at most.
pub const LARGEST: usize = 16 * 1024 * 1024;
/// Bytes of a column's name at most, with the number that tells it from others of that name.
const LONGEST_NAME: usize = MAX_FIELD_BYTES + 16;
/// The job that makes the dry run.
pub const READ: &str = "import.read";
/// The job that writes.
pub const COMMIT: &str = "import.commit";

/// A file to bring in.
#[derive(Clone, Debug)]
pub struct NewImport {
    /// Its name, for people.
    pub file_name: String,
    /// Its bytes.
    pub content: Vec<u8>,
    /// The event that its attendance belongs to; without one only people are brought in.
    pub event: Option<EventId>,
    /// What kind of file it is; found out when not given.
    pub preset: Option<Preset>,
    /// Which column means what; the preset's when not given.
    pub mapping: Option<Mapping>,
    /// Zone of times that name none; the organization's when not given.
    pub time_zone: Option<String>,
    /// Whether 03/04 is the third of April.
    pub day_first: bool,
}

/// How a file is read, and what it turned out to be: the `options` of an import.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reading {
    /// Zone of times that name none.
    pub time_zone: String,
    /// Whether 03/04 is the third of April.
    pub day_first: bool,
    /// What kind of file it is, if it was said.
    pub preset: Option<Preset>,
    /// Which column means what, if it was said.
    pub mapping: Option<Mapping>,
    /// What was found; none before the dry run.
    pub found: Option<Found>,
    /// Whether rows that resemble a known patron make a new one.
    #[serde(default)]
    pub create_suggested: bool,
}

/// What a file turned out to be.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Found {
    /// How its bytes are text.
    pub encoding: Encoding,
    /// What separates its columns.
    pub separator: char,
    /// Its columns.
    pub columns: Vec<String>,
    /// The likeliest preset, and how likely.
    pub detection: Detection,
    /// The preset in use.
    pub preset: Preset,
    /// The mapping in use.
    pub mapping: Mapping,
}

/// Takes a file in and orders its dry run.
///
/// # Errors
/// A refusal for a file that is too large, an event that takes no attendance, or a zone that is
/// none. What the file holds is told by the dry run.
pub async fn start(writer: Writer<ImportsCreate>, input: NewImport) -> Result<Import> {
    let mut problems = Vec::new();
    let file_name = text::required(&mut problems, "fileName", &input.file_name, 255);
    if let Some(zone) = &input.time_zone {
        problems.extend(time_zone::check(zone).err());
    }
    problems.extend(input.mapping.as_ref().and_then(wrong_mapping));
    if !problems.is_empty() {
        return Err(Error::Refused(problems));
    }
    if input.content.is_empty() || input.content.len() > LARGEST {
        return Err(Error::refused(
            Code::TooLong,
            "content",
            "A file has 1 byte to 16 MiB. Split a larger one.",
        ));
    }
    if let Some(id) = input.event {
        let found = writer
            .find::<event::Entity>()
            .filter(event::Column::Id.eq(id.uuid()));
        let found = writer.one(found).await?.ok_or_else(|| {
            Error::refused(
                Code::NotFound,
                "eventId",
                "The organization has no such event.",
            )
        })?;
        let now = writer.scope().clock().now();
        if matches!(
            status::Status::of(&found, now),
            status::Status::Draft | status::Status::Cancelled
        ) {
            return Err(Error::refused(
                Code::EventNotOpen,
                "eventId",
                "A draft or cancelled event has no attendance. Publish it first.",
            ));
        }
    }
    let zone = match input.time_zone {
        Some(zone) => zone,
        None => {
            writer
                .required(writer.find::<entity::organizations::organization::Entity>())
                .await?
                .time_zone
        }
    };
    let reading = Reading {
        time_zone: zone,
        day_first: input.day_first,
        preset: input.preset,
        mapping: input.mapping,
        found: None,
        create_suggested: false,
    };
    let now = writer.scope().clock().now();
    let import = writer
        .insert(import::ActiveModel {
            id: Set(ImportId::random()),
            event_id: Set(input.event),
            created_by: Set(writer.scope().actor().user()),
            file_name: Set(file_name),
            digest: Set(secret::sha256(&input.content)),
            options: Set(json(&reading)?),
            status: Set(Status::Reading),
            failure: Set(None),
            rows_total: Set(0),
            rows_done: Set(0),
            to_create: Set(0),
            to_link: Set(0),
            to_suggest: Set(0),
            to_skip: Set(0),
            with_error: Set(0),
            created_at: Set(now),
            updated_at: Set(now),
            committed_at: Set(None),
            ..Default::default()
        })
        .await?;
    let file = import_file::ActiveModel {
        import_id: Set(import.id),
        content: Set(input.content),
        ..Default::default()
    };
    writer.insert_all(vec![file]).await?;
    writer.enqueue(READ, import.id.uuid()).await?;
    writer
        .commit(Change::new(ChangeKind::ImportStarted, import.id))
        .await?;
    Ok(import)
}

/// What is wrong with a mapping, whatever the file: it is kept before the file is read.
fn wrong_mapping(mapping: &Mapping) -> Option<Problem> {
    let (code, message) = if mapping.keys().any(|column| column.trim().is_empty()) {
        (Code::Required, "A column has a name.")
    } else if mapping.keys().any(|column| column.contains('\0')) {
        (Code::Invalid, "A column has a NUL in its name. Remove it.")
    } else if mapping.len() > MAX_COLUMNS
        || mapping.keys().any(|column| column.len() > LONGEST_NAME)
    {
        (
            Code::TooLong,
            "A file has at most 200 columns, each with a name of at most 10,000 bytes.",
        )
    } else {
        return None;
    };
    Some(Problem::new(code, "mapping", message))
}

/// Orders the writing of an import whose dry run is done. One that is being written, or was, stays
/// as it is. Rows with an error are left out; so are rows that merely resemble a known patron,
/// unless `create_suggested` says that they are other people.
///
/// # Errors
/// A refusal while the dry run is under way, or when it failed.
pub async fn commit(
    writer: Writer<ImportsCreate>,
    id: ImportId,
    create_suggested: bool,
) -> Result<Import> {
    let import = writer
        .one(
            writer
                .find::<import::Entity>()
                .filter(import::Column::Id.eq(id.uuid())),
        )
        .await?
        .ok_or_else(|| {
            Error::refused(
                Code::NotFound,
                "importId",
                "The organization has no such import.",
            )
        })?;
    match import.status {
        Status::Previewed => {}
        Status::Committing | Status::Committed => return Ok(import),
        Status::Reading => {
            return Err(Error::refused(
                Code::WrongState,
                "importId",
                "The dry run is still under way. Wait until its status is PREVIEWED.",
            ));
        }
        Status::Failed => {
            return Err(Error::refused(
                Code::WrongState,
                "importId",
                "The file could not be read. Start another import.",
            ));
        }
    }
    let reading = Reading {
        create_suggested,
        ..reading(&import)?
    };
    let update = writer
        .change::<import::Entity>()
        .set(import::Column::Status, Status::Committing)
        .set(import::Column::Options, json(&reading)?)
        .set(import::Column::UpdatedAt, writer.scope().clock().now())
        .filter(import::Column::Id.eq(id.uuid()))
        .filter(import::Column::Status.eq(Status::Previewed));
    if writer.update(update).await? == 1 {
        writer.enqueue(COMMIT, id.uuid()).await?;
        writer
            .commit(Change::new(ChangeKind::ImportCommitting, id))
            .await?;
    }
    Ok(Import {
        status: Status::Committing,
        ..import
    })
}

/// The organization's imports, newest first.
pub async fn list(reader: &Reader<ImportsRead>, request: &PageRequest) -> Result<Page<Import>> {
    let sort = Sort {
        column: import::Column::CreatedAt,
        id: import::Column::Id,
        descending: true,
        list: "imports".to_owned(),
        of: None,
    };
    let page = reader.page(reader.find::<import::Entity>(), sort, request, |row| {
        (Key::Time(row.created_at), row.id.uuid())
    });
    page.await
}

/// Those of `imports` that are the organization's.
pub async fn load(reader: &Reader<ImportsRead>, imports: &[ImportId]) -> Result<Vec<Import>> {
    let among = reader
        .any(
            import::Column::Id,
            imports.iter().map(|id| id.uuid()).collect(),
        )
        .await?;
    reader
        .all(reader.find::<import::Entity>().filter(among))
        .await
}

/// The rows of an import in the order of the file; only those with `verdict`, if one is given.
pub async fn rows(
    reader: &Reader<ImportsRead>,
    id: ImportId,
    verdict: Option<Verdict>,
    request: &PageRequest,
) -> Result<Page<ImportRow>> {
    let mut select = reader
        .find::<import_row::Entity>()
        .filter(import_row::Column::ImportId.eq(id.uuid()));
    if let Some(verdict) = verdict {
        select = select.filter(import_row::Column::Verdict.eq(verdict));
    }
    let sort = Sort {
        column: import_row::Column::Line,
        id: import_row::Column::ImportId,
        descending: false,
        list: format!("rows of {id} {verdict:?}"),
        of: None,
    };
    reader
        .page(select, sort, request, |row| {
            (Key::Number(i64::from(row.line)), row.import_id.uuid())
        })
        .await
}

/// How an import's file is read.
pub fn reading(import: &Import) -> Result<Reading> {
    serde_json::from_value(import.options.clone())
        .map_err(|error| Error::Internal(format!("options of an import: {error}")))
}

impl Reading {
    pub(super) fn options(&self) -> Result<Options> {
        let time_zone: Tz = self
            .time_zone
            .parse()
            .map_err(|error| Error::Internal(format!("zone of an import: {error}")))?;
        Ok(Options {
            time_zone,
            day_first: self.day_first,
            preset: self.preset,
            mapping: self.mapping.clone(),
        })
    }
}

pub(super) fn json(value: &impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(|error| Error::Internal(error.to_string()))
}
