//! `rollcall migrate`.

use domain::{Database, Db};

use super::serve::{announce, create_directory};
use crate::{configuration::Configuration, server::StartError};

/// Brings the schema up to date, or undoes its last `back` changes.
///
/// # Errors
/// The login may not change the schema, or a change fails.
pub async fn migrate(configuration: &Configuration, back: Option<u32>) -> Result<(), StartError> {
    announce(configuration);
    if let Database::Sqlite { path } = &configuration.database {
        create_directory(path)?;
    }
    match back {
        Some(steps) => {
            Db::roll_back(&configuration.database, steps).await?;
            println!("Undid {steps} changes of the schema.");
        }
        None => match Db::migrate(&configuration.database).await? {
            0 => println!("The schema is up to date."),
            changes => println!("Made {changes} changes of the schema."),
        },
    }
    Ok(())
}
