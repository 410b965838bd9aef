//! `concord audit proof`: proofs as text, for those who have no access.

use clap::Subcommand;
use uuid::Uuid;

use super::open;
use crate::audit::export::{consistency, inclusion};
use crate::cli::settings::{SettingsArguments, Unusable};
use crate::cli::{Exit, print};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// That an entry is in the log: a C2SP tlog-proof.
    Inclusion {
        #[command(flatten)]
        settings: SettingsArguments,
        /// Index or id of the entry.
        #[arg(value_name = "INDEX|ID")]
        entry: String,
    },
    /// That the log has only grown since it had so many entries: a request of C2SP tlog-witness.
    Consistency {
        #[command(flatten)]
        settings: SettingsArguments,
        /// Entries of the checkpoint that was kept.
        #[arg(long, value_name = "SIZE")]
        old: u64,
    },
}

pub(super) fn run(command: &Command) -> Result<Exit, Unusable> {
    let failed = |error: &dyn std::fmt::Display| Unusable(error.to_string());
    let text = match command {
        Command::Inclusion { settings, entry } => {
            let mut records = open(settings)?.records;
            let index = match (entry.parse::<u64>(), Uuid::try_parse(entry)) {
                (Ok(index), _) => Some(index),
                (_, Ok(id)) => records.store().find(&id).map_err(|error| failed(&error))?,
                _ => return Err(Unusable(format!("{entry}: neither an index nor an id"))),
            };
            let index = index.ok_or_else(|| Unusable(format!("{entry}: no entry has this id")))?;
            inclusion(&mut records, index)
        }
        Command::Consistency { settings, old } => consistency(&mut open(settings)?.records, *old),
    };
    let text = text.map_err(|error| failed(&error))?;
    Ok(if print(&text) { Exit::Fine } else { Exit::Failed })
}
