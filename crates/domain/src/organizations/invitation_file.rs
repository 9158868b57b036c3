//! Invitations of many people at once, from a CSV file.

use std::collections::HashSet;

use super::{
    access,
    invitation::{self, Invitation},
    role,
};
use crate::{
    Code, Error, Limits, Problem, Result, Writer, identity::email, permission::InvitationsCreate,
};

/// Bytes of a file at most.
const LARGEST: usize = 128 * 1024;
/// People of a file at most.
const MOST: usize = 500;

/// A row of a file, and what became of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The address as the file has it.
    pub email: String,
    /// The invitation, or what is wrong.
    pub result: Result<Invitation, Problem>,
}

/// Invites everybody in a file of one column `email`, and perhaps another, `role`; `role` is what those
/// are to be of whom the file says nothing. What is wrong with a row keeps no other back.
///
/// # Errors
/// A refusal for a file that cannot be read, or has too many rows, and for a role that the caller cannot
/// grant.
pub async fn invite_all(
    writer: Writer<InvitationsCreate>,
    limits: &Limits,
    file: &[u8],
    role: &str,
) -> Result<Vec<Row>> {
    let people = read(file, role)?;
    let (mut checked, mut seen) = (Vec::new(), HashSet::new());
    for person in people {
        let address = check(&writer, limits, &person.email, &mut seen).await;
        checked.push((person, address));
    }
    let organization = access::lock(&writer).await?;
    role::grantable(&writer, role, "role").await?;
    let (mut rows, mut changes) = (Vec::new(), Vec::new());
    for (Person { line, email, role }, address) in checked {
        let invited = match address {
            Ok(address) => invitation::invite(&writer, &organization, &address, &role).await,
            Err(error) => Err(error),
        };
        let result = match invited {
            Ok(invitation) => {
                changes.push(invitation::told(&invitation));
                Ok(invitation)
            }
            Err(error) => Err(problem(error)?),
        };
        rows.push(Row {
            line,
            email,
            result,
        });
    }
    if !changes.is_empty() {
        writer.commit_all(changes).await?;
    }
    Ok(rows)
}

/// The address of a row as it is stored, if it may be invited now.
async fn check(
    writer: &Writer<InvitationsCreate>,
    limits: &Limits,
    email: &str,
    seen: &mut HashSet<String>,
) -> Result<String> {
    let address = email::check(email).map_err(|problem| Error::Refused(vec![problem]))?;
    if !seen.insert(address.clone()) {
        let message = "This address is in the file before.";
        return Err(Error::refused(Code::Taken, "email", message));
    }
    invitation::count(writer, limits, &address).await?;
    Ok(address)
}

struct Person {
    line: u64,
    email: String,
    role: String,
}

fn read(file: &[u8], role: &str) -> Result<Vec<Person>> {
    let unreadable = |message: String| Error::refused(Code::UnreadableFile, "content", message);
    if file.len() > LARGEST {
        let message = format!("The file has more than {} KiB. Split it.", LARGEST / 1024);
        return Err(Error::refused(Code::TooLong, "content", message));
    }
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file));
    let headers = reader
        .headers()
        .map_err(|error| unreadable(format!("This is no CSV in UTF-8: {error}.")))?;
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header.eq_ignore_ascii_case(name))
    };
    let (Some(email), role_of) = (column("email"), column("role")) else {
        return Err(unreadable(
            "The first line names the columns, and one of them is email.".to_owned(),
        ));
    };
    let mut people = Vec::new();
    for record in reader.records() {
        let record =
            record.map_err(|error| unreadable(format!("This is no CSV in UTF-8: {error}.")))?;
        if people.len() >= MOST {
            let message = format!("The file names more than {MOST} people. Split it.");
            return Err(Error::refused(Code::TooLong, "content", message));
        }
        let own = role_of.and_then(|column| record.get(column));
        people.push(Person {
            line: record.position().map_or(0, csv::Position::line),
            email: record.get(email).unwrap_or_default().to_owned(),
            role: own.filter(|own| !own.is_empty()).unwrap_or(role).to_owned(),
        });
    }
    Ok(people)
}

/// What is wrong with one row; all else is the whole file's.
fn problem(error: Error) -> Result<Problem> {
    match error {
        Error::Refused(mut problems) if !problems.is_empty() => Ok(problems.swap_remove(0)),
        Error::Limited { .. } => Ok(Problem::new(
            Code::WrongState,
            "email",
            "This address got too many invitations lately. Try again tomorrow.",
        )),
        other => Err(other),
    }
}
