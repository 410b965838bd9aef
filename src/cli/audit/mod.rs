//! `concord audit`: reads, verifies, exports and prunes the record, on the
//! machine that has its store and its keys. What reads content is a record
//! itself, as a call over gRPC is.

mod list;
mod replay;
mod show;

use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;

use super::settings::{SettingsArguments, Unusable};
use super::{Exit, complain, print};
use crate::api::audit::{Seen, read};
use crate::api::json::Named;
use crate::api::refusal::Refusal;
use crate::api::status::item_status;
use crate::audit::entry::{Kind, Leaf};
use crate::audit::keys::{master_key, master_key_file};
use crate::audit::log::{Access, Effect, Log, LogError};
use crate::audit::records::Records;
use crate::audit::sqlite::Sqlite;
use crate::audit::store::{Store, StoreError};
use crate::audit::{self, Options};
use crate::config::{AuditSettings, AuditStore, Settings};

/// How long a record waits for a place in the queue before the call is refused.
const QUEUE_WAIT: Duration = Duration::from_secs(1);

/// Opens a store, again and again.
pub(super) type Opener = Arc<dyn Fn() -> Result<Box<dyn Store>, StoreError> + Send + Sync>;

/// Where the settings say that the record is.
pub(super) struct Place {
    /// How it is written.
    pub(super) options: Options,
    /// Opens its store.
    pub(super) opener: Opener,
}

/// The place of the record; none where the settings want none.
///
/// # Errors
/// Where a key can't be used.
pub(super) fn place(settings: &Settings) -> Result<Option<Place>, Unusable> {
    let from = &settings.audit;
    let opener: Opener = match from.store {
        AuditStore::None => return Ok(None),
        AuditStore::Sqlite => {
            let dir = from.dir.clone();
            Arc::new(move || Ok(Box::new(Sqlite::open(&dir)?)))
        }
        AuditStore::Postgres => return Err(Unusable("audit.store: postgres: not in this build".to_owned())),
    };
    let queue = usize::try_from(from.queue).unwrap_or(usize::MAX);
    let patient = from.store == AuditStore::Postgres;
    let options = Options { access: access(from)?, queue, queue_wait: QUEUE_WAIT, patient };
    Ok(Some(Place { options, opener }))
}

fn access(from: &AuditSettings) -> Result<Access, Unusable> {
    let master = match &from.master_key {
        Some(text) => master_key(text).map_err(|error| Unusable(format!("audit.master_key: {error}")))?,
        None => {
            let path = from.master_key_file.clone().unwrap_or_else(|| from.dir.join("master.key"));
            // Where a file has the log already, a new key would open nothing of it.
            let begun = from.store == AuditStore::Sqlite && from.dir.join(audit::sqlite::FILE).exists();
            let (key, made) =
                master_key_file(&path, !begun).map_err(|error| Unusable(format!("audit.master_key_file: {error}")))?;
            if made {
                tracing::warn!(
                    path = %path.display(),
                    "a master key was made: keep a copy elsewhere, for without it no record can be read"
                );
            }
            key
        }
    };
    Ok(Access {
        master: Arc::new(master),
        signing_key: from.signing_key_file.clone().unwrap_or_else(|| from.dir.join("signing.key")),
        origin: from.origin.clone(),
    })
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the last checkpoint: keep it elsewhere, and hold the log against it later.
    Checkpoint {
        #[command(flatten)]
        settings: SettingsArguments,
    },
    /// List decisions, newest first.
    List(list::Arguments),
    /// Show one decision: who asked, when and why, which rules fired, what was answered and what was said of it since.
    Show(show::Arguments),
    /// Evaluate recorded requests again with the packages that were archived with them, and compare the answers to the
    /// byte.
    Replay(replay::Arguments),
}

/// A log as a command has it: to read, and to say that it was read.
pub(super) struct Opened {
    /// Reads.
    pub(super) records: Records,
    /// Appends.
    pub(super) log: Log,
}

/// Opens the log of the settings, which must have begun.
pub(super) fn open(arguments: &SettingsArguments) -> Result<Opened, Unusable> {
    let settings = arguments.load(Vec::new())?.settings;
    if settings.audit.store == AuditStore::Sqlite && !settings.audit.dir.join(audit::sqlite::FILE).is_file() {
        let dir = settings.audit.dir.display();
        return Err(Unusable(format!("audit.dir: {dir}: there is no audit log here")));
    }
    let place = place(&settings)?;
    let Place { options, opener } =
        place.ok_or_else(|| Unusable("audit.store: none: there is no record".to_owned()))?;
    let failed = |error: LogError| Unusable(error.to_string());
    let log = opener().map_err(LogError::from).and_then(|store| Log::attach(store, &options.access)).map_err(failed)?;
    let store = opener().map_err(|error| Unusable(error.to_string()))?;
    Ok(Opened { records: Records::new(store, log.vault().clone()), log })
}

pub(super) fn run(command: Command) -> Exit {
    let outcome = match command {
        Command::Checkpoint { settings } => checkpoint(&settings),
        Command::List(arguments) => list::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
    };
    outcome.unwrap_or_else(|Unusable(message)| {
        complain(message);
        Exit::Unusable
    })
}

impl Opened {
    /// Records that a command reads content, before it shows any.
    fn seen(&mut self, method: &str, seen: Seen, request: &impl Named) -> Result<(), Unusable> {
        let leaf = Leaf { caller: Some(user()), method: Some(method.to_owned()), ..Leaf::new(Kind::Read) };
        let appended = self.log.append_draft(read(leaf, seen, request), Effect::None);
        appended.map(drop).map_err(|error| Unusable(format!("the read can't be recorded: {error}")))
    }
}

/// Who runs the command, by the system and not by a variable: `local:root`.
fn user() -> String {
    let id = std::fs::metadata("/proc/self").map(|process| process.uid());
    let Ok(id) = id else { return "local".to_owned() };
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id.to_string()).then(|| name.to_owned())
    });
    format!("local:{}", name.unwrap_or_else(|| id.to_string()))
}

/// What a request of a command lacks, as the one of a call would be told.
fn refused(refusal: &Refusal) -> Unusable {
    Unusable(match refusal {
        Refusal::Fields(violations) => violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        other => item_status(other).message,
    })
}

impl From<LogError> for Unusable {
    fn from(error: LogError) -> Self {
        Self(error.to_string())
    }
}

fn checkpoint(settings: &SettingsArguments) -> Result<Exit, Unusable> {
    let (note, _) = open(settings)?.records.checkpoint().map_err(|error| Unusable(error.to_string()))?;
    Ok(if print(&note) { Exit::Fine } else { Exit::Failed })
}
