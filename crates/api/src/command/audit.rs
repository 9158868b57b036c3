//! `rollcall audit`: the operator has the audit log proved.

use domain::{
    Clock, Scope, System,
    audit::proof::{self, Fault, Proof},
    organizations::slug,
    permission::AuditRead,
};

use super::{say, serve::announce};
use crate::{
    configuration::Configuration,
    server::{self, StartError},
};

/// What to do with the audit log.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// Prove that every entry is as it was written, and that none is missing
    Verify {
        /// Slug of the organization; every one unless given.
        #[arg(long, value_name = "SLUG")]
        organization: Option<String>,
    },
}

/// Does what was asked of the audit log.
///
/// # Errors
/// The organization is not there, or an entry does not hold.
pub async fn audit(configuration: &Configuration, arguments: Arguments) -> Result<(), StartError> {
    announce(configuration);
    let Command::Verify { organization } = arguments.command;
    let db = server::open(configuration, Clock::system()).await?;
    let system = System::new(&db, "prove the audit log");
    let broken = match organization {
        Some(address) => {
            let found = slug::find(&system, &address).await?;
            let found =
                found.ok_or_else(|| format!("--organization: there is none at {address}"))?;
            usize::from(!verify(&system.scope(found), &address).await?)
        }
        None => verify_all(&system).await?,
    };
    db.close().await;
    match broken {
        0 => Ok(()),
        1 => Err("The audit log of one organization does not hold.".into()),
        broken => Err(format!("The audit logs of {broken} organizations do not hold.").into()),
    }
}

/// How many organizations' chains do not hold.
async fn verify_all(system: &System) -> Result<usize, StartError> {
    let (mut broken, mut after) = (0, String::new());
    loop {
        let organizations = slug::after(system, &after).await?;
        let Some((last, _)) = organizations.last() else {
            return Ok(broken);
        };
        after.clone_from(last);
        for (address, organization) in organizations {
            broken += usize::from(!verify(&system.scope(organization), &address).await?);
        }
    }
}

/// Says how far an organization's chain holds, and whether that is to its end.
async fn verify(scope: &Scope, address: &str) -> Result<bool, StartError> {
    let proof = proof::verify(&scope.reader::<AuditRead>()?).await?;
    scope.close_snapshot().await;
    say(format!("{address}: {}", in_words(&proof)));
    Ok(proof.fault.is_none())
}

fn in_words(proof: &Proof) -> String {
    let held = proof.held;
    let text = match (&proof.fault, &proof.end) {
        (Some((number, fault)), _) => {
            let what = match fault {
                Fault::Changed => "was changed",
                Fault::PersonalDataChanged => "has another actor, address or client than it had",
                Fault::Missing => "is missing",
                Fault::Added => "was added beside the application",
            };
            match number {
                0 => format!("an entry without a number {what}; {held} hold."),
                number => format!("entry {number} {what}; {held} before it hold."),
            }
        }
        (None, None) => "no entry.".to_owned(),
        (None, Some((number, hash))) => {
            let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{held} entries hold. The last is {number}, with the hash {hash}.")
        }
    };
    match proof.unproved {
        0 => text,
        more => {
            format!("{text} Of {more} entries from before there was a chain, nothing is proved.")
        }
    }
}
