//! What the binary does, one file a command.

pub mod audit;
pub mod demo;
pub mod import;
pub mod migrate;
pub mod serve;
mod stop;

use std::{fmt::Display, io::Write};

/// Says a line to a person. Whoever listened may have left, as `head` does: the work goes on.
pub fn say(line: impl Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The same beside what is piped on: how far it is, and what went wrong.
pub fn mention(line: impl Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
