//! The `rollcall` binary.

use std::process::ExitCode;

use api::{
    command,
    configuration::{Configuration, LOG, VARIABLES},
    schema,
    server::{StartError, cause},
};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Who came, when, and how long they stayed: attendance for organizations that meet regularly.
#[derive(Parser, Debug)]
#[command(name = "rollcall", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Try it out: sample data on a database of its own, served at once
    Demo,
    /// Serve the API and the explorer
    Serve,
    /// Carry out jobs, beside instances that serve with ROLLCALL_WORKER=false
    Worker,
    /// Bring the database's schema up to date
    Migrate {
        /// Undo the last N changes instead
        #[arg(long, value_name = "N")]
        back: Option<u32>,
    },
    /// Print the GraphQL schema
    Schema {
        /// Print the catalogue of error codes instead
        #[arg(long)]
        errors: bool,
    },
    /// Bring people and attendance in from an export file
    Import(command::import::Arguments),
    /// Prove that the audit log is as it was written
    Audit(command::audit::Arguments),
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let text = error
                .downcast_ref()
                .map_or_else(|| error.to_string(), cause);
            command::mention(format_args!("rollcall: {text}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), StartError> {
    let matches = Arguments::command().after_help(variables()).get_matches();
    let arguments = Arguments::from_arg_matches(&matches)?;
    if let Command::Schema { errors } = arguments.command {
        let text = if errors {
            api::error::catalogue()
        } else {
            schema::sdl()
        };
        command::say(text.trim_end_matches('\n'));
        return Ok(());
    }
    let configuration = Configuration::read()?;
    log(&configuration, &arguments.command)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match arguments.command {
            Command::Demo => command::demo::demo(&configuration).await,
            Command::Serve => command::serve::serve(&configuration).await,
            Command::Worker => command::serve::worker(&configuration).await,
            Command::Migrate { back } => command::migrate::migrate(&configuration, back).await,
            Command::Import(arguments) => command::import::import(&configuration, arguments).await,
            Command::Audit(arguments) => command::audit::audit(&configuration, arguments).await,
            Command::Schema { .. } => Ok(()),
        }
    })
}

/// The log goes to standard error, so that what a command prints can be piped. What is read by a
/// person is text unless told otherwise; a command that soon ends logs only what is wrong.
fn log(configuration: &Configuration, command: &Command) -> Result<(), StartError> {
    let ends = matches!(
        command,
        Command::Import(_) | Command::Migrate { .. } | Command::Audit(_)
    );
    let for_a_person = ends || matches!(command, Command::Demo);
    let default = if ends { "warn" } else { LOG };
    let filter = configuration.log.as_deref().unwrap_or(default);
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .map_err(|error| format!("ROLLCALL_LOG: {error}"))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if configuration.log_json.unwrap_or(!for_a_person) {
        subscriber.json().init();
    } else {
        subscriber.init();
    }
    Ok(())
}

fn variables() -> String {
    let line = |(name, default, meaning): &(&str, &str, &str)| {
        format!("  {name:<30} {meaning} [{default}]\n")
    };
    format!(
        "Environment:\n{}",
        VARIABLES.iter().map(line).collect::<String>()
    )
}
