//! `concord audit rewrap`: another master key in the place of the one in use.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::caller::caller;
use super::{Place, place};
use crate::audit::keys::master_key_file;
use crate::audit::log::{Access, Log, LogError};
use crate::audit::rewrap::{Rewrapped, in_force, rewrap};
use crate::audit::seal::MasterKey;
use crate::audit::sqlite;
use crate::cli::settings::{SettingsArguments, Unusable};
use crate::cli::{Exit, print};
use crate::config::AuditStore;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// File of the new master key, made where there is none. The one in use is
    /// that of the settings.
    #[arg(long, value_name = "FILE")]
    new_master_key_file: PathBuf,
    #[command(flatten)]
    settings: SettingsArguments,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Unusable> {
    let settings = arguments.settings.load(Vec::new())?.settings;
    if settings.audit.store == AuditStore::Sqlite && !settings.audit.dir.join(sqlite::FILE).is_file() {
        let dir = settings.audit.dir.display();
        return Err(Unusable(format!("audit.dir: {dir}: there is no audit log here")));
    }
    let nothing = || Unusable("audit.store: none: there is no record".to_owned());
    let Place { options, opener } = place(&settings)?.ok_or_else(nothing)?;
    let file = &arguments.new_master_key_file;
    let (new, made) =
        master_key_file(file, true).map_err(|error| Unusable(format!("--new-master-key-file: {error}")))?;
    let (old, new): (_, Arc<dyn MasterKey>) = (Arc::clone(&options.access.master), Arc::new(new));
    let failed = |error: LogError| Unusable(error.to_string());
    let mut store = opener().map_err(|error| failed(error.into()))?;
    let keys = [Arc::clone(&old), Arc::clone(&new)];
    let access = Access { master: in_force(store.as_mut(), &keys).map_err(failed)?, ..options.access };
    let mut log = Log::attach(store, &access).map_err(failed)?;
    let done = rewrap(&mut log, old.as_ref(), new.as_ref(), caller(), "concord audit rewrap".to_owned());
    let text = told(done.map_err(failed)?, &file.display().to_string(), made);
    Ok(if print(&text) { Exit::Fine } else { Exit::Failed })
}

fn told(Rewrapped { keys, entry }: Rewrapped, file: &str, made: bool) -> String {
    let made = if made { format!("{file}: a master key was made: keep a copy elsewhere\n") } else { String::new() };
    let Some(entry) = entry else {
        return format!("{made}nothing to do: the master key of {file} wraps every key\n");
    };
    format!(
        "{made}{keys} keys of entries, and the key of the index, are wrapped by the master key of {file}; entry {entry} says \
         so.\nNow set audit.master_key_file to it, or put it in the place of the old one, before a server is started.\n"
    )
}
