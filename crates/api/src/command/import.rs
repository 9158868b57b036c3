//! `rollcall import`: the operator brings a file in.

use std::{path::Path, time::Duration};

use domain::{
    Clock, Db, Scope, System,
    attendance::imports::import::{self, Import, ImportId, NewImport, Status, Verdict},
    jobs::Worker,
    organizations::slug,
    page::PageRequest,
    permission::{ImportsCreate, ImportsRead},
};

use super::serve::announce;
use crate::{configuration::Configuration, id, server::StartError};

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
    let content = read(&arguments.file)?;
    let db = Db::open(&configuration.database, Clock::system()).await?;
    db.check().await?;
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
        .map(|text| id::decode(&text.into(), "--event"))
        .transpose()?;
    let input = NewImport {
        file_name: arguments
            .file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        content,
        event,
        preset: None,
        mapping: None,
        time_zone: arguments.time_zone,
        day_first: arguments.day_first,
    };
    let started = import::start(scope.writer::<ImportsCreate>().await?, input).await?;
    let previewed = finish(&db, &scope, started.id).await?;
    if let Some(failure) = previewed.failure {
        return Err(failure.into());
    }
    show(&scope, &previewed).await?;
    if arguments.commit {
        import::commit(
            scope.writer::<ImportsCreate>().await?,
            started.id,
            arguments.create_suggested,
        )
        .await?;
        let committed = finish(&db, &scope, started.id).await?;
        println!("Wrote {} rows.", committed.rows_done);
    } else {
        println!("Nothing was changed. Run again with --commit to write.");
    }
    db.close().await;
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, StartError> {
    let too_large = std::fs::metadata(file).is_ok_and(|about| about.len() > import::LARGEST as u64);
    if too_large {
        return Err(format!("{}: a file has at most 16 MiB. Split it", file.display()).into());
    }
    std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()).into())
}

/// Carries the import's job out, here or wherever it is taken, and says how far it is.
async fn finish(db: &Db, scope: &Scope, id: ImportId) -> Result<Import, StartError> {
    let worker = tokio::spawn({
        let worker = Worker::new(db);
        async move { worker.work().await }
    });
    let mut told = std::time::Instant::now();
    loop {
        let import = look(scope, id).await?;
        match import.status {
            Status::Reading | Status::Committing => {
                if told.elapsed() > Duration::from_secs(1) {
                    told = std::time::Instant::now();
                    println!(
                        "  {} rows read, {} written",
                        import.rows_total, import.rows_done
                    );
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            _ => {
                worker.await??;
                return Ok(import);
            }
        }
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

async fn show(scope: &Scope, import: &Import) -> Result<(), StartError> {
    println!(
        "{} rows: {} new patrons, {} known, {} resemble one, {} skipped, {} with an error",
        import.rows_total,
        import.to_create,
        import.to_link,
        import.to_suggest,
        import.to_skip,
        import.with_error
    );
    for verdict in [Verdict::Error, Verdict::Suggest, Verdict::Skip] {
        let mut request = PageRequest {
            first: Some(100),
            ..PageRequest::default()
        };
        loop {
            let page = import::rows(
                &scope.fresh().reader::<ImportsRead>()?,
                import.id,
                Some(verdict),
                &request,
            )
            .await?;
            for (_, row) in &page.rows {
                let column = row
                    .column
                    .as_deref()
                    .map(|column| format!(", column {column}"))
                    .unwrap_or_default();
                println!(
                    "  line {}{column}: {verdict:?}: {}",
                    row.line,
                    row.message.as_deref().unwrap_or_default()
                );
            }
            match page.rows.last() {
                Some((cursor, _)) if page.has_next => request.after = Some(cursor.clone()),
                _ => break,
            }
        }
    }
    Ok(())
}
