//! `concord audit export --format log`: hands the log out. Who did is in it first.

use std::path::Path;

use super::Opened;
use super::caller::caller;
use crate::audit::entry::{Draft, Kind, Leaf};
use crate::audit::export::{self, ExportError};
use crate::audit::log::{Effect, LogError};
use crate::cli::{Exit, print};

/// Writes the exported log of `docs/audit.md` into a folder.
pub(super) fn log(Opened { mut records, mut log }: Opened, dir: &Path) -> Result<Exit, ExportError> {
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
