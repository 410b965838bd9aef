//! `concord rules diff`: what changes for patients from one package to another.

mod cohort;
mod page;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::{Value, json};

use super::super::{Exit, Format, complain, print};
use super::open;
use crate::analysis::diff::Change;
use crate::ruleset::diff::{self, Diff, Example};
use crate::ruleset::{LoadError, Origin, Ruleset};
use cohort::Cohort;

/// Stands for the package in the binary.
const EMBEDDED: &str = "embedded";

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// The package before: a directory, or `embedded`.
    old: PathBuf,
    /// The package after: a directory, or `embedded`.
    new: PathBuf,
    /// Directory of the overlay of the package before.
    #[arg(long, value_name = "DIR")]
    old_overlay: Option<PathBuf>,
    /// Directory of the overlay of the package after.
    #[arg(long, value_name = "DIR")]
    new_overlay: Option<PathBuf>,
    /// Patients to compare both packages on, in the files that `concord
    /// evaluate` reads.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    cohort: Vec<PathBuf>,
    /// The instant of the evaluation of the cohort, RFC 3339 or a full date;
    /// takes the place of the one in the input.
    #[arg(long, value_name = "INSTANT", requires = "cohort")]
    as_of: Option<String>,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let (old, new) =
        (load(&arguments.old, arguments.old_overlay.as_ref()), load(&arguments.new, arguments.new_overlay.as_ref()));
    let (old, new) = match (old, new) {
        (Ok(old), Ok(new)) => (Arc::new(old), Arc::new(new)),
        (old, new) => {
            for error in [old.err(), new.err()].into_iter().flatten() {
                complain(error);
            }
            return Exit::Unusable;
        }
    };
    let found = diff::between(&old, &new);
    let cohort = if arguments.cohort.is_empty() {
        None
    } else {
        match cohort::compare(&old, &new, &arguments.cohort, arguments.as_of.as_deref()) {
            Ok(cohort) => Some(cohort),
            Err(faults) => {
                faults.iter().for_each(complain);
                return Exit::Unusable;
            }
        }
    };
    let text = match arguments.format {
        Format::Text => page::render(&old, &new, &found, cohort.as_ref()),
        Format::Json => to_json(&old, &new, &found, cohort.as_ref()).to_string() + "\n",
    };
    let same = found.equal && cohort.as_ref().is_none_or(Cohort::is_same);
    match (print(&text), same) {
        (true, true) => Exit::Fine,
        _ => Exit::Failed,
    }
}

fn load(path: &Path, overlay: Option<&PathBuf>) -> Result<Ruleset, LoadError> {
    let rules = Some(path).filter(|path| *path != Path::new(EMBEDDED)).map(Path::to_owned);
    open(&Origin { rules, overlay: overlay.cloned() })
}

fn to_json(old: &Ruleset, new: &Ruleset, found: &Diff, cohort: Option<&Cohort>) -> Value {
    let package = |ruleset: &Ruleset| {
        let meta = &ruleset.package().meta;
        json!({"name": meta.name, "version": meta.version, "digest": ruleset.digest()})
    };
    let subjects = |list: &[crate::analysis::diff::words::Subject]| -> Vec<Value> {
        list.iter().map(|subject| json!({"kind": subject.kind(), "id": subject.id()})).collect()
    };
    json!({
        "old": package(old),
        "new": package(new),
        "proven_equal": found.equal,
        "differences": found.examples.iter().map(example).collect::<Vec<_>>(),
        "more": subjects(&found.more),
        "not_proven_complete": subjects(&found.beyond),
        "not_proven_equal": subjects(&found.unproven),
        "codes_of_one_package": found.listed_once,
        "wording": found.wording.iter()
            .map(|one| json!({"kind": one.kind, "id": one.id, "parts": one.parts}))
            .collect::<Vec<_>>(),
        "cohort": cohort.map(Cohort::to_json),
    })
}

fn change(change: &Change) -> Value {
    json!({
        "kind": change.subject.kind(),
        "id": change.subject.id(),
        "old": change.old,
        "new": change.new,
    })
}

fn example(one: &Example) -> Value {
    let condition = one.entry.condition.as_ref().map(|condition| {
        json!({
            "true": condition.facts,
            "false": condition.absent,
            "false_or_unknown": condition.not_known,
            "unknown": condition.unknown,
            "true_or_unknown": condition.not_excluded,
            "assumed": condition.assumed,
        })
    });
    json!({
        "changes": one.entry.changes.iter().map(change).collect::<Vec<_>>(),
        "condition": condition,
        "example": one.entry.record.request(),
        "unconfirmed": one.unconfirmed.iter().map(change).collect::<Vec<_>>(),
    })
}
