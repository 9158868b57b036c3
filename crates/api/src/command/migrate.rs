//! `rollcall migrate`.

use domain::Db;

use super::{
    say,
    serve::{announce, create_directory},
};
use crate::{
    configuration::Configuration,
    server::{self, StartError},
};

/// Brings the schema up to date, or undoes its last `back` changes.
///
/// # Errors
/// The database is away, the login may not change the schema, or a change fails.
pub async fn migrate(configuration: &Configuration, back: Option<u32>) -> Result<(), StartError> {
    announce(configuration);
    create_directory(configuration)?;
    let database = configuration.database.in_words();
    if let Some(steps) = back {
        let before = server::pending(configuration).await?;
        let undone = Db::roll_back(&configuration.database, steps).await;
        undone.map_err(|error| server::unusable(configuration, &error))?;
        let undone = server::pending(configuration).await? - before;
        say(format!(
            "Undid {undone} changes of the schema of {database}."
        ));
    } else {
        match server::migrate(configuration).await? {
            0 => say(format!("The schema of {database} is up to date.")),
            changes => say(format!(
                "Made {changes} changes of the schema of {database}."
            )),
        }
    }
    Ok(())
}
