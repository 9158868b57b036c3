//! `rollcall import`: the operator brings a file in.

mod mapping;
mod report;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use domain::{
    Clock, Error, Scope, System,
    attendance::imports::{
        Preset,
        import::{self, Import, ImportId, NewImport, Status},
    },
    jobs::Worker,
    organizations::slug,
    permission::{ImportsCreate, ImportsRead},
};
use tokio_util::sync::CancellationToken;

use super::{mention, say, serve::announce};
use crate::{
    configuration::Configuration,
    id,
    server::{self, StartError},
};

/// What to bring in, and where to.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The export: Eventbrite attendees, Meetup members or attendees, or any CSV.
    file: std::path::PathBuf,
    /// Slug of the organization.
    #[arg(long)]
    organization: String,
    /// Id of the event that the file's attendance belongs to, as the API shows it.
    #[arg(long)]
    event: Option<String>,
    #[arg(long, value_parser = mapping::preset, help = format!(
        "What kind of file it is; found out unless given [one of: {}]", mapping::presets()
    ))]
    preset: Option<Preset>,
    #[arg(long = "map", value_name = "COLUMN=FIELD", value_parser = mapping::column, help = format!(
        "What a column holds, where it is not found out; may be repeated [fields: {}]", mapping::fields()
    ))]
    columns: Vec<mapping::Column>,
    /// Zone of times that name none; the organization's unless given.
    #[arg(long)]
    time_zone: Option<String>,
    /// 03/04 is the third of April.
    #[arg(long)]
    day_first: bool,
    /// Write what the dry run found. Without it nothing is changed.
    #[arg(long)]
    commit: bool,
    /// Rows that resemble a known patron are other people: make them too.
    #[arg(long)]
    create_suggested: bool,
}

/// Makes the dry run, shows every row that is not plain, and writes if told to.
///
/// # Errors
/// The file, the organization or the event is not there, or the file cannot be read.
pub async fn import(configuration: &Configuration, arguments: Arguments) -> Result<(), StartError> {
    announce(configuration);
    let file = &arguments.file;
    let content = read(file)?;
    let mapping = mapping::resolve(file, &content, &arguments.columns, &arguments)?;
    let db = server::open(configuration, Clock::system()).await?;
    let system = System::new(&db, "import a file for the operator");
    let organization = slug::find(&system, &arguments.organization)
        .await?
        .ok_or_else(|| {
            format!(
                "--organization: there is none at {}",
                arguments.organization
            )
        })?;
    let scope = system.scope(organization);
    let event = arguments
        .event
        .map(|text| id::decode(&text.into(), "eventId"))
        .transpose()
        .map_err(by_option)?;
    let input = NewImport {
        file_name: file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        content,
        event,
        preset: arguments.preset,
        mapping,
        time_zone: arguments.time_zone,
        day_first: arguments.day_first,
    };
    say(format!(
        "Import to {} in {}.",
        arguments.organization,
        configuration.database.in_words()
    ));
    let started = import::start(scope.writer::<ImportsCreate>().await?, input).await;
    let started = started.map_err(by_option)?;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(Worker::new(&db).run(stop.clone()));
    let previewed = finish(&scope, started.id).await?;
    report::preview(&scope, &previewed, arguments.create_suggested).await?;
    if previewed.rows_total > 0 && previewed.with_error == previewed.rows_total {
        return Err(format!("{}: no row could be read.", file.display()).into());
    }
    if arguments.commit {
        import::commit(
            scope.writer::<ImportsCreate>().await?,
            started.id,
            arguments.create_suggested,
        )
        .await?;
        let committed = finish(&scope, started.id).await?;
        report::outcome(&scope, &committed, arguments.create_suggested).await?;
    } else {
        say("Nothing was changed. Run again with --commit to write.");
    }
    stop.cancel();
    worker.await?;
    db.close().await;
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, StartError> {
    let wrong = |what: &str| Err(format!("{}: {what}", file.display()).into());
    let too_large = "A file has at most 16 MiB. Split it.";
    if std::fs::metadata(file).is_ok_and(|about| about.len() > import::LARGEST as u64) {
        return wrong(too_large);
    }
    match std::fs::read(file) {
        Ok(content) if content.is_empty() => wrong("The file is empty."),
        Ok(content) if content.len() > import::LARGEST => wrong(too_large),
        Ok(content) => Ok(content),
        Err(error) => wrong(&error.to_string()),
    }
}

/// A refusal under the options' names instead of the API's fields.
fn by_option(error: Error) -> StartError {
    let Error::Refused(problems) = error else {
        return error.into();
    };
    let problems: Vec<_> = problems
        .into_iter()
        .map(|problem| {
            let option = match problem.field {
                "eventId" => "--event: ",
                "timeZone" => "--time-zone: ",
                "mapping" => "--map: ",
                _ => "",
            };
            format!("{option}{}", problem.message)
        })
        .collect();
    problems.join(" ").into()
}

/// Waits until the import's job is carried out, here or wherever it is taken, and says how far it is.
async fn finish(scope: &Scope, id: ImportId) -> Result<Import, StartError> {
    let mut told = Instant::now();
    loop {
        let import = look(scope, id).await?;
        if let Some(failure) = import.failure {
            return Err(failure.into());
        }
        let (done, total) = (import.rows_done, import.rows_total);
        let progress = match import.status {
            Status::Reading => format!("  {total} rows read"),
            Status::Committing => format!("  {done} of {total} rows written"),
            Status::Previewed | Status::Committed | Status::Failed => return Ok(import),
        };
        if told.elapsed() > Duration::from_secs(1) {
            told = Instant::now();
            mention(progress);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn look(scope: &Scope, id: ImportId) -> Result<Import, StartError> {
    let fresh = scope.fresh();
    let imports = import::load(&fresh.reader::<ImportsRead>()?, &[id]).await?;
    imports
        .into_iter()
        .next()
        .ok_or_else(|| "the import is gone".into())
}
