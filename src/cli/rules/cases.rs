//! `concord rules cases`: the deck of a package, counted for people and whole for programs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json as tree};

use super::super::{Exit, Format, complain, print};
use super::{json, open};
use crate::deck::{self, FORMAT, export};
use crate::diag::{self, Files};
use crate::ruleset::{self, Origin, Ruleset};

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Case files, or folders of them; else the package's own.
    #[arg(value_name = "CASES")]
    paths: Vec<PathBuf>,
    /// Directory of the package; else the one in the binary.
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Counts for people, or every case whole, as JSON.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// What an expectation of each key speaks of, in the order in which it is shown.
const EXPECTATIONS: [(&str, &str); 8] = [
    ("rules", "the truth of a rule's condition"),
    ("components", "what is offered, and what is not"),
    ("alerts", "alerts"),
    ("requests", "what is asked for"),
    ("approaches", "approaches"),
    ("scope", "whether there is opioid use disorder"),
    ("unrecognized", "codes that are not understood"),
    ("error", "a refusal"),
];

pub(super) fn run(arguments: &Arguments) -> Exit {
    match told(arguments) {
        Ok(text) if print(&text) => Exit::Fine,
        Ok(_) => Exit::Failed,
        Err(message) => {
            complain(message);
            Exit::Unusable
        }
    }
}

fn told(arguments: &Arguments) -> Result<String, String> {
    let origin = Origin { rules: arguments.rules.clone(), overlay: None };
    let ruleset = open(&origin).map_err(|error| error.to_string())?;
    let files = files(arguments)?;
    let (deck, faults) = deck::read(Files::new(files), ruleset.package());
    if !faults.is_empty() {
        return Err(diag::render(&faults, &deck.files, false));
    }
    let cases = export(&deck)?;
    Ok(match arguments.format {
        Format::Text => counted(&ruleset, &cases, deck.files.count()),
        Format::Json => json(&whole(&ruleset, &cases)),
    })
}

fn files(arguments: &Arguments) -> Result<Vec<(String, String)>, String> {
    let folders = match &arguments.rules {
        Some(dir) if arguments.paths.is_empty() => vec![dir.join("cases")],
        _ => arguments.paths.clone(),
    };
    if folders.is_empty() {
        return Ok(ruleset::embedded_cases());
    }
    let mut files = Vec::new();
    for folder in &folders {
        files.extend(ruleset::case_files(folder).map_err(|error| error.to_string())?);
    }
    files.sort();
    files.dedup();
    Ok(files)
}

fn whole(ruleset: &Ruleset, cases: &[Value]) -> Value {
    let meta = &ruleset.package().meta;
    tree!({
        "format": FORMAT,
        "license": env!("CARGO_PKG_LICENSE"),
        "package": {"name": meta.name, "version": meta.version, "digest": ruleset.digest()},
        "cases": cases,
    })
}

fn counted(ruleset: &Ruleset, cases: &[Value], files: usize) -> String {
    let meta = &ruleset.package().meta;
    let mut text =
        format!("{} cases in {files} files, format {FORMAT}  ({} {})\n", cases.len(), meta.name, meta.version);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for key in cases.iter().filter_map(|case| case.get("expect")?.as_object()).flat_map(|expect| expect.keys()) {
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(1);
    }
    for (key, words) in EXPECTATIONS {
        if let Some(count) = counts.get(key) {
            text.push_str(&format!("  {count:6}  expect {words} (`{key}`)\n"));
        }
    }
    text
}
