//! A comparison of two packages as text.

use super::cohort::{Cohort, Member};
use crate::analysis::diff::Change;
use crate::analysis::diff::condition::Condition;
use crate::analysis::diff::words::Subject;
use crate::ruleset::Ruleset;
use crate::ruleset::diff::{Diff, Example};

/// The whole page.
pub(super) fn render(old: &Ruleset, new: &Ruleset, found: &Diff, cohort: Option<&Cohort>) -> String {
    let mut text = format!("old  {}\nnew  {}\n\n", package(old), package(new));
    text.push_str(&verdict(found));
    for (number, example) in (1..).zip(&found.examples) {
        text.push_str(&format!("\n{number}. {}", entry(example)));
    }
    if !found.more.is_empty() {
        text.push_str(&format!("\nAnd other conditions, not listed here, for: {}\n", subjects(&found.more)));
    }
    if !found.beyond.is_empty() {
        text.push_str(&format!(
            "\nNot proven complete: no record of the catalog shows a further condition, and it is not proven that there \
             is none, for: {}\n",
            subjects(&found.beyond)
        ));
    }
    if !found.unproven.is_empty() {
        text.push_str(&format!(
            "\nNot proven equal, and no record of the catalog shows a difference: {}\n",
            subjects(&found.unproven)
        ));
    }
    if !found.listed_once.is_empty() {
        text.push_str(&format!(
            "\nNot compared: records with a code that one package alone lists. The other can't read an entry that has no \
             other code, and no longer takes its list as complete. The codes: {}\n",
            found.listed_once.join(", ")
        ));
    }
    if !found.wording.is_empty() {
        text.push_str("\nWording that changed\n");
        for change in &found.wording {
            text.push_str(&format!("  {}: {}\n", name(change.kind, &change.id), change.parts.join(", ")));
        }
    }
    if let Some(cohort) = cohort {
        text.push_str(&of_cohort(cohort));
    }
    text
}

fn package(ruleset: &Ruleset) -> String {
    let meta = &ruleset.package().meta;
    format!("{} {}, sha256 {}", meta.name, meta.version, ruleset.digest())
}

fn name(kind: &str, id: &str) -> String {
    if id.is_empty() { kind.to_owned() } else { format!("{kind} {id}") }
}

fn subjects(list: &[Subject]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn verdict(found: &Diff) -> String {
    let wording = if found.wording.is_empty() { "" } else { "; wording changed" };
    if found.equal {
        return format!("Proven equal: no patient gets other advice{wording}.\n");
    }
    let count = found.examples.len();
    match count {
        0 => format!("Not proven equal, and no difference found{wording}.\n"),
        1 => "Answers differ under one condition; what it does not name is the same.\n".to_owned(),
        _ => format!("Answers differ under {count} conditions; what they do not name is the same.\n"),
    }
}

/// A change in one line.
pub(super) fn change(change: &Change) -> String {
    let subject = &change.subject;
    if subject.is_single() {
        return format!("{subject}: {} → {}", subject.value(&change.old), subject.value(&change.new));
    }
    let gone = change.old.iter().filter(|words| !change.new.contains(words)).map(|words| format!("no longer {words}"));
    let come = change.new.iter().filter(|words| !change.old.contains(words)).map(|words| format!("now {words}"));
    format!("{subject}: {}", gone.chain(come).collect::<Vec<_>>().join(", "))
}

fn entry(example: &Example) -> String {
    let mut text = String::new();
    let lines = example.entry.changes.iter().map(change);
    let unconfirmed = example.unconfirmed.iter().map(|one| format!("NOT CONFIRMED by the engine: {}", change(one)));
    for (index, line) in lines.chain(unconfirmed).enumerate() {
        let indent = if index == 0 { "" } else { "   " };
        text.push_str(&format!("{indent}{line}\n"));
    }
    match &example.entry.condition {
        Some(condition) => text.push_str(&conditions(condition)),
        None => text.push_str("   in this example; what brings it about is not told apart\n"),
    }
    text.push_str(&format!("   example  {}\n", example.entry.record.request()));
    text
}

fn conditions(condition: &Condition) -> String {
    let mut text = String::new();
    let groups = [
        ("when", &condition.facts),
        ("unknown", &condition.unknown),
        ("true or unknown", &condition.not_excluded),
        ("false", &condition.absent),
        ("not known to be true", &condition.not_known),
        ("besides", &condition.assumed),
    ];
    for (head, lines) in groups.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        text.push_str(&format!("   {head}\n"));
        for line in lines {
            text.push_str(&format!("     {line}\n"));
        }
    }
    if text.is_empty() { "   for every patient\n".to_owned() } else { text }
}

fn of_cohort(cohort: &Cohort) -> String {
    let names = |members: &mut dyn Iterator<Item = &Member>| -> String {
        members.map(Member::name).collect::<Vec<_>>().join(", ")
    };
    let (all, some) = (cohort.patients, cohort.differing.len());
    let mut text = format!("\nCohort: {some} of {all} patients get other advice\n");
    if some > 0 {
        text.push_str(&format!("  {}\n", names(&mut cohort.differing.iter())));
    }
    for (what, places) in &cohort.changes {
        let mut whom = places.iter().filter_map(|at| cohort.differing.get(*at));
        text.push_str(&format!("\n  {what}\n    {}: {}\n", places.len(), names(&mut whom)));
    }
    if !cohort.reworded.is_empty() {
        text.push_str(&format!(
            "\n  {} get the same advice in other words, or with another explanation: {}\n",
            cohort.reworded.len(),
            names(&mut cohort.reworded.iter())
        ));
    }
    text
}
