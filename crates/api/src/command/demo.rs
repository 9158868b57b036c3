//! `rollcall demo`: a working Rollcall with sample data, from nothing.

use std::{
    io::{IsTerminal, Write},
    path::Path,
};

use domain::{Clock, Database, Db, demo, identity::Passwords, secret::Token};

use super::serve::{announce, stop_signal};
use crate::{
    configuration::Configuration,
    server::{Server, StartError},
};

/// Loads the sample data unless it is there already, says where to go and how to sign in, and
/// serves. The demo has a database of its own in the data directory, whatever `DATABASE_URL` says.
///
/// # Errors
/// What keeps the instance from starting.
pub async fn demo(configuration: &Configuration) -> Result<(), StartError> {
    let path = configuration.data.join("demo.db");
    let database = Database::Sqlite { path: path.clone() };
    let configuration = Configuration {
        database: database.clone(),
        redis_url: None,
        ..configuration.clone()
    };
    announce(&configuration);
    std::fs::create_dir_all(&configuration.data).map_err(|error| {
        format!(
            "ROLLCALL_DATA: {} cannot be made: {error}",
            configuration.data.display()
        )
    })?;
    let passwords = Passwords::new(configuration.password_profile)?;
    let password = password(&configuration.data.join("demo-password"))?;
    if !path.exists() {
        load(&configuration.data, &path, &passwords, &password).await?;
    }
    Db::migrate(&database).await?;
    let server = Server::start(&configuration, Clock::system()).await?;
    demo::refresh(server.db(), &passwords, &password).await?;
    greet(&server, &password);
    stop_signal().await;
    server.stop().await;
    Ok(())
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
    Db::migrate(&database).await?;
    println!("Loading a year of sample data, once.");
    let terminal = std::io::stdout().is_terminal();
    let shown = std::cell::Cell::new(0);
    let progress = |hundredths: u64| {
        // A log gets a line every quarter; a terminal, a number that counts.
        if terminal {
            print!("\r  {hundredths:>3} %");
            let _ = std::io::stdout().flush();
        } else if hundredths >= shown.get() + 25 {
            shown.set(hundredths);
            println!("  {hundredths} %");
        }
    };
    demo::load(&database, passwords, password, Clock::system(), progress).await?;
    println!("{}  100 %", if terminal { "\r" } else { "" });
    std::fs::rename(&unfinished, path)?;
    Ok(())
}

/// The demo's password: made by chance, kept beside the data, readable by its owner alone.
fn password(file: &Path) -> Result<String, StartError> {
    if let Ok(password) = std::fs::read_to_string(file) {
        return Ok(password.trim().to_owned());
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
    options.open(file)?.write_all(password.as_bytes())?;
    Ok(password)
}

fn greet(server: &Server, password: &str) {
    let address = server.address();
    println!();
    println!("  Rollcall is at   http://{address}/");
    if !web::explorer_is_built() {
        println!(
            "  (without the full explorer: install Node 20 or newer, run cargo clean -p web, and start again)"
        );
    }
    println!("  Password         {password}");
    println!("  Logins:");
    let mut organization = "";
    for (name, role, login) in demo::logins() {
        if name != organization {
            organization = name;
            println!("    {name}");
        }
        println!("      {login:<18} {role}");
    }
    println!();
    println!(
        "  Open the page, run \"Sign in\" with a login, then the other examples. Ctrl-C stops."
    );
}
