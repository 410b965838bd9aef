//! The record behind the answer: what of it was used, what was taken as absent,
//! what was not understood, and how the rest was read.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::{Paint, Sheet};
use super::words;
use crate::engine::decision::{Answer, Basis, Explain, Ground, ProofNode, Rationale, UnrecognizedReason};

/// As many of a list as help; the full page shows them all.
const SHOWN: usize = 10;

/// The path without the word that every path begins with.
fn short(path: &str) -> &str {
    path.strip_prefix("patient.").unwrap_or(path)
}

/// `diagnoses[0, 2], medications[1]`: the elements behind a rationale.
pub(super) fn inputs(rationale: &Rationale) -> String {
    paths(rationale.because.iter().flat_map(|ground| ground.inputs.iter().map(String::as_str)))
}

/// Paths, with the elements of one list under one name.
pub(super) fn paths<'a>(paths: impl Iterator<Item = &'a str>) -> String {
    let mut lists: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    let mut others: BTreeSet<&str> = BTreeSet::new();
    for path in paths.map(short) {
        let element = path.strip_suffix(']').and_then(|path| path.rsplit_once('['));
        match element.and_then(|(list, at)| Some((list, at.parse().ok()?))) {
            Some((list, at)) => {
                lists.entry(list).or_default().insert(at);
            }
            None => {
                others.insert(path);
            }
        }
    }
    let numbered = lists.iter().map(|(list, positions)| {
        let positions: Vec<String> = positions.iter().map(ToString::to_string).collect();
        format!("{list}[{}]", positions.join(", "))
    });
    let all: Vec<String> = numbered.chain(others.iter().map(|path| (*path).to_owned())).collect();
    all.join(", ")
}

/// The facts of a rationale that were taken as absent.
pub(super) fn assumed(rationale: &Rationale) -> impl Iterator<Item = &Ground> {
    rationale.because.iter().filter(|ground| ground.basis == Basis::Assumed)
}

/// Every rationale of the answer, in the order of the page.
fn rationales(answer: &Answer) -> Vec<&Rationale> {
    let components = answer.recommendations.iter().flat_map(|approach| &approach.components);
    let requests = answer.data_requests.iter().chain(&answer.more_data_requests);
    let assessments = answer.assessments.iter().chain(&answer.more_assessments);
    let mut all: Vec<&Rationale> = answer.alerts.iter().map(|alert| &alert.rationale).collect();
    all.extend(components.flat_map(|component| &component.rationale).map(|finding| &finding.rationale));
    all.extend(requests.filter_map(|request| request.rationale.as_ref()));
    all.extend(assessments.map(|assessment| &assessment.rationale));
    all.extend(answer.insights.iter().map(|insight| &insight.rationale));
    all.extend(answer.notes.iter().map(|note| &note.rationale));
    all
}

/// The first few, joined, and how many more there are.
pub(super) fn few(parts: &[String], shown: usize, joint: &str) -> String {
    // One more takes no more room than saying that there is one.
    let shown = if parts.len() == shown.saturating_add(1) { parts.len() } else { shown };
    let rest = parts.len().saturating_sub(shown);
    let named: Vec<&str> = parts.iter().take(shown).map(String::as_str).collect();
    let named = named.join(joint);
    if rest == 0 { named } else { format!("{named}{joint}and {rest} more") }
}

pub(super) fn assumptions(sheet: &mut Sheet, answer: &Answer, level: Explain) {
    let mut facts: Vec<String> = Vec::new();
    for ground in rationales(answer).into_iter().flat_map(assumed) {
        if !facts.contains(&ground.fact) {
            facts.push(ground.fact.clone());
        }
    }
    if facts.is_empty() || level == Explain::Brief {
        return;
    }
    sheet.heading("What was assumed");
    let shown = if level == Explain::Full { facts.len() } else { SHOWN };
    let text = format!("because its list is not said to be complete (patient.complete): {}", few(&facts, shown, "; "));
    sheet.tagged(2, "Taken as absent,", Paint::Plain, &text);
}

/// What each element was taken to mean, in the words of the rules it made true.
pub(super) fn meanings(sheet: &mut Sheet, answer: &Answer, level: Explain) {
    let mut facts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ground in rationales(answer).into_iter().flat_map(|rationale| &rationale.because) {
        for path in ground.inputs.iter().filter(|_| ground.value) {
            let known = facts.entry(short(path)).or_default();
            if !known.contains(&ground.fact) {
                known.push(ground.fact.clone());
            }
        }
    }
    if facts.is_empty() || level == Explain::Brief {
        return;
    }
    sheet.heading("What the record was taken to say");
    for (path, mut known) in facts {
        const SAID: usize = 3;
        known.sort_by_key(String::len);
        let shown = if level == Explain::Full { known.len() } else { SAID };
        sheet.tagged(2, &format!("{path}:"), Paint::Plain, &few(&known, shown, "; "));
    }
}

pub(super) fn not_understood(sheet: &mut Sheet, answer: &Answer) {
    if answer.unrecognized.is_empty() {
        return;
    }
    let mut groups: BTreeMap<(UnrecognizedReason, &str), Vec<String>> = BTreeMap::new();
    for entry in &answer.unrecognized {
        let code = [entry.system.as_str(), entry.code.as_str()].join(" ");
        let path = short(&entry.path);
        let named = if code.trim().is_empty() { path.to_owned() } else { format!("{} ({path})", code.trim()) };
        groups.entry((entry.reason, &entry.detail)).or_default().push(named);
    }
    sheet.heading(&format!("Not understood ({})", answer.unrecognized.len()));
    for ((reason, detail), entries) in groups {
        let reason = words::reason(reason);
        let why = if detail.is_empty() || detail == reason {
            reason.to_owned()
        } else {
            format!("{reason} ({})", detail.trim_end_matches('.'))
        };
        sheet.tagged(2, "-", Paint::Plain, &format!("{why}: {}", entries.join(", ")));
    }
}

pub(super) fn readings(sheet: &mut Sheet, answer: &Answer) {
    if answer.readings.is_empty() {
        return;
    }
    let mut groups: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for reading in &answer.readings {
        groups.entry((reading.kind, &reading.detail)).or_default().push(&reading.path);
    }
    sheet.heading("How the record was read");
    for ((_, detail), entries) in groups {
        sheet.tagged(
            2,
            "-",
            Paint::Plain,
            &format!("{} — {}", detail.trim_end_matches('.'), paths(entries.into_iter())),
        );
    }
}

pub(super) fn considered(sheet: &mut Sheet, answer: &Answer) {
    if answer.considered.is_empty() {
        return;
    }
    sheet.heading("Rules considered");
    for rule in &answer.considered {
        sheet.tagged(2, &format!("{} {}:", words::truth(rule.truth), rule.rule), Paint::Plain, &rule.title);
        proof(sheet, 4, &rule.proof);
    }
}

/// Recursion is bounded by the depth of a condition, which the package's
/// reader limits.
fn proof(sheet: &mut Sheet, indent: usize, node: &ProofNode) {
    let assumed = if node.assumed { " (assumed)" } else { "" };
    let inputs = paths(node.inputs.iter().map(String::as_str));
    let inputs = if inputs.is_empty() { inputs } else { format!(" ({inputs})") };
    sheet.tagged(indent, words::truth(node.truth), Paint::Plain, &format!("{}{assumed}{inputs}", node.condition));
    for child in &node.children {
        proof(sheet, indent.saturating_add(2), child);
    }
}
