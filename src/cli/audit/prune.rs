//! `concord audit prune`, and what `concord serve` does of it: deletes entries
//! that were kept long enough.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use super::caller::caller;
use super::confirm::confirmed;
use super::when::beginning;
use super::{Opened, open};
use crate::audit::Audit;
use crate::audit::log::{Effect, LogError};
use crate::audit::retention::{draft, due, point};
use crate::cli::settings::{SettingsArguments, Unusable};
use crate::cli::{Exit, complain, print};

/// Between two looks of a server.
const EVERY: Duration = Duration::from_hours(1);

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Entries made before this: a full date, UTC, or an instant with an offset.
    /// Without it, those older than `audit.retention_years`.
    #[arg(long, value_name = "DATE", value_parser = beginning)]
    before: Option<Timestamp>,
    /// Don't ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    settings: SettingsArguments,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Unusable> {
    let years = arguments.settings.load(Vec::new())?.settings.audit.retention_years;
    let Opened { mut records, mut log } = open(&arguments.settings)?;
    let unusable = |error: LogError| Unusable(error.to_string());
    let Some(before) = arguments.before.or_else(|| due(Timestamp::now(), years)) else {
        complain("nothing to prune: audit.retention_years is 0, entries are kept for ever");
        return Ok(Exit::Fine);
    };
    let first = log.store().head().map_err(|error| unusable(error.into()))?.first;
    let mut next = point(log.store(), before).map_err(|error| unusable(error.into()))?;
    if next.is_none() {
        complain("nothing to prune: no 256 entries, from the oldest on, were made before then and are signed");
        return Ok(Exit::Fine);
    }
    if !confirmed(&format!("delete entries made before {before}, from entry {first} on"), arguments.yes)? {
        complain("nothing was pruned");
        return Ok(Exit::Failed);
    }
    let mut pruned = first;
    while let Some(point_now) = next {
        let draft = draft(point_now, Some(caller()), Some("concord audit prune".to_owned()));
        log.append_draft(draft, Effect::Prune(point_now)).map_err(unusable)?;
        pruned = point_now;
        next = point(log.store(), before).map_err(|error| unusable(error.into()))?;
    }
    let (note, checkpoint) = records.checkpoint().map_err(unusable)?;
    let count = pruned.saturating_sub(first);
    let text =
        format!("pruned {count} entries ({first}-{}) of {}\n\n{note}", pruned.saturating_sub(1), checkpoint.origin);
    Ok(if print(&text) { Exit::Fine } else { Exit::Failed })
}

/// Looks every hour for entries that were kept long enough.
pub(in crate::cli) async fn keep(audit: Audit, years: u32) {
    loop {
        while let Some(pruned) = turn(&audit, years).await {
            tracing::info!(first = pruned, "audit log pruned");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Prunes once. What the first entry then is; none where there is nothing to do
/// now.
async fn turn(audit: &Audit, years: u32) -> Option<u64> {
    let before = due(Timestamp::now(), years)?;
    let point = match audit.read(move |records| Ok(point(records.store(), before)?)).await {
        Ok(point) => point?,
        Err(error) => {
            tracing::warn!(%error, "the audit log could not be looked through for entries to prune");
            return None;
        }
    };
    match audit.append(draft(point, None, None), Arc::new([]), Effect::Prune(point)).await {
        Ok(_) => Some(point),
        Err(error) => {
            tracing::warn!(%error, "the audit log could not be pruned");
            None
        }
    }
}
