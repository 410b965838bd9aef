//! What is missing, and what is due.

use super::layout::{Paint, Sheet};
use super::record::few;
use super::refs::References;
use crate::clinical::code::CodeSystem;
use crate::engine::decision::{Answer, DataRequest, Explain};

/// The gravest effects are enough to see why it is asked.
const EFFECTS: usize = 2;
/// The first codes are enough to find the rest by.
const CODES: usize = 2;

/// The numbers go on from the facts to the assessments, so that a number names
/// one thing.
pub(super) fn all<'a>(sheet: &mut Sheet, refs: &mut References<'a>, answer: &'a Answer, level: Explain) {
    let mut number = 0_usize;
    let mut next = || {
        number = number.saturating_add(1);
        format!("{number}.")
    };
    if !answer.data_requests.is_empty() || !answer.more_data_requests.is_empty() {
        sheet.heading("Missing, and would change this answer");
    }
    for request in &answer.data_requests {
        ask(sheet, refs, &next(), request, level);
    }
    if !answer.more_data_requests.is_empty() {
        let rest: Vec<String> = answer.more_data_requests.iter().map(|request| rest(refs, request, level)).collect();
        sheet.labeled(2, &format!("And {} more", rest.len()), &rest.join("; "));
    }
    if !answer.assessments.is_empty() || !answer.more_assessments.is_empty() {
        sheet.heading("Assessments due");
    }
    for assessment in answer.assessments.iter().chain(&answer.more_assessments) {
        let basis = refs.short_basis(&assessment.rationale, level);
        let text = format!("{}: {}", assessment.title, assessment.statement);
        sheet.noted(2, &next(), Paint::Bold, &text, &basis);
    }
}

fn ask<'a>(sheet: &mut Sheet, refs: &mut References<'a>, number: &str, request: &'a DataRequest, level: Explain) {
    let basis = request.rationale.as_ref().map(|rationale| refs.short_basis(rationale, level)).unwrap_or_default();
    sheet.noted(2, number, Paint::Bold, &request.statement, &basis);
    sheet.dim(5, &format!("{}{}", target(request), changes(request, level)));
}

/// Where the answer goes.
fn target(request: &DataRequest) -> String {
    let mut target = format!("Send: {}", request.field);
    if !request.codings.is_empty() {
        let codings: Vec<String> = request.codings.iter().map(|(system, code)| coding(system, code)).collect();
        target = format!("{target}, {}", few(&codings, CODES, ", "));
    }
    if !request.unit.is_empty() {
        target = format!("{target}, in {}", request.unit);
    }
    target
}

fn coding(system: &str, code: &str) -> String {
    let known = CodeSystem::resolve(system).ok();
    let name = known.map_or(system, |known| known.name());
    format!("{name} {code}")
}

fn changes(request: &DataRequest, level: Explain) -> String {
    if request.effects.is_empty() {
        return String::new();
    }
    let effects: Vec<String> =
        request.effects.iter().map(|effect| format!("{} ({})", effect.title, effect.kind)).collect();
    let shown = if level == Explain::Full { effects.len() } else { EFFECTS };
    format!(". Could change: {}", few(&effects, shown, "; "))
}

fn rest<'a>(refs: &mut References<'a>, request: &'a DataRequest, level: Explain) -> String {
    let basis = request.rationale.as_ref().map(|rationale| refs.short_basis(rationale, level)).unwrap_or_default();
    let basis = if basis.is_empty() { basis } else { format!(" — {basis}") };
    format!("{} ({}){basis}", request.statement, request.field)
}
