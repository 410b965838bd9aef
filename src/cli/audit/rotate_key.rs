//! `concord audit rotate-key`: a new key signs from here on.

use clap::Args;

use super::{Opened, Place, open, place};
use crate::audit::keys::Signer;
use crate::audit::log::{Log, LogError, keys};
use crate::cli::settings::{SettingsArguments, Unusable};
use crate::cli::{Exit, print};

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    settings: SettingsArguments,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Unusable> {
    // The log must have begun: a command begins none.
    let Opened { log, .. } = open(&arguments.settings)?;
    let origin = log.origin().to_owned();
    drop(log);
    let settings = arguments.settings.load(Vec::new())?.settings;
    let nothing = || Unusable("audit.store: none: there is no record".to_owned());
    let Place { options, opener } = place(&settings)?.ok_or_else(nothing)?;
    let path = &options.access.signing_key;
    let unusable = |error: &dyn std::fmt::Display| Unusable(error.to_string());
    // One that was interrupted is ended first.
    let signer = Signer::open(path, &origin).map_err(|error| unusable(&error))?;
    if signer.replaced().is_none() {
        Signer::rotate(path, &origin).map_err(|error| unusable(&error))?;
    }
    let log = opener().map_err(LogError::from).and_then(|store| Log::open(store, &options.access));
    let mut log = log.map_err(|error| unusable(&error))?;
    let keys = keys(log.store()).map_err(|error| unusable(&error))?;
    let key = keys.last().map(ToString::to_string).unwrap_or_default();
    let text = format!(
        "{key}\n\nThis key signs from here on: hand it to those who verify the log. Servers that run take it up when they \
         are started next.\n"
    );
    Ok(if print(&text) { Exit::Fine } else { Exit::Failed })
}
