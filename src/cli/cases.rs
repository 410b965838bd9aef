//! The patients of a deck as requests: `concord evaluate` takes a case for the patient it holds.

use std::path::Path;

use serde_json::json;

use super::input::{Document, Source, Unreadable};
use super::settings::Unusable;
use crate::api::json;
use crate::api::proto::EvaluateRequest;
use crate::deck::{self, Case, Deck};
use crate::diag::{self, Diagnostic, Files};
use crate::ruleset;
use crate::server::canary::Canary;

/// Folder of the tour's cases.
const TOUR: &str = "tour/";

/// The patients of a case file, each at the instant of its case.
pub(super) fn documents(source: &Source) -> Vec<Document> {
    let (deck, faults) = deck::read_patients(Files::new(vec![(source.name.clone(), source.text.clone())]));
    if !faults.is_empty() {
        let line = |fault: &Diagnostic| deck.files.position(fault.span).map_or(1, |(_, line, _)| line);
        let unread = |fault| Document { line: line(fault), request: Err(unreadable(fault, &deck.files)) };
        return faults.iter().map(unread).collect();
    }
    let read = |case: &Case| {
        let (line, column) = deck.files.position(case.span).map_or((1, 1), |(_, line, column)| (line, column));
        let unfit = |error| Unreadable::at(&source.name, line, column, &format!("{error}"));
        Document { line, request: request(case).map_err(unfit) }
    };
    deck.cases.iter().map(read).collect()
}

fn unreadable(fault: &Diagnostic, files: &Files) -> Unreadable {
    let (name, line, column) = files.position(fault.span).unwrap_or(("", 1, 1));
    let help = fault.help.as_ref().map_or_else(String::new, |help| format!("; {help}"));
    Unreadable::at(name, line, column, &format!("{}{help}", fault.message))
}

fn request(case: &Case) -> Result<EvaluateRequest, serde_json::Error> {
    json::from_serde(&json!({"patient": case.patient, "asOf": case.as_of}))
}

/// Patients of the tour, which the binary carries: they show what a package
/// says, whichever is in force.
pub(super) fn canaries() -> Result<Vec<Canary>, Unusable> {
    let tour = |(name, _): &(String, String)| name.contains(TOUR);
    let (deck, faults) = deck::read_patients(Files::new(ruleset::embedded_cases().into_iter().filter(tour).collect()));
    if !faults.is_empty() {
        return Err(Unusable(diag::render(&faults, &deck.files, false)));
    }
    let canary = |case: &Case| {
        let request = request(case).map_err(|error| Unusable(format!("{}: {error}", deck.files.line(case.span))))?;
        Ok(Canary { name: case.id.clone(), request })
    };
    deck.cases.iter().map(canary).collect()
}

/// Cases of the package by their ids, each with its place.
pub(super) fn of_package(dir: Option<&Path>, ids: &[String]) -> Result<Vec<(String, EvaluateRequest)>, Unusable> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let files = match dir {
        Some(dir) => ruleset::case_files(&dir.join("cases")).map_err(|error| Unusable(error.to_string()))?,
        None => ruleset::embedded_cases(),
    };
    let (deck, faults) = deck::read_patients(Files::new(files));
    if !faults.is_empty() {
        return Err(Unusable(diag::render(&faults, &deck.files, false)));
    }
    ids.iter().map(|id| named(&deck, id)).collect()
}

fn named(deck: &Deck, id: &str) -> Result<(String, EvaluateRequest), Unusable> {
    let Some(case) = deck.cases.iter().find(|case| case.id == id) else {
        let near = diag::nearest(id, deck.cases.iter().map(|case| case.id.as_str()));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Err(Unusable(format!("the package has no case `{id}`{hint}")));
    };
    let place = deck.files.line(case.span);
    request(case).map(|request| (place.clone(), request)).map_err(|error| Unusable(format!("{place}: {error}")))
}
