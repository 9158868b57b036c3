//! The dry run: what would be done with each row. It changes nothing but the import itself.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::attendance::{import, import_file, import_row};
use sea_orm::{ColumnTrait, QueryFilter, Set};

use super::{
    Row, RowError, RowErrorCode,
    commit::CHUNK,
    file,
    import::{Found, Import, ImportId, Status, Verdict, json, reading},
    matching::{self, Match},
};
use crate::{
    Change, ChangeKind, Error, Result, Scope, Writer, attendance::scan::AHEAD,
    permission::ImportsCreate, secret, text,
};

/// Reads the file of an import and writes each row's verdict, in chunks. Begun again after a stop,
/// it starts from the first row.
///
/// # Errors
/// Only for trouble of ours: a file that cannot be read fails the import, which then says why.
pub async fn run(scope: &Scope, id: ImportId) -> Result<()> {
    let writer = scope.writer::<ImportsCreate>().await?;
    let Some(import) = writer
        .one(
            writer
                .find::<import::Entity>()
                .filter(import::Column::Id.eq(id.uuid())),
        )
        .await?
    else {
        return Ok(());
    };
    let file = writer
        .find::<import_file::Entity>()
        .filter(import_file::Column::ImportId.eq(id.uuid()));
    let (Status::Reading, Some(file)) = (import.status, writer.one(file).await?) else {
        return Ok(());
    };
    let mut plan = reading(&import)?;
    let mut reader = match file::read(&file.content, &plan.options()?) {
        Ok(reader) => reader,
        Err(error) => return fail(writer, id, &error.to_string()).await,
    };
    plan.found = Some(Found {
        encoding: reader.encoding(),
        separator: reader.separator(),
        columns: reader.columns().to_vec(),
        detection: reader.detection().clone(),
        preset: reader.preset(),
        mapping: reader.mapping().clone(),
    });
    // A run that was stopped left rows and counts.
    let rows = writer
        .removal::<import_row::Entity>()
        .filter(import_row::Column::ImportId.eq(id.uuid()));
    writer.delete(rows).await?;
    let reset = [
        import::Column::RowsTotal,
        import::Column::ToCreate,
        import::Column::ToLink,
        import::Column::ToSuggest,
        import::Column::ToSkip,
        import::Column::WithError,
    ];
    let update = reset
        .into_iter()
        .fold(writer.change::<import::Entity>(), |update, column| {
            update.set(column, 0)
        });
    let update = update
        .set(import::Column::Options, json(&plan)?)
        .filter(import::Column::Id.eq(id.uuid()));
    writer.update(update).await?;
    writer
        .commit(Change::new(ChangeKind::ImportProgressed, id))
        .await?;

    let mut seen = Seen::default();
    loop {
        let now = scope.clock().now();
        let named = |item: Result<Row, RowError>| in_time(named(item?, &import), now);
        let items: Vec<Result<Row, RowError>> = reader.by_ref().take(CHUNK).map(named).collect();
        if items.is_empty() {
            break;
        }
        let writer = scope.writer::<ImportsCreate>().await?;
        judge(&writer, &import, items, &mut seen).await?;
        writer
            .commit(Change::new(ChangeKind::ImportProgressed, id))
            .await?;
    }
    let writer = scope.writer::<ImportsCreate>().await?;
    let update = writer
        .change::<import::Entity>()
        .set(import::Column::Status, Status::Previewed)
        .set(import::Column::UpdatedAt, writer.scope().clock().now())
        .filter(import::Column::Id.eq(id.uuid()));
    writer.update(update).await?;
    forget(&writer, id).await?;
    writer
        .commit(Change::new(ChangeKind::ImportPreviewed, id))
        .await
}

/// Ends an import that cannot be carried out, and says why.
pub(crate) async fn fail(writer: Writer<ImportsCreate>, id: ImportId, why: &str) -> Result<()> {
    let update = writer
        .change::<import::Entity>()
        .set(import::Column::Status, Status::Failed)
        .set(import::Column::Failure, why.to_owned())
        .filter(import::Column::Id.eq(id.uuid()));
    writer.update(update).await?;
    forget(&writer, id).await?;
    writer
        .commit(Change::new(ChangeKind::ImportFailed, id))
        .await
}

/// Drops the file's bytes: everything the commit needs is in the rows.
async fn forget(writer: &Writer<ImportsCreate>, id: ImportId) -> Result<()> {
    let file = writer
        .removal::<import_file::Entity>()
        .filter(import_file::Column::ImportId.eq(id.uuid()));
    writer.delete(file).await.map(|_| ())
}

/// A row that has neither an id nor an address is known by its place in this very file, so that the
/// same file again makes nobody twice.
fn named(mut row: Row, import: &Import) -> Row {
    if row.person.external.is_none() && row.person.email.is_none() {
        let digest = import.digest.iter().take(16);
        let digest: String = digest.map(|byte| format!("{byte:02x}")).collect();
        row.person.external = Some((FILE.to_owned(), format!("{digest}:{}", row.line)));
    }
    row
}

/// The source of ids that are places in files.
const FILE: &str = "file";

/// What became of the people of earlier rows of the same file, by short digests: 50,000 of them fit
/// in two megabytes.
#[derive(Default)]
struct Seen(HashMap<u64, Verdict>);

impl Seen {
    /// The verdict of an earlier row about the same person.
    fn earlier(&self, row: &Row) -> Option<Verdict> {
        digests(row).find_map(|digest| self.0.get(&digest).copied())
    }

    fn note(&mut self, row: &Row, verdict: Verdict) {
        // Who is passed over is not known to a later row.
        if verdict != Verdict::Skip {
            for digest in digests(row) {
                self.0.entry(digest).or_insert(verdict);
            }
        }
    }
}

fn digests(row: &Row) -> impl Iterator<Item = u64> {
    let person = &row.person;
    let external = person.external.as_ref();
    let keys = [
        external.map(|(source, id)| format!("{source}\0{id}")),
        person.email.clone(),
    ];
    keys.into_iter().flatten().map(|key| {
        let digest = secret::sha256(key.as_bytes());
        let first = digest.iter().take(8);
        first.fold(0, |number, byte| number << 8 | u64::from(*byte))
    })
}

/// A row that says something of the future is no row of an attendance list.
fn in_time(row: Row, now: DateTime<Utc>) -> Result<Row, RowError> {
    let times = row.attendance.iter();
    let mut times = times.flat_map(|said| [said.arrived_at, said.left_at]);
    if times.any(|at| at.is_some_and(|at| at > now + AHEAD)) {
        return Err(RowError {
            line: row.line,
            column: None,
            code: RowErrorCode::TimeOutOfRange,
            message: "The arrival or departure is in the future. Correct the time, or its zone."
                .to_owned(),
        });
    }
    Ok(row)
}

async fn judge(
    writer: &Writer<ImportsCreate>,
    import: &Import,
    items: Vec<Result<Row, RowError>>,
    seen: &mut Seen,
) -> Result<()> {
    let people: Vec<_> = items
        .iter()
        .filter_map(|item| item.as_ref().ok())
        .map(|row| &row.person)
        .collect();
    let known = matching::look_up(writer, &people).await?;
    let mut rows = Vec::with_capacity(items.len());
    let mut counts = [0_i64; 5];
    for item in items {
        let (line, verdict, code, message, column, content, patron) = match item {
            Err(error) => {
                let code = json(&error.code)?.as_str().map(str::to_uppercase);
                (
                    error.line,
                    Verdict::Error,
                    code,
                    Some(error.message),
                    error.column,
                    serde_json::json!({}),
                    None,
                )
            }
            Ok(row) => {
                let earlier = seen.earlier(&row);
                let of_event = import.event_id.is_some();
                let (verdict, code, message, patron) =
                    verdict(&row, known.find(&row.person), earlier, of_event)?;
                seen.note(&row, verdict);
                (row.line, verdict, code, message, None, json(&row)?, patron)
            }
        };
        if let Some(count) = counts.get_mut(verdict as usize) {
            *count += 1;
        }
        rows.push(import_row::ActiveModel {
            import_id: Set(import.id),
            line: Set(i32::try_from(line).map_err(|error| Error::Internal(error.to_string()))?),
            verdict: Set(verdict),
            code: Set(code),
            message: Set(message),
            column: Set(column.map(|column| column.chars().take(200).collect())),
            content: Set(content),
            patron_id: Set(patron),
            committed: Set(false),
            ..Default::default()
        });
    }
    let columns = [
        import::Column::ToCreate,
        import::Column::ToLink,
        import::Column::ToSuggest,
        import::Column::ToSkip,
        import::Column::WithError,
    ];
    let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let update = writer
        .change::<import::Entity>()
        .add(import::Column::RowsTotal, total);
    let update = columns
        .into_iter()
        .zip(counts)
        .fold(update, |update, (column, count)| update.add(column, count));
    writer
        .update(update.filter(import::Column::Id.eq(import.id.uuid())))
        .await?;
    writer.insert_all(rows).await
}

type Judged = (
    Verdict,
    Option<String>,
    Option<String>,
    Option<entity::patrons::patron::PatronId>,
);

fn verdict(row: &Row, found: Match, earlier: Option<Verdict>, of_event: bool) -> Result<Judged> {
    let code = |code: &str| Some(code.to_owned());
    if let Some(reason) = row.skip {
        let reason = json(&reason)?.as_str().map(str::to_uppercase);
        let (message, patron) = match found {
            Match::Known(patron) if of_event && row.withdrawn() => (
                "The file says that this ticket does not count. Unless the patron has another, their registration ends.",
                Some(patron),
            ),
            _ => ("The file says that this person does not count.", None),
        };
        return Ok((Verdict::Skip, reason, Some(message.to_owned()), patron));
    }
    Ok(match found {
        Match::Known(patron) => (Verdict::Link, None, None, Some(patron)),
        _ if earlier == Some(Verdict::Suggest) => {
            let message = "An earlier row is about the same person and resembles a patron. Unless you say otherwise, both are left out.";
            (
                Verdict::Suggest,
                code("EARLIER_ROW"),
                Some(message.to_owned()),
                None,
            )
        }
        _ if earlier.is_some() => (
            Verdict::Link,
            code("EARLIER_ROW"),
            Some("An earlier row is about the same person.".to_owned()),
            None,
        ),
        Match::Resembles(patron) => {
            let message = "A patron has the same name or number. Unless you say otherwise, this row is left out.";
            (
                Verdict::Suggest,
                code("RESEMBLES"),
                Some(message.to_owned()),
                Some(patron),
            )
        }
        Match::Unknown
            if text::fold(&row.person.first_name).is_empty()
                && row.person.last_name.is_empty()
                && row.person.email.is_none() =>
        {
            let message = "The row has neither a name nor an address to make a patron of.";
            (
                Verdict::Skip,
                code("NOBODY_TO_CREATE"),
                Some(message.to_owned()),
                None,
            )
        }
        Match::Unknown => (Verdict::Create, None, None, None),
    })
}
