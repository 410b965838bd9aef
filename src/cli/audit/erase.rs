//! `concord audit erase`: destroys the keys of what was recorded of a patient.

use std::convert::Infallible;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::caller::caller;
use super::confirm::{confirmed, line};
use super::{Opened, open};
use crate::api::recording::decision_id;
use crate::audit::erase::{Order, Reason, Whose, erase, find, ranges};
use crate::audit::log::LogError;
use crate::cli::settings::{SettingsArguments, Unusable};
use crate::cli::{Exit, complain, print};

/// Ranges that are printed: the log has all of them.
const SHOWN: usize = 12;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Id of a patient, as requests named it. `-` reads it from standard input,
    /// so that it is in no list of processes. May be repeated.
    #[arg(long, value_name = "ID", required_unless_present = "decision")]
    patient: Vec<PatientId>,
    /// Id of a decision: it, and what is about it. May be repeated.
    #[arg(long, value_name = "ID")]
    decision: Vec<String>,
    /// Why.
    #[arg(long, value_enum, ignore_case = true)]
    reason: Code,
    /// Who asked for it. Sealed with the entry.
    #[arg(long, value_name = "NAME")]
    requester: Option<String>,
    /// Don't ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Printed nowhere.
#[derive(Clone)]
struct PatientId(String);

impl std::fmt::Debug for PatientId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("PatientId(…)")
    }
}

impl FromStr for PatientId {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

/// Reasons, as the log spells them.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "SCREAMING_SNAKE_CASE")]
enum Code {
    /// The patient asked for it.
    PatientRequest,
    /// It was kept as long as it had to be.
    Retention,
    /// A court ordered it.
    CourtOrder,
    /// It should never have been recorded.
    Error,
    /// Another one, documented elsewhere.
    Other,
}

impl From<Code> for Reason {
    fn from(code: Code) -> Self {
        match code {
            Code::PatientRequest => Self::PatientRequest,
            Code::Retention => Self::Retention,
            Code::CourtOrder => Self::CourtOrder,
            Code::Error => Self::Error,
            Code::Other => Self::Other,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Unusable> {
    let whose = whose(arguments)?;
    let Opened { mut records, mut log } = open(&arguments.settings)?;
    let unusable = |error: LogError| Unusable(error.to_string());
    let found = find(&mut log, &whose).map_err(|error| unusable(error.into()))?;
    if found.is_empty() {
        // An erasure that was interrupted may have left what it destroyed in the files of the store.
        log.store().settle().map_err(|error| unusable(error.into()))?;
        complain("nothing to erase: no entry of these has a key");
        return Ok(Exit::Failed);
    }
    let what = format!("erase {}", entries(&found));
    if !confirmed(&what, arguments.yes)? {
        complain("nothing was erased");
        return Ok(Exit::Failed);
    }
    let terms = arguments.requester.as_ref().map(|name| serde_json::json!({"requester": name}).to_string());
    let order = Order {
        reason: arguments.reason.into(),
        caller: caller(),
        method: "concord audit erase".to_owned(),
        terms: terms.map(String::into_bytes),
    };
    let said = match erase(&mut log, &found, &order) {
        Ok(said) => said,
        Err(error) => return Err(failed(&mut log, &whose, &error)),
    };
    let (note, checkpoint) = records.checkpoint().map_err(unusable)?;
    let at = entries(&said);
    let text = format!(
        "erased {}\nreason {}\nsaid in {at} of {}\n\n{note}",
        entries(&found),
        order.reason.word(),
        checkpoint.origin
    );
    Ok(if print(&text) { Exit::Fine } else { Exit::Failed })
}

/// Whose entries; what stands for standard input is read from there.
fn whose(arguments: &Arguments) -> Result<Vec<Whose>, Unusable> {
    let mut whose = Vec::new();
    for PatientId(id) in &arguments.patient {
        let id = if id == "-" { line()? } else { id.clone() };
        if id.is_empty() {
            return Err(Unusable("--patient: an id is expected".to_owned()));
        }
        whose.push(Whose::Patient(id));
    }
    for id in &arguments.decision {
        let id = decision_id(id).ok_or_else(|| Unusable(format!("--decision {id}: not the id of a decision")))?;
        whose.push(Whose::Decision(id));
    }
    Ok(whose)
}

/// What to say after a failure: were the keys destroyed all the same?
fn failed(log: &mut crate::audit::log::Log, whose: &[Whose], error: &LogError) -> Unusable {
    let then = match find(log, whose) {
        Ok(left) if left.is_empty() => {
            "the keys are destroyed, and the log says so, but they may still be in the files of the store: \
             run the command again"
        }
        Ok(_) => "nothing was erased",
        Err(_) => "it is not known whether anything was erased: run the command again",
    };
    Unusable(format!("{error}; {then}"))
}

/// So many entries, by their indices.
fn entries(indices: &[u64]) -> String {
    let ranges = ranges(indices);
    let one = |[first, last]: &[u64; 2]| if first == last { first.to_string() } else { format!("{first}-{last}") };
    let mut told: Vec<String> = ranges.iter().take(SHOWN).map(one).collect();
    if ranges.len() > SHOWN {
        told.push("…".to_owned());
    }
    let noun = if indices.len() == 1 { "entry" } else { "entries" };
    format!("{} {noun} ({})", indices.len(), told.join(", "))
}
