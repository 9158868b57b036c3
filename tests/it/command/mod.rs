//! The command line, as whoever runs the machine sees it.

mod audit;
mod import;
mod start;

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::harness::process::binary;

/// What a command said, and how it ended.
struct Said {
    well: bool,
    out: String,
    error: String,
}

/// The command on a directory of its own, with nothing of our environment.
fn command(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(arguments)
        .current_dir(directory)
        .env_remove("DATABASE_URL")
        .env_remove("REDIS_URL")
        .env("ROLLCALL_LISTEN", "127.0.0.1:0")
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    command
}

/// Runs a command that ends by itself.
fn run(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Said {
    let output = command(directory, arguments, variables).output();
    let output = output.expect("the binary starts");
    Said {
        well: output.status.success(),
        out: String::from_utf8(output.stdout).expect("text"),
        error: String::from_utf8(output.stderr).expect("text"),
    }
}

/// Runs a command that must fail; what it says last.
fn refused(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let said = run(directory, arguments, variables);
    assert!(!said.well, "{arguments:?} went well: {}", said.out);
    assert!(!said.error.contains("panicked"), "{}", said.error);
    let lines: Vec<_> = said
        .error
        .lines()
        .skip_while(|line| !line.starts_with("rollcall: ") && !line.starts_with("error: "))
        .collect();
    lines.join("\n")
}
