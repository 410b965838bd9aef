//! `concord audit`: reads, verifies, exports and prunes the record, on the
//! machine that has its store and its keys. What reads content is a record
//! itself, as a call over gRPC is.

mod caller;
mod confirm;
mod erase;
mod export;
mod export_records;
mod list;
mod proof;
pub(super) mod prune;
mod replay;
mod rewrap;
mod rotate_key;
mod show;
mod verify;
mod when;

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
use crate::audit::postgres::Server;
use crate::audit::records::Records;
use crate::audit::seal::LocalKey;
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
    let Some(opener) = opener(from)? else { return Ok(None) };
    let queue = usize::try_from(from.queue).unwrap_or(usize::MAX);
    let patient = from.store == AuditStore::Postgres;
    let options = Options { access: access(from)?, queue, queue_wait: QUEUE_WAIT, patient };
    Ok(Some(Place { options, opener }))
}

/// What opens the store; none where the settings want no record.
fn opener(from: &AuditSettings) -> Result<Option<Opener>, Unusable> {
    match from.store {
        AuditStore::None => Ok(None),
        AuditStore::Sqlite => {
            let dir = from.dir.clone();
            Ok(Some(Arc::new(move || Ok(Box::new(Sqlite::open(&dir)?)))))
        }
        AuditStore::Postgres => {
            let url = from.postgres.as_deref().unwrap_or_default();
            let server = Server::parse(url, from.postgres_plaintext)
                .map_err(|why| Unusable(format!("audit.postgres: {why}")))?;
            Ok(Some(Arc::new(move || Ok(Box::new(server.open()?)))))
        }
    }
}

/// The master key, made where there is none if it may be.
fn master(from: &AuditSettings, may_create: bool) -> Result<LocalKey, Unusable> {
    if let Some(text) = &from.master_key {
        return master_key(text).map_err(|error| Unusable(format!("audit.master_key: {error}")));
    }
    let path = from.master_key_file.clone().unwrap_or_else(|| from.dir.join("master.key"));
    let (key, made) =
        master_key_file(&path, may_create).map_err(|error| Unusable(format!("audit.master_key_file: {error}")))?;
    if made {
        tracing::warn!(
            path = %path.display(),
            "a master key was made: keep a copy elsewhere, for without it no record can be read"
        );
    }
    Ok(key)
}

fn access(from: &AuditSettings) -> Result<Access, Unusable> {
    // Where a file has the log already, a new key would open nothing of it.
    let begun = from.store == AuditStore::Sqlite && from.dir.join(audit::sqlite::FILE).exists();
    Ok(Access {
        master: Arc::new(master(from, !begun)?),
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
    /// Verify the whole log: entries, order, checkpoints, keys, archive, and that what was sealed opens.
    Verify(verify::Arguments),
    /// Print a proof, for those who have a checkpoint and no access.
    #[command(subcommand)]
    Proof(proof::Command),
    /// List decisions, newest first.
    List(list::Arguments),
    /// Show one decision: who asked, when and why, which rules fired, what was answered and what was said of it since.
    Show(show::Arguments),
    /// Evaluate recorded requests again with the packages that were archived with them, and compare the answers to the
    /// byte.
    Replay(replay::Arguments),
    /// Destroy the keys of what was recorded of a patient, so that no one can read it again.
    Erase(erase::Arguments),
    /// Hand the log out: whole, for others to verify, or its entries one a line, for other systems. The log says who did.
    Export(export_records::Arguments),
    /// Delete entries that were kept long enough.
    Prune(prune::Arguments),
    /// Let a new key sign the log from here on.
    RotateKey(rotate_key::Arguments),
    /// Replace the master key. Stop every server first.
    Rewrap(rewrap::Arguments),
}

/// A log as a command has it: to read, and to say that it was read.
pub(super) struct Opened {
    /// Reads.
    pub(super) records: Records,
    /// Appends.
    pub(super) log: Log,
}

/// Is there a log? A command makes none.
fn begun(settings: &Settings) -> Result<(), Unusable> {
    if settings.audit.store == AuditStore::Sqlite && !settings.audit.dir.join(audit::sqlite::FILE).is_file() {
        let dir = settings.audit.dir.display();
        return Err(Unusable(format!("audit.dir: {dir}: there is no audit log here")));
    }
    Ok(())
}

/// Opens the log of the settings, which must have begun.
pub(super) fn open(arguments: &SettingsArguments) -> Result<Opened, Unusable> {
    let settings = arguments.load(Vec::new())?.settings;
    begun(&settings)?;
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
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Proof(command) => proof::run(&command),
        Command::List(arguments) => list::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Erase(arguments) => erase::run(&arguments),
        Command::Export(arguments) => export_records::run(&arguments),
        Command::Prune(arguments) => prune::run(&arguments),
        Command::RotateKey(arguments) => rotate_key::run(&arguments),
        Command::Rewrap(arguments) => rewrap::run(&arguments),
    };
    outcome.unwrap_or_else(|Unusable(message)| {
        complain(message);
        Exit::Unusable
    })
}

impl Opened {
    /// Records that a command reads content, before it shows any.
    fn seen(&mut self, method: &str, seen: Seen, request: &impl Named) -> Result<(), Unusable> {
        let leaf = Leaf { caller: Some(caller::caller()), method: Some(method.to_owned()), ..Leaf::new(Kind::Read) };
        let appended = self.log.append_draft(read(leaf, seen, request), Effect::None);
        appended.map(drop).map_err(|error| Unusable(format!("the read can't be recorded: {error}")))
    }
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
