//! `concord audit export`: the whole log, or entries for other systems, one a
//! line. Who exported them is in the log before the first of them leaves.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::caller::caller;
use super::when::{beginning, end};
use super::{Opened, export, open};
use crate::api::json;
use crate::api::recording::{part, recorded_decision};
use crate::audit::content::Content;
use crate::audit::entry::{Draft, Kind, Leaf};
use crate::audit::log::{Effect, LogError, check_row};
use crate::audit::records::Record;
use crate::audit::store::{Store, StoreError};
use crate::audit::tree::leaf_hash;
use crate::cli::settings::{SettingsArguments, Unusable};
use crate::cli::{Exit, complain};
use crate::interop::fhir::{Asked, Event, Service, audit_event};
use crate::note::hex;

/// Entries read at once.
const BATCH: u64 = 256;

/// Form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Form {
    /// The exported log of docs/audit.md, which others verify: a folder.
    Log,
    /// An entry: what is in clear of it and, with --with-content, what was sealed.
    Ndjson,
    /// A FHIR R4 AuditEvent.
    Fhir,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Form of a line.
    #[arg(long, value_enum)]
    format: Form,
    /// File to write, which must not be there yet; `-` is standard output. Of
    /// `log` the folder, new or empty.
    #[arg(value_name = "PATH")]
    out: PathBuf,
    /// From the first entry made then or later: a full date, UTC, or an instant
    /// with an offset. A log is exported whole.
    #[arg(long, value_name = "DATE", value_parser = beginning)]
    from: Option<Timestamp>,
    /// To the last entry before the first one made later; a full date: to its end.
    #[arg(long, value_name = "DATE", value_parser = end)]
    to: Option<Timestamp>,
    /// With what was sealed: data of patients.
    #[arg(long)]
    with_content: bool,
    /// FHIR: name or address at which clients reach the service. Profiles of IHE
    /// BALP want it, and the log does not know it.
    #[arg(long, value_name = "ADDRESS")]
    server: Option<String>,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Why an export ended before its end.
enum Fault {
    Log(LogError),
    Out(io::Error),
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Log(error.into())
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Out(error)
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Unusable> {
    let mut opened = open(&arguments.settings)?;
    if arguments.format == Form::Log {
        return export::log(opened, &arguments.out).map_err(|error| Unusable(error.to_string()));
    }
    let out = arguments.out.display();
    let mut sink = sink(&arguments.out).map_err(|error| Unusable(format!("{out}: {error}")))?;
    match lines(&mut opened, arguments, &mut sink) {
        Ok(count) => {
            complain(format!("{count} entries"));
            Ok(Exit::Fine)
        }
        Err(Fault::Log(error)) => Err(Unusable(error.to_string())),
        Err(Fault::Out(error)) => Err(Unusable(format!("{out}: {error}"))),
    }
}

fn sink(path: &Path) -> io::Result<Box<dyn Write>> {
    if path == Path::new("-") {
        return Ok(Box::new(BufWriter::new(io::stdout().lock())));
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(Box::new(BufWriter::new(file)))
}

fn lines(opened: &mut Opened, arguments: &Arguments, out: &mut dyn Write) -> Result<u64, Fault> {
    let Opened { records, log } = opened;
    let (from, to) = bounds(log.store(), arguments)?;
    let count = to.saturating_sub(from);
    let leaf = Leaf {
        caller: Some(caller()),
        method: Some("concord audit export".to_owned()),
        count: Some(count),
        ..Leaf::new(Kind::Read)
    };
    log.append_draft(Draft::clear(leaf), Effect::None)?;
    let origin = log.origin().to_owned();
    let service = Service { origin: &origin, address: arguments.server.as_deref() };
    let mut next = from;
    while next < to {
        let rows = records.store().rows(next, to, BATCH)?;
        let Some(last) = rows.last().map(|row| row.index) else { break };
        for row in rows {
            let record = if arguments.with_content {
                records.open(row)?
            } else {
                Record { leaf: check_row(&row)?, row, content: None }
            };
            let line = match arguments.format {
                Form::Log | Form::Ndjson => entry(&record),
                Form::Fhir => fhir(&record, &service),
            };
            writeln!(out, "{line}")?;
        }
        next = last.saturating_add(1);
    }
    out.flush()?;
    Ok(count)
}

/// The entries asked for: from one index to before another.
fn bounds(store: &mut dyn Store, arguments: &Arguments) -> Result<(u64, u64), StoreError> {
    let head = store.head()?;
    let size = head.frontier.size();
    let mut since = |at: Option<Timestamp>, otherwise: u64| match at {
        Some(at) => Ok::<_, StoreError>(store.since(at.as_microsecond())?.unwrap_or(size)),
        None => Ok(otherwise),
    };
    let from = since(arguments.from, head.first)?;
    Ok((from, since(arguments.to, size)?.max(from)))
}

/// What is in clear of an entry, and what was sealed where it is open.
fn entry(record: &Record) -> Value {
    let Record { row, leaf, content } = record;
    let mut members = Map::new();
    let mut set = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
    set("index", json!(row.index));
    set("hash", json!(hex(&leaf_hash(&row.leaf))));
    set("leaf", serde_json::from_slice(&row.leaf).unwrap_or_default());
    if let Some(tag) = &row.subject {
        set("subject", json!(hex(tag)));
    }
    if record.is_erased() {
        set("erased", json!(true));
    }
    if let Some(content) = content {
        set("content", parts(leaf, content));
    }
    Value::Object(members)
}

/// The parts of content, each in the form that its name tells.
fn parts(leaf: &Leaf, content: &Content) -> Value {
    let mut parts = Map::new();
    for name in content.names() {
        let bytes = content.part(name).unwrap_or_default();
        let message = match name {
            part::REQUEST if leaf.kind == Kind::Decision => Some("concord.v1.EvaluateRequest".to_owned()),
            part::REQUEST => leaf.method.as_deref().and_then(json::request_of),
            part::ANSWER => Some("concord.v1.EvaluateResponse".to_owned()),
            _ => None,
        };
        let value = match (name, message) {
            (_, Some(message)) => json::value(&message, bytes).ok(),
            (part::RULES, None) => str::from_utf8(bytes).ok().map(|rules| json!(rules.lines().collect::<Vec<_>>())),
            (part::TERMS, None) => serde_json::from_slice(bytes).ok(),
            _ => None,
        };
        // What this program has no form for is handed out as it is.
        parts.insert(name.to_owned(), value.unwrap_or_else(|| json!({"base64": STANDARD.encode(bytes)})));
    }
    Value::Object(parts)
}

fn fhir(record: &Record, service: &Service<'_>) -> Value {
    let asked = asked(record);
    let event = Event {
        index: record.row.index,
        leaf: &record.leaf,
        hash: &leaf_hash(&record.row.leaf),
        subject: record.row.subject.as_ref(),
        asked: asked.as_ref(),
    };
    audit_event(&event, service)
}

/// What of a decision's content an event tells.
fn asked(record: &Record) -> Option<Asked> {
    let (request, terms, _) = recorded_decision(record)?;
    let purpose = if request.purpose_of_use.is_empty() { terms.purpose_of_use } else { request.purpose_of_use.clone() };
    Some(Asked {
        raw: record.content.as_ref()?.part(part::REQUEST)?.to_vec(),
        request_id: request.request_id,
        requester: request.requester,
        purpose,
        patient: request.patient.map(|patient| patient.id).unwrap_or_default(),
    })
}
