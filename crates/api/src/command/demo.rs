//! `rollcall demo`: a working Rollcall with sample data, from nothing.

use std::{
    fs::File,
    io::{ErrorKind, IsTerminal, Write},
    path::Path,
};

use domain::{Clock, Database, Db, demo, identity::Passwords, secret::Token};
use tokio::net::TcpSocket;

use super::{
    say,
    serve::{announce, create_directory},
    stop::Stop,
};
use crate::{
    configuration::Configuration,
    mail,
    server::{self, Server, StartError, cause},
};

/// Loads the sample data unless it is there already, says where to go and how to sign in, and
/// serves. The demo has a database of its own in the data directory, whatever `DATABASE_URL` says.
///
/// # Errors
/// What keeps the instance from starting.
pub async fn demo(configuration: &Configuration) -> Result<(), StartError> {
    let path = configuration.data.join("demo.db");
    if configuration.database_given {
        let path = path.display();
        say(format!(
            "The demo has a file of its own, {path}: DATABASE_URL is ignored."
        ));
    }
    let mail = configuration.mail.clone();
    let configuration = Configuration {
        database: Database::Sqlite { path: path.clone() },
        database_given: false,
        redis_url: None,
        // Whoever tries it out signs in as one role after another.
        rate_limits: Some(configuration.rate_limits.unwrap_or(false)),
        mail: Some(mail.unwrap_or(mail::Settings::Outbox)),
        ..configuration.clone()
    };
    announce(&configuration);
    let address = server::bind(&configuration)?;
    create_directory(&configuration)?;
    let passwords = Passwords::new(configuration.password_profile)?;
    let password = password(&configuration.data.join("demo-password"))?;
    if !path.exists() {
        load(&configuration.data, &path, &passwords, &password).await?;
    }
    let writable = File::options().write(true).open(&path);
    writable.map_err(|error| in_data(&path, "cannot be written", &error))?;
    let stop = Stop::new()?;
    let server = start(address, &configuration);
    let server = server.await.map_err(|error| {
        let path = path.display();
        format!(
            "{error}. If {path} is damaged, remove it, {path}-wal and {path}-shm to start anew."
        )
    })?;
    greet(&server, configuration.mail.as_ref(), &password);
    stop.asked().await;
    server.stop().await;
    Ok(())
}

async fn start(address: TcpSocket, configuration: &Configuration) -> Result<Server, StartError> {
    server::migrate(configuration).await?;
    let server = Server::start_at(address, configuration, Clock::system()).await?;
    let refreshed = demo::refresh(server.db()).await;
    refreshed.map_err(|error| server::unusable(configuration, &error))?;
    Ok(server)
}

fn in_data(path: &Path, what: &str, error: &std::io::Error) -> StartError {
    format!("ROLLCALL_DATA: {} {what}: {error}", path.display()).into()
}

/// Loads into a file beside the real one, which takes its name when it is complete: a load that is
/// broken off leaves nothing behind.
async fn load(
    data: &Path,
    path: &Path,
    passwords: &Passwords,
    password: &str,
) -> Result<(), StartError> {
    let unfinished = data.join("demo.db.loading");
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(data.join(format!("demo.db.loading{suffix}")));
    }
    let database = Database::Sqlite {
        path: unfinished.clone(),
    };
    let migrated = Db::migrate(&database).await;
    migrated.map_err(|error| format!("ROLLCALL_DATA: {}", cause(&error)))?;
    say("Loading a year of sample data, once.");
    let terminal = std::io::stdout().is_terminal();
    let shown = std::cell::Cell::new(0);
    let progress = |hundredths: u64| {
        // A log gets a line every quarter; a terminal, a number that counts.
        if terminal {
            let _ = write!(std::io::stdout(), "\r  {hundredths:>3} %");
            let _ = std::io::stdout().flush();
        } else if hundredths >= shown.get() + 25 {
            shown.set(hundredths);
            say(format!("  {hundredths} %"));
        }
    };
    demo::load(&database, passwords, password, Clock::system(), progress).await?;
    say(format!("{}  100 %", if terminal { "\r" } else { "" }));
    std::fs::rename(&unfinished, path).map_err(|error| in_data(path, "cannot be written", &error))
}

/// The demo's password: made by chance, kept beside the data, readable by its owner alone.
fn password(file: &Path) -> Result<String, StartError> {
    match std::fs::read_to_string(file) {
        Ok(password) => return Ok(password.trim().to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(in_data(file, "cannot be read", &error)),
    }
    let letters: String = Token::random()?
        .reveal()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(12)
        .collect();
    // The rule asks for both cases and a digit.
    let password = format!("Demo-{letters}-7");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(file)
        .and_then(|mut file| file.write_all(password.as_bytes()));
    written.map_err(|error| in_data(file, "cannot be written", &error))?;
    Ok(password)
}

fn greet(server: &Server, mail: Option<&mail::Settings>, password: &str) {
    let address = server.address();
    say("");
    say(format!("  Rollcall is at   http://{address}/"));
    if !web::explorer_is_built() {
        say(
            "  (without the full explorer: install Node 20 or newer, run cargo clean -p web, and start again)",
        );
    }
    if let Some(mail::Settings::Outbox) = mail {
        say(format!("  Its mails are at http://{address}/outbox"));
    }
    say(format!("  Password         {password}"));
    say("  Logins:");
    let mut organization = "";
    for (name, role, login) in demo::logins() {
        if name != organization {
            organization = name;
            say(format!("    {name}"));
        }
        say(format!("      {login:<18} {role}"));
    }
    say("");
    say(
        "  Open the page and go through its tabs: SignIn, Events, Subscribe, CheckIn. Ctrl-C stops.",
    );
}
