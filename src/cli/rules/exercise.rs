//! What the cases of a package say of its rules, for the handbook.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::yaml;
use crate::api::decide::{Terms, decide};
use crate::api::json::from_str;
use crate::api::limits::Limits;
use crate::handbook::{Exercise, Exercised};
use crate::ruleset::Ruleset;

/// Evaluates every case of a folder; none where there is no such folder. A case
/// that is refused, as a few are meant to be, exercises no rule.
///
/// # Errors
/// Words for a case that can't be read.
pub(super) fn of(ruleset: &Arc<Ruleset>, dir: &Path) -> Result<Exercise, String> {
    let mut exercise = Exercise::default();
    for file in files(dir)? {
        let name = file.display();
        let text = fs::read_to_string(&file).map_err(|error| format!("{name}: {error}"))?;
        let case = yaml::read(&text)
            .map_err(|fault| format!("{name}:{}:{}: {}", fault.place.line, fault.place.column, fault.message))?
            .value;
        let word = |key: &str| case.get(key).and_then(Value::as_str).map(str::to_owned);
        let id = word("id").ok_or_else(|| format!("{name}: the case has no `id`"))?;
        let title = word("title").unwrap_or_default();
        let body = json!({"patient": case.get("patient"), "asOf": case.get("as_of"), "explain": "FULL"});
        let request = from_str(&body.to_string()).map_err(|error| format!("{name}: {error}"))?;
        let terms = Terms { limits: Limits::default(), purpose_of_use: "TREAT".to_owned() };
        // A case says its own instant; the other one stands in for none.
        let Ok(decision) = decide(ruleset, request, &terms, Timestamp::UNIX_EPOCH) else { continue };
        for rule in decision.answer.considered {
            let exercised = Exercised { case: id.clone(), title: title.clone(), truth: rule.truth };
            exercise.of.entry(rule.rule).or_default().push(exercised);
        }
    }
    Ok(exercise)
}

/// In order of their names.
fn files(dir: &Path) -> Result<Vec<PathBuf>, String> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let unreadable = |error: std::io::Error| format!("{}: {error}", dir.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
