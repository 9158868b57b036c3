//! Which column means what, as the operator says it: in the words of the API, in lower case and
//! with hyphens.

use std::path::Path;

use async_graphql::EnumType;
use domain::{
    attendance::imports::{self, Field, Mapping, Options, Preset, RowErrorCode},
    organizations::time_zone,
};

use crate::{
    imports::preset::{ImportField, ImportPreset},
    server::StartError,
};

/// In the place of a field: the column is not read.
const IGNORE: &str = "ignore";

/// What a column holds, or that it is not to be read.
pub(super) type Column = (String, Option<Field>);

pub(super) fn preset(text: &str) -> Result<Preset, String> {
    let preset = find::<ImportPreset>(text);
    let preset = preset.ok_or_else(|| format!("it is one of {}", words::<ImportPreset>()))?;
    Ok(preset.into())
}

pub(super) fn column(text: &str) -> Result<Column, String> {
    let wrong = || format!("write COLUMN=FIELD, where FIELD is one of {}", fields());
    // A column's name may have the sign in it, a field's has not.
    let (column, field) = text.rsplit_once('=').ok_or_else(wrong)?;
    if field.eq_ignore_ascii_case(IGNORE) {
        return Ok((column.to_owned(), None));
    }
    let field = find::<ImportField>(field).ok_or_else(wrong)?;
    Ok((column.to_owned(), Some(field.into())))
}

/// The words that `--preset` takes.
pub(super) fn presets() -> String {
    words::<ImportPreset>()
}

/// The words that `--map` takes after the sign.
pub(super) fn fields() -> String {
    format!("{}, {IGNORE}", words::<ImportField>())
}

/// The word for a value.
pub(super) fn word<E: EnumType>(value: E) -> String {
    let item = E::items().iter().find(|item| item.value == value);
    item.map_or_else(String::new, |item| kebab(item.name))
}

/// The mapping that `columns` make of the preset's, if there are any: a field that is given to a
/// column is taken from the one that the preset had for it. Looks at the header before anything is
/// started, so that what does not fit it is told with the columns that are there.
pub(super) fn resolve(
    file: &Path,
    content: &[u8],
    columns: &[Column],
    arguments: &super::Arguments,
) -> Result<Option<Mapping>, StartError> {
    let zone = arguments.time_zone.as_deref().unwrap_or("UTC");
    let mut options = Options {
        time_zone: time_zone::check(zone)
            .map_err(|problem| format!("--time-zone {zone}: {}", problem.message))?,
        day_first: arguments.day_first,
        preset: arguments.preset,
        mapping: None,
    };
    let in_file = |error| format!("{}: {error}", file.display());
    let reader = imports::read(content, &options).map_err(in_file)?;
    let there = reader.columns().join(", ");
    if !columns.is_empty() {
        let mut mapping = reader.mapping().clone();
        for (column, field) in columns {
            if !reader.columns().contains(column) {
                let text = format!("--map: the file has no column \"{column}\". It has: {there}");
                return Err(text.into());
            }
            mapping.remove(column);
            mapping.retain(|_, other| Some(*other) != *field);
        }
        let given = columns
            .iter()
            .filter_map(|(column, field)| Some((column.clone(), (*field)?)));
        mapping.extend(given);
        options.mapping = Some(mapping);
    }
    let mut reader = imports::read(content, &options).map_err(in_file)?;
    if let Some(Err(error)) = reader.next()
        && error.code == RowErrorCode::NoPersonColumn
    {
        let first = reader.columns().first().map_or("Name", String::as_str);
        return Err(format!(
            "{}: no column is known to hold a name, an e-mail address, a phone number or an id.\n\
             Its columns: {there}\n\
             Say what a column holds with --map COLUMN=FIELD, as often as needed, like --map \"{first}=full-name\".\n\
             Fields: {}",
            file.display(),
            fields()
        )
        .into());
    }
    Ok(options.mapping)
}

fn find<E: EnumType>(text: &str) -> Option<E> {
    let name = text.trim().replace('-', "_");
    let item = E::items()
        .iter()
        .find(|item| item.name.eq_ignore_ascii_case(&name))?;
    Some(item.value)
}

fn words<E: EnumType>() -> String {
    let words: Vec<_> = E::items().iter().map(|item| kebab(item.name)).collect();
    words.join(", ")
}

fn kebab(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}
