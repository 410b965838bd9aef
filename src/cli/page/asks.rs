//! What is missing, what was not understood, and how the record was read.

use super::layout::{Paint, Sheet};
use super::{parts, words};
use crate::engine::decision::{Answer, Assessment, ConsideredRule, DataRequest, ProofNode, Reading, Unrecognized};

pub(super) fn missing(sheet: &mut Sheet, answer: &Answer) {
    if answer.data_requests.is_empty() && answer.more_data_requests.is_empty() {
        return;
    }
    sheet.heading("Missing, and would change this answer");
    let mut number = 0_usize;
    for request in &answer.data_requests {
        number = number.saturating_add(1);
        ask(sheet, number, request);
    }
    if !answer.more_data_requests.is_empty() {
        let rest: Vec<&str> = answer.more_data_requests.iter().map(|request| request.statement.as_str()).collect();
        sheet.labeled(2, &format!("And {} more", rest.len()), &rest.join("; "));
    }
}

fn ask(sheet: &mut Sheet, number: usize, request: &DataRequest) {
    sheet.tagged(2, &format!("{number}."), Paint::Bold, &request.statement);
    let mut answer = request.field.clone();
    if !request.codings.is_empty() {
        answer = format!("{answer} with {}", codings(&request.codings));
    }
    if !request.unit.is_empty() {
        answer = format!("{answer}, in {}", request.unit);
    }
    sheet.labeled(5, "Answer in", &answer);
    let effects: Vec<String> =
        request.effects.iter().map(|effect| format!("{} ({})", effect.title, effect.kind)).collect();
    sheet.labeled(5, "Could change", &effects.join("; "));
    if let Some(rationale) = &request.rationale {
        parts::why(sheet, 5, rationale);
    }
}

/// The first few are enough to find the rest by.
fn codings(codings: &[(String, String)]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = codings.iter().take(SHOWN).map(|(system, code)| format!("{system} {code}")).collect();
    let rest = codings.len().saturating_sub(SHOWN);
    let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    format!("{}{more}", shown.join(", "))
}

pub(super) fn assessments(sheet: &mut Sheet, answer: &Answer) {
    let due: Vec<&Assessment> = answer.assessments.iter().chain(&answer.more_assessments).collect();
    if due.is_empty() {
        return;
    }
    sheet.heading("Assessments due");
    for assessment in due {
        sheet.tagged(2, &format!("{}:", assessment.title), Paint::Plain, &assessment.statement);
        parts::why(sheet, 4, &assessment.rationale);
    }
}

pub(super) fn not_understood(sheet: &mut Sheet, unrecognized: &[Unrecognized]) {
    if unrecognized.is_empty() {
        return;
    }
    sheet.heading("Not understood");
    for entry in unrecognized {
        let code = [entry.system.as_str(), entry.code.as_str()].join(" ");
        let code = code.trim();
        let code = if code.is_empty() { String::new() } else { format!(" {code}") };
        let text = format!("{}. {}", words::reason(entry.reason), entry.detail);
        sheet.tagged(2, &format!("{}{code}:", entry.path), Paint::Plain, &text);
    }
}

pub(super) fn readings(sheet: &mut Sheet, readings: &[Reading]) {
    if readings.is_empty() {
        return;
    }
    sheet.heading("How the record was read");
    for reading in readings {
        sheet.tagged(2, &format!("{}:", reading.path), Paint::Plain, &reading.detail);
    }
}

pub(super) fn considered(sheet: &mut Sheet, considered: &[ConsideredRule]) {
    if considered.is_empty() {
        return;
    }
    sheet.heading("Rules considered");
    for rule in considered {
        sheet.tagged(2, &format!("{} {}:", words::truth(rule.truth), rule.rule), Paint::Plain, &rule.title);
        proof(sheet, 4, &rule.proof);
    }
}

/// Recursion is bounded by the depth of a condition, which the package's
/// reader limits.
fn proof(sheet: &mut Sheet, indent: usize, node: &ProofNode) {
    let assumed = if node.assumed { " (assumed)" } else { "" };
    let inputs = if node.inputs.is_empty() { String::new() } else { format!(" [{}]", node.inputs.join(", ")) };
    sheet.tagged(indent, words::truth(node.truth), Paint::Plain, &format!("{}{assumed}{inputs}", node.condition));
    for child in &node.children {
        proof(sheet, indent.saturating_add(2), child);
    }
}
