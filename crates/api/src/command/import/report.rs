//! What an import says to a person.

use std::collections::{HashMap, HashSet};

use domain::{
    Scope,
    attendance::imports::import::{self, Import, ImportRow, Verdict},
    page::PageRequest,
    patrons::patron,
    permission::{ImportsRead, PatronsRead},
};

use super::mapping::word;
use crate::{
    command::say,
    imports::preset::{ImportEncoding, ImportField, ImportPreset},
    server::StartError,
};

/// What the file was taken for, and what becomes of each row that is not plain.
pub(super) async fn preview(
    scope: &Scope,
    import: &Import,
    create_suggested: bool,
) -> Result<(), StartError> {
    file(import)?;
    say(format!(
        "Rows: {} (create {}, link {}, suggest {}, skip {}, error {}).",
        import.rows_total,
        import.to_create,
        import.to_link,
        import.to_suggest,
        import.to_skip,
        import.with_error
    ));
    for verdict in [Verdict::Error, Verdict::Suggest, Verdict::Skip] {
        each_page(scope, import, Some(verdict), async |rows| {
            let known = patrons(scope, &rows).await?;
            for row in &rows {
                let resembled = row.patron_id.and_then(|id| known.get(&id));
                say(line(row, resembled, create_suggested));
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// What was written, by what is there now.
pub(super) async fn outcome(
    scope: &Scope,
    import: &Import,
    create_suggested: bool,
) -> Result<(), StartError> {
    let mut made = HashSet::new();
    let mut written = 0;
    each_page(scope, import, None, async |rows| {
        let known = patrons(scope, &rows).await?;
        for row in rows {
            let counts = match row.verdict {
                Verdict::Create | Verdict::Link => true,
                // Left out, it still names whom it resembles.
                Verdict::Suggest => create_suggested,
                Verdict::Skip | Verdict::Error => false,
            };
            if let (true, Some(id)) = (counts, row.patron_id) {
                written += 1;
                // It was not there when the file came.
                if known
                    .get(&id)
                    .is_some_and(|patron| patron.created_at >= import.created_at)
                {
                    made.insert(id);
                }
            }
        }
        Ok(())
    })
    .await?;
    let linked = written - made.len();
    let left_out = usize::try_from(import.rows_total).unwrap_or_default() - written;
    say(format!(
        "Patrons made: {}. Rows linked to patrons that were there: {linked}. Rows left out: {left_out}.",
        made.len()
    ));
    Ok(())
}

fn file(import: &Import) -> Result<(), StartError> {
    let Some(found) = import::reading(import)?.found else {
        return Ok(());
    };
    let how = if found.preset == found.detection.preset {
        format!("{:.0} % sure", found.detection.confidence * 100.0)
    } else {
        "as told".to_owned()
    };
    say(format!(
        "{}: taken for {} ({how}), {}, columns separated by {}.",
        import.file_name,
        word(ImportPreset::from(found.preset)),
        word(ImportEncoding::from(found.encoding)).to_uppercase(),
        match found.separator {
            ',' => "commas",
            ';' => "semicolons",
            _ => "tabs",
        }
    ));
    let (read, other): (Vec<_>, Vec<_>) = found
        .columns
        .iter()
        .partition(|column| found.mapping.contains_key(*column));
    for column in read {
        if let Some(field) = found.mapping.get(column) {
            say(format!("  {column} -> {}", word(ImportField::from(*field))));
        }
    }
    if !other.is_empty() {
        let other: Vec<_> = other.into_iter().map(String::as_str).collect();
        say(format!("  not read: {}", other.join(", ")));
    }
    Ok(())
}

fn line(row: &ImportRow, resembled: Option<&patron::Patron>, create_suggested: bool) -> String {
    let column = row
        .column
        .as_deref()
        .map(|column| format!(", column {column}"))
        .unwrap_or_default();
    let verdict = format!("{:?}", row.verdict).to_lowercase();
    let message = match (row.verdict, resembled) {
        (Verdict::Suggest, Some(patron)) => {
            let name = format!("{} {}", patron.first_name, patron.last_name);
            let reached = [&patron.email, &patron.phone];
            let reached: String = reached
                .into_iter()
                .flatten()
                .map(|text| format!(", {text}"))
                .collect();
            let then = if create_suggested {
                "Makes another patron, by --create-suggested."
            } else {
                "Left out; --create-suggested would make another patron."
            };
            format!("resembles {}{reached}. {then}", name.trim())
        }
        _ => row.message.clone().unwrap_or_default(),
    };
    format!("  line {}{column}: {verdict}: {message}", row.line)
}

/// The patrons that some rows met, resemble or made.
async fn patrons(
    scope: &Scope,
    rows: &[ImportRow],
) -> Result<HashMap<patron::PatronId, patron::Patron>, StartError> {
    let ids: Vec<_> = rows.iter().filter_map(|row| row.patron_id).collect();
    let patrons = patron::load(&scope.fresh().reader::<PatronsRead>()?, &ids).await?;
    Ok(patrons
        .into_iter()
        .map(|patron| (patron.id, patron))
        .collect())
}

async fn each_page(
    scope: &Scope,
    import: &Import,
    verdict: Option<Verdict>,
    mut see: impl AsyncFnMut(Vec<ImportRow>) -> Result<(), StartError>,
) -> Result<(), StartError> {
    let mut request = PageRequest {
        first: Some(100),
        ..PageRequest::default()
    };
    loop {
        let reader = scope.fresh().reader::<ImportsRead>()?;
        let page = import::rows(&reader, import.id, verdict, &request).await?;
        let more = page.has_next;
        let (cursors, rows): (Vec<_>, Vec<_>) = page.rows.into_iter().unzip();
        see(rows).await?;
        match cursors.into_iter().last() {
            Some(cursor) if more => request.after = Some(cursor),
            _ => return Ok(()),
        }
    }
}
