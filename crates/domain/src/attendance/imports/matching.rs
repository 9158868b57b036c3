//! Whom a row means: by its id elsewhere, then by its address; a name or a number only suggests.

use std::collections::HashMap;

use entity::patrons::{
    external_id,
    patron::{self, PatronId},
};
use sea_orm::{ColumnTrait, QueryFilter};

use super::row::Person;
use crate::{Result, Writer, patrons::patron::sort_name as patron_sort_name, text};

/// What the organization knows of the people in some rows.
pub(super) struct Known {
    by_external: HashMap<(String, String), PatronId>,
    by_email: HashMap<String, PatronId>,
    names: HashMap<PatronId, String>,
    by_name: HashMap<String, PatronId>,
    by_phone: HashMap<(String, String), PatronId>,
}

/// Whom a row means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// This patron.
    Known(PatronId),
    /// Perhaps this patron.
    Resembles(PatronId),
    /// Nobody known.
    Unknown,
}

/// Looks the people of some rows up, with as many statements for any number of them: one for each
/// way to know somebody, so that each walks its own index.
pub(super) async fn look_up<P>(writer: &Writer<P>, people: &[&Person]) -> Result<Known> {
    let externals = people.iter().filter_map(|person| person.external.as_ref());
    let mut by_source: HashMap<&str, Vec<String>> = HashMap::new();
    for (source, id) in externals {
        by_source.entry(source).or_default().push(id.clone());
    }
    let mut known = Known {
        by_external: HashMap::new(),
        by_email: HashMap::new(),
        names: HashMap::new(),
        by_name: HashMap::new(),
        by_phone: HashMap::new(),
    };
    let mut linked = Vec::new();
    for (source, ids) in by_source {
        let select = writer
            .find::<external_id::Entity>()
            .filter(external_id::Column::Source.eq(source))
            .filter(
                writer
                    .any_text(external_id::Column::ExternalId, ids)
                    .await?,
            );
        for row in writer.all(select).await? {
            linked.push(row.patron_id.uuid());
            known
                .by_external
                .insert((row.source, row.external_id), row.patron_id);
        }
    }
    let emails = people.iter().filter_map(|person| person.email.clone());
    let names = people
        .iter()
        .map(|person| sort_name(person))
        .filter(|name| !name.is_empty());
    let phones = people.iter().filter_map(|person| person.phone.clone());
    let column = patron::Column::Email;
    let by_email = writer.any_text(column, emails.collect()).await?;
    let column = patron::Column::SortName;
    let by_name = writer.any_text(column, names.collect()).await?;
    let column = patron::Column::Phone;
    let by_phone = writer.any_text(column, phones.collect()).await?;
    let by_id = writer.any(patron::Column::Id, linked).await?;
    for alike in [by_email, by_name, by_phone, by_id] {
        let select = writer
            .find::<patron::Entity>()
            .filter(patron::Column::DeletedAt.is_null())
            .filter(alike);
        for row in writer.all(select).await? {
            known.note(row);
        }
    }
    Ok(known)
}

impl Known {
    /// Whom `person` means. An id out of a plain CSV is somebody's own numbering, which another
    /// list may use too: there the name has to agree.
    pub(super) fn find(&self, person: &Person) -> Match {
        let name = sort_name(person);
        if let Some(external) = &person.external
            && let Some(id) = self.by_external.get(external)
            && let Some(known) = self.names.get(id)
            && (external.0 != "csv" || *known == name)
        {
            return Match::Known(*id);
        }
        if let Some(id) = person
            .email
            .as_ref()
            .and_then(|email| self.by_email.get(email))
        {
            return Match::Known(*id);
        }
        let phone = person
            .phone
            .as_ref()
            .map(|phone| (phone.clone(), text::fold(&person.last_name)));
        let alike = phone
            .and_then(|phone| self.by_phone.get(&phone))
            .or_else(|| self.by_name.get(&name));
        alike.map_or(Match::Unknown, |id| Match::Resembles(*id))
    }

    fn note(&mut self, row: patron::Model) {
        if let Some(email) = row.email {
            self.by_email.insert(email, row.id);
        }
        if let Some(phone) = row.phone {
            self.by_phone
                .insert((phone, text::fold(&row.last_name)), row.id);
        }
        self.by_name.insert(row.sort_name.clone(), row.id);
        self.names.insert(row.id, row.sort_name);
    }

    /// Adds a patron made from a row, for the rows after it.
    pub(super) fn add(&mut self, person: &Person, id: PatronId) {
        if let Some(external) = &person.external {
            self.by_external.insert(external.clone(), id);
        }
        if let Some(email) = &person.email {
            self.by_email.insert(email.clone(), id);
        }
        if let Some(phone) = &person.phone {
            self.by_phone
                .insert((phone.clone(), text::fold(&person.last_name)), id);
        }
        let name = sort_name(person);
        self.by_name.insert(name.clone(), id);
        self.names.insert(id, name);
    }
}

fn sort_name(person: &Person) -> String {
    patron_sort_name(&person.first_name, &person.last_name)
}
