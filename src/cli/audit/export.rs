//! `concord audit export`: hands the log out. Who did is in it first.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::caller::caller;
use super::{Opened, open};
use crate::audit::entry::{Draft, Kind, Leaf};
use crate::audit::export::{self, ExportError};
use crate::audit::log::{Effect, LogError};
use crate::cli::settings::{SettingsArguments, Unusable};
use crate::cli::{Exit, print};

/// Forms of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// The exported log of docs/audit.md, which others verify.
    Log,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    settings: SettingsArguments,
    /// Form of the export.
    #[arg(long, value_enum)]
    format: Form,
    /// Folder to write to: new, or empty.
    dir: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Unusable> {
    let opened = open(&arguments.settings)?;
    match arguments.format {
        Form::Log => log(opened, arguments).map_err(|error| Unusable(error.to_string())),
    }
}

fn log(Opened { mut records, mut log }: Opened, arguments: &Arguments) -> Result<Exit, ExportError> {
    let dir = &arguments.dir;
    export::folder(dir)?;
    // All there is, and no more: the checkpoint is the end of the export.
    log.append(&[], true)?;
    let (note, checkpoint) = records.checkpoint()?;
    let count = checkpoint.size.saturating_sub(records.store().head().map_err(LogError::from)?.first);
    let leaf = Leaf {
        caller: Some(caller()),
        method: Some("concord audit export".to_owned()),
        count: Some(count),
        ..Leaf::new(Kind::Read)
    };
    log.append_draft(Draft::clear(leaf), Effect::None)?;
    export::log(&mut records, &note, &checkpoint, dir)?;
    let text = format!("{}: {} entries of {}\n", dir.display(), checkpoint.size, checkpoint.origin);
    Ok(if print(&text) { Exit::Fine } else { Exit::Failed })
}
